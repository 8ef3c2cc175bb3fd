"""The whole description: OpenAPI 3.1, one JSON document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from openapi.failures import Failures
from openapi.operations import Operations
from openapi.rules import Rules
from openapi.schemas import Schemas
from openapi.source import Source

if TYPE_CHECKING:
    from openapi.rules import Json

_RULES: Final = Path(__file__).with_name("rules.toml")
_LAST_TAG: Final = "Reference"


def write(descriptors: bytes, version: str, target: Path) -> None:
    """Writes the description of all routes; `descriptors` must hold source information."""
    text = json.dumps(describe(descriptors, version), indent=1, ensure_ascii=False)
    target.write_text(text + "\n", encoding="utf-8")


def describe(descriptors: bytes, version: str, rules_file: Path = _RULES) -> Json:
    """Makes the description; raises ValueError for what it cannot describe."""
    source = Source(descriptors)
    rules = Rules.read(rules_file, source)
    schemas, failures = Schemas(source, rules), Failures(source, rules)
    operations = Operations(source, rules, schemas, failures)
    paths = operations.paths() | {path: _page(told) for path, told in rules.pages.items()}
    return {
        "openapi": "3.1.1",
        "info": {**rules.info, "version": version},
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "tags": [*operations.tags(), {"name": _LAST_TAG, "description": "This reference itself."}],
        "paths": paths,
        "components": {
            **rules.components,
            "schemas": {
                **{name: schemas.components[name] for name in sorted(schemas.components)},
                **rules.components["schemas"],
                "ErrorCode": failures.codes,
            },
            "responses": {name: failures.components[name] for name in sorted(failures.components)},
        },
    }


def _page(told: Json) -> Json:
    """Describes a page that the gateway itself gives, to everyone."""
    headers = {"x-request-id": {"$ref": "#/components/headers/RequestId"}}
    return {
        "get": {
            "operationId": told["id"],
            "tags": [_LAST_TAG],
            "summary": told["summary"],
            "security": [],
            "responses": {
                "200": {
                    "description": told["summary"],
                    "headers": headers,
                    "content": {told["type"]: {"schema": told["schema"]}},
                }
            },
        }
    }
