"""Requests that the gateway itself refuses: whose token counts first, and what is echoed."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from . import world
from .exchange import Reply, envelope, over_http1
from .odd_service import SECRET, running_odd_service
from .probes import AUTH, INVALID, JSON, Headers, Probe
from .running import ROOT, changed_config, running_gateway, running_service

if TYPE_CHECKING:
    from pathlib import Path

    from .running import Gateway

_UNKNOWN: Headers = (("authorization", f"Bearer {world.UNKNOWN}"),)
_AT_ONCE = 2.0  # seconds, on a busy machine
_LONGEST = 200 + len("…")
_MANY = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,  # the same ones on each machine
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
_ODD = st.sampled_from(['"', "\\", "%", "&", "=", "%22", "%5C", "%00", "%C3%A7", "%FF", "{", ":"])
_QUERIES = st.lists(st.one_of(_ODD, st.from_regex("[!-$&-~]{1,8}", fullmatch=True)), max_size=40)
_PARTS = ['{"jids": ["1"], "dry_run": ', '"view": ', "{", "[", "]", "}", ",", '"a"', "\\u00", "\n"]
_BODIES = st.lists(st.one_of(st.sampled_from(_PARTS), st.text(max_size=9)), max_size=40)


def _failure(gateway: Gateway, probe: Probe) -> tuple[int, str]:
    reply = over_http1(gateway.port, probe)
    return reply.status, envelope(reply)["error_code"]


def _is_documented(reply: Reply) -> bool:
    """Tells whether a reply is a success, or a refusal that echoes no more than it may."""
    if reply.status == 200:
        return True
    entries = envelope(reply).get("validation", [])
    longest = max((len(text) for entry in entries for text in entry.values()), default=0)
    return reply.status == 400 and len(entries) == 1 and longest <= _LONGEST


class TestEcho:
    """What a refusal tells of the request, whatever that is."""

    @_MANY
    @given(parts=_QUERIES)
    def test_queries(self, gateway: Gateway, parts: list[str]) -> None:
        """Any query is taken, or refused in the documented form."""
        target = f"/contacts?{''.join(parts)}".replace("#", "")
        assert _is_documented(over_http1(gateway.port, Probe("", target)))

    @_MANY
    @given(parts=_BODIES, tail=st.binary(max_size=4))
    def test_bodies(self, gateway: Gateway, parts: list[str], tail: bytes) -> None:
        """Any body is taken, or refused in the documented form."""
        body = "".join(parts).encode("utf-8", "replace") + tail
        probe = Probe("", "/contacts/resolve", method="POST", headers=AUTH + JSON, body=body)
        assert _is_documented(over_http1(gateway.port, probe))

    @_MANY
    @given(text=st.text(max_size=300))
    def test_values(self, gateway: Gateway, text: str) -> None:
        """The value comes back as it was sent, cut after 200 characters."""
        body = json.dumps({"jids": ["1"], "dry_run": f"x{text}"}, ensure_ascii=False).encode()
        probe = Probe("", "/contacts/resolve", method="POST", headers=AUTH + JSON, body=body)
        reply = over_http1(gateway.port, probe)
        cut = f"x{text}" if len(text) < 200 else f"x{text[:199]}…"
        found = envelope(reply)["validation"][0]
        assert (found["field"], found["value"]) == ("dry_run", cut)

    @pytest.mark.parametrize(
        "words", [": invalid value ", " for type ", "\\n", '\\" of the field x ']
    )
    @pytest.mark.parametrize("field", ["view", "dry_run"])
    def test_long_ones(self, gateway: Gateway, field: str, words: str) -> None:
        """Reads no text twice: the words of the transcoder, over and over, cost no time."""
        body = f'{{"jids": ["1"], "{field}": "{words * (60_000 // len(words))}"}}'.encode()
        target = "/contacts/resolve?view=FULL"
        started = time.monotonic()
        reply = over_http1(gateway.port, Probe("", target, 0, "", "POST", AUTH + JSON, body))
        took = time.monotonic() - started
        assert (envelope(reply)["validation"][0]["field"], took < _AT_ONCE) == (field, True)


class TestTokenFirst:
    """Whether the token is known, asked of the service."""

    def test_service_down(self, folder: Path) -> None:
        """While the service cannot be asked, the refusal itself is told."""
        with running_service() as service, running_gateway(service.port, folder) as gateway:
            service.process.kill()
            service.process.wait(10)
            probe = Probe("", "/contacts?colour=red", headers=_UNKNOWN)
            assert _failure(gateway, probe) == INVALID

    def test_asked_for_refusals_only(self, folder: Path) -> None:
        """Asks nothing when the request is good, or its path no business of the service."""
        asked: list[str] = []
        targets = ("/contacts", "/contacts?page_size=0", "/elsewhere", "/contacts?x=1")
        with running_odd_service(asked) as port, running_gateway(port, folder) as gateway:
            for target in targets:
                over_http1(gateway.port, Probe("", target))
        assert asked == [dict(AUTH)["authorization"]]


class TestFailingClosed:
    """A fault of the script that completes refusals."""

    @pytest.mark.parametrize(
        "line",
        [
            "local function as_transcoded(words, path)",
            "local function is_unknown(handle, token, id)",
            "local function quoted(text)",
            "local function completed(handle, mark)",
        ],
    )
    def test_a_fault(self, service_port: int, folder: Path, line: str) -> None:
        """Leads to the fixed words: nothing of the request, nothing of the transcoder."""
        script = (ROOT / "gateway" / "refusals.lua").read_text()
        assert line in script
        broken = folder / "broken.lua"
        broken.write_text(script.replace(line, f'{line} error("{SECRET}")'))
        config = changed_config(folder, ("@REFUSALS@", json.dumps(str(broken))))
        with running_gateway(service_port, folder, config=config) as gateway:
            reply = over_http1(gateway.port, Probe("", "/contacts?colour=red"))
        assert (reply.status, envelope(reply)["error"]) == (400, "validation failed")
        assert [word for word in (b"colour", b"red", SECRET.encode()) if word in reply.body] == []
