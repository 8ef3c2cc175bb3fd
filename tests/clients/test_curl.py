"""curl, over HTTP/1.1 and HTTP/2."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from fakes import MARIA, PICTURE

if TYPE_CHECKING:
    from .stage import Stage

_NEITHER = "contacts/profile-picture"
_ONE = f"contacts/profile-picture?number={MARIA}&preview=false"


def _curl(stage: Stage, *arguments: str) -> tuple[int, str, Any]:
    """Calls; gives the status, the HTTP version and the body."""
    told = ("-w", r"\n%{http_code} %{http_version}", "-H", f"Authorization: Bearer {stage.token}")
    url = f"http://{stage.gateway}/{arguments[-1]}"
    done = subprocess.run(
        ["curl", "-s", "--max-time", "10", *told, *arguments[:-1], url],
        capture_output=True,
        check=True,
        text=True,
        timeout=20,
    )
    body, _, last = done.stdout.rpartition("\n")
    status, version = last.split()
    return int(status), version, json.loads(body)


@pytest.mark.parametrize(
    ("option", "version"), [("--http1.1", "1.1"), ("--http2-prior-knowledge", "2")]
)
class TestCurl:
    """The calls of the README."""

    def test_get(self, stage: Stage, option: str, version: str) -> None:
        """A GET gives JSON."""
        status, spoken, body = _curl(stage, option, _ONE)
        assert (200, version, PICTURE.url) == (status, spoken, body["data"]["url"])

    def test_post(self, stage: Stage, option: str, version: str) -> None:
        """A POST takes JSON, as curl sends it by itself."""
        status, spoken, body = _curl(stage, option, "-d", '{"jids": ["x"]}', "contacts/resolve")
        assert (200, version, "INVALID_IDENTIFIER") == (status, spoken, body["items"][0]["status"])

    def test_a_failure(self, stage: Stage, option: str, version: str) -> None:
        """A failure gives the envelope."""
        status, spoken, body = _curl(stage, option, _NEITHER)
        assert (400, version, "VALIDATION_ERROR") == (status, spoken, body["error_code"])
        assert ["jid"] == [entry["field"] for entry in body["validation"]]
