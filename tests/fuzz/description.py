"""The description that requests are made of, to look at a request once more."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator

_FILE: Final = Path(__file__).resolve().parents[2] / "gateway" / "openapi.json"
Json = dict[str, Any]


def is_body_valid(method: str, path: str, body: object) -> bool:
    """Tells whether a body is what the description asks for."""
    return _is_valid(body_schema(method, path), body)


def body_schema(method: str, path: str) -> Json:
    """Gives the schema of an operation's body."""
    media = operation(method, path)["requestBody"]["content"]["application/json"]
    name = media["schema"]["$ref"].rpartition("/")[2]
    found: Json = _document()["components"]["schemas"][name]
    return found


def faults_of_lines(method: str, path: str, body: str) -> list[str]:
    """Lists what is wrong with a body of newline-delimited JSON: each line is a message.

    All but the last must say how to go on, and the last must not.
    """
    content = operation(method, path)["responses"]["200"]["content"]
    schema = content["application/x-ndjson"]["schema"]
    lines = body.split("\n")
    faults = [] if lines.pop() == "" else ["does not end in a newline"]
    messages = [json.loads(line) for line in lines]
    misfits = [at for at, message in enumerate(messages) if not _is_valid(schema, message)]
    faults += [f"line {at} does not fit the schema" for at in misfits]
    followed = ["next_page_token" in message for message in messages]
    if followed != [*[True] * (len(messages) - 1), False]:
        faults.append("exactly the last line must have no next_page_token")
    return faults


def is_query_valid(method: str, path: str, query: Json) -> bool:
    """Tells the same of a query; its values are texts, or what is written as them."""
    known = parameters(method, path, "query")
    told = operation(method, path).get("parameters", [])
    required = {each["name"] for each in told if each.get("in") == "query" and each["required"]}
    return required <= query.keys() <= known.keys() and all(
        _is_valid(known[name], _as_typed(known[name], value)) for name, value in query.items()
    )


def parameters(method: str, path: str, place: str) -> dict[str, Json]:
    """Gives the schemas of an operation's parameters."""
    told = operation(method, path).get("parameters", [])
    return {each["name"]: each["schema"] for each in told if each.get("in") == place}


def operation(method: str, path: str) -> Json:
    """Finds an operation."""
    found: Json = _document()["paths"][path][method.lower()]
    return found


@cache
def _document() -> Json:
    document: Json = json.loads(_FILE.read_text(encoding="utf-8"))
    return document


def _is_valid(schema: Json, value: object) -> bool:
    # The references in a schema are read from the whole document.
    fits: bool = Draft202012Validator({**_document(), **schema}).is_valid(value)
    return fits


def _as_typed(schema: Json, value: object) -> object:
    if not isinstance(value, str):
        return value
    if schema.get("type") == "boolean":
        return {"true": True, "false": False}.get(value, value)
    if schema.get("type") == "integer" and value.removeprefix("-").isdecimal():
        return int(value)
    return value
