"""JSON over HTTP/1.1 and HTTP/2: the whole table of probes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .budget_probes import BUDGET_PROBES
from .device_probes import DEVICE_PROBES
from .exchange import Reply, envelope, internal_headers, over_http1, over_http2, send_bytes
from .probes import PROBES, WIRE, Probe

if TYPE_CHECKING:
    from .running import Gateway

_ALL = PROBES + DEVICE_PROBES + BUDGET_PROBES


def _check(probe: Probe, reply: Reply) -> None:
    assert reply.status == probe.status, reply.body
    assert dict(probe.reply_headers).items() <= dict(reply.headers).items()
    assert internal_headers(reply) == []
    if probe.method == "HEAD":
        assert reply.body == b""
    elif probe.code:
        body = envelope(reply)
        assert (body["error_code"], _fields(body)) == (probe.code, probe.invalid)
    else:
        assert reply.headers["content-type"] == "application/json"
        body = reply.json()
        assert body["success"] is True
        assert probe.answer in (None, body)


def _fields(body: dict[str, list[dict[str, str]]]) -> str:
    return ",".join(entry["field"] for entry in body.get("validation", []))


class TestProbes:
    """Every row of the table."""

    @pytest.mark.parametrize("probe", _ALL, ids=lambda probe: probe.name[:60])
    def test_over_http1(self, gateway: Gateway, probe: Probe) -> None:
        """Answers over HTTP/1.1 with the status, the code and the form of the table."""
        _check(probe, over_http1(gateway.port, probe))

    @pytest.mark.parametrize(
        "probe", [p for p in _ALL if p.http2], ids=lambda probe: probe.name[:60]
    )
    def test_over_http2(self, gateway: Gateway, probe: Probe) -> None:
        """Answers over HTTP/2 as over HTTP/1.1."""
        _check(probe, over_http2(gateway.port, probe))

    @pytest.mark.parametrize(("name", "sent", "status", "code"), WIRE, ids=[row[0] for row in WIRE])
    def test_on_the_wire(
        self, gateway: Gateway, name: str, sent: bytes | str, status: int, code: str
    ) -> None:
        """Answers requests that no client library writes with the documented envelope."""
        data = sent if isinstance(sent, bytes) else sent.encode("latin-1")
        reply = send_bytes(gateway.port, data)
        found = envelope(reply)["error_code"] if code else ""
        assert (name, reply.status, found) == (name, status, code)
