"""JSON over HTTP/1.1 and HTTP/2: the whole table of probes."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from .exchange import Reply, envelope, internal_headers, over_http1, over_http2, send_bytes
from .table import PROBES, WIRE

if TYPE_CHECKING:
    from .probes import Probe
    from .running import Gateway
    from .wire_probes import Wire


def _check(probe: Probe, reply: Reply) -> None:
    assert reply.status == probe.status, reply.body
    found = {name: reply.headers.get(name) for name in probe.reply_headers}
    assert found == dict(probe.reply_headers)
    assert internal_headers(reply) == []
    if "x-request-id" in reply.headers:
        assert uuid.UUID(reply.headers["x-request-id"])
    if probe.method == "HEAD":
        assert reply.body == b""
    elif probe.code:
        _check_failure(probe, reply)
    else:
        assert reply.headers["content-type"] == probe.media
        body = reply.json()
        assert body["success"] is True
        assert probe.answer in (None, body)


def _check_failure(probe: Probe, reply: Reply) -> None:
    body = envelope(reply)
    entries = body.get("validation", [])
    fields = ",".join(entry["field"] for entry in entries)
    assert (body["error_code"], fields) == (probe.code, probe.invalid)
    if probe.value is not None:
        assert [entry["value"] for entry in entries] == [probe.value]


class TestProbes:
    """Every row of the table."""

    @pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name[:60])
    def test_over_http1(self, gateway: Gateway, probe: Probe) -> None:
        """Answers over HTTP/1.1 with the status, the code and the form of the table."""
        _check(probe, over_http1(gateway.port, probe))

    @pytest.mark.parametrize(
        "probe", [p for p in PROBES if p.http2], ids=lambda probe: probe.name[:60]
    )
    def test_over_http2(self, gateway: Gateway, probe: Probe) -> None:
        """Answers over HTTP/2 as over HTTP/1.1."""
        _check(probe, over_http2(gateway.port, probe))

    @pytest.mark.parametrize("wire", WIRE, ids=lambda wire: wire.name)
    def test_on_the_wire(self, gateway: Gateway, wire: Wire) -> None:
        """Answers requests that no client library writes with the documented envelope."""
        reply = send_bytes(gateway.port, wire.data)
        found = envelope(reply)["error_code"] if wire.code else ""
        assert (reply.status, found) == (wire.status, wire.code)
