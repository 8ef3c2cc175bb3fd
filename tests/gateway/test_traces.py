"""Spans: none unless asked for, and nothing of the caller's in them."""

from __future__ import annotations

import json
import queue
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from fakes import MARIA

from . import world
from .exchange import over_http1
from .odd_service import running_odd_service
from .probes import Probe, picture, resolve
from .running import Gateway, changed_config, running_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_OWN = "CALLER"  # in every text that a caller chooses
_TRACE = "0af7651916cd43dd8448eb211c80319c"
_PATIENCE = 20.0  # seconds
_RUNTIME = "{tracing.opentelemetry.min_flush_spans: 1}"
# Otherwise Envoy waits for five spans, or five seconds.
_AT_ONCE = ("node:", f"layered_runtime: {{layers: [{{name: x, static_layer: {_RUNTIME}}}]}}\nnode:")


class _Collector(ThreadingHTTPServer):
    """Takes what Envoy sends."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.bodies: queue.Queue[tuple[str, bytes]] = queue.Queue()


class _Handler(BaseHTTPRequestHandler):
    server: _Collector

    def do_POST(self) -> None:
        """Keeps the body."""
        self.server.bodies.put((self.path, b"".join(self._chunks())))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def _chunks(self) -> Iterator[bytes]:
        while length := int(self.rfile.readline(), 16):
            yield self.rfile.read(length)
            self.rfile.readline()
        self.rfile.readline()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's
        """Says nothing."""


@contextmanager
def _running_collector() -> Iterator[_Collector]:
    with _Collector() as collector:
        thread = threading.Thread(target=collector.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield collector
        finally:
            collector.shutdown()
            thread.join()


def _spans(collector: _Collector, *names: str) -> bytes:
    """Collects spans until all of these are there."""
    found = b""
    while any(name.encode() not in found for name in names):
        path, body = collector.bodies.get(timeout=_PATIENCE)
        assert path == "/v1/traces"
        found += body
    return found


class TestTraces:
    """What a collector hears."""

    def test_no_personal_data(self, service_port: int, folder: Path) -> None:
        """Hears of calls, times and routes, of nothing that a caller wrote."""
        own = (
            *(("authorization", world.DEMO), ("user-agent", _OWN), ("referer", _OWN)),
            *(("x-request-id", _OWN), ("tracestate", f"a={_OWN}"), ("baggage", f"a={_OWN}")),
            *(("x-forwarded-for", _OWN), ("origin", _OWN), ("cookie", _OWN), ("host", _OWN)),
        )
        probes = [
            picture("found", f"number={MARIA}"),
            picture("refused", f"number={MARIA}&{_OWN}={_OWN}"),
            picture("failed", f"jid={world.FAULTY}&existing_id={_OWN}"),
            resolve("taken", f'{{"jids": ["{MARIA}"], "group_jid": "{_OWN}"}}'),
            Probe("nowhere", f"/{_OWN}?{_OWN}={MARIA}"),
        ]
        with _running_collector() as collector, self._traced(service_port, folder, collector) as g:
            for probe in probes:
                over_http1(g.port, Probe("", probe.target, 0, "", probe.method, own, probe.body))
            spans = _spans(collector, "get-profile-picture", "resolve-identifiers")
        secrets = (_OWN, MARIA, world.DEMO, world.FAULTY.split("@")[0])
        assert [secret for secret in secrets if secret.encode() in spans] == []

    def test_a_callers_trace(self, folder: Path) -> None:
        """A caller's trace goes on at the collector and at the service."""
        parent = (("authorization", world.DEMO), ("traceparent", f"00-{_TRACE}-{'1' * 16}-01"))
        with (
            running_odd_service() as port,
            _running_collector() as collector,
            self._traced(port, folder, collector) as gateway,
        ):
            reply = over_http1(gateway.port, Probe("", "/contacts", headers=parent))
            spans = _spans(collector, "list-contacts")
        _, trace, span, _ = json.loads(reply.json()["next_page_token"])["traceparent"].split("-")
        assert (trace, span != "1" * 16) == (_TRACE, True)
        assert bytes.fromhex(_TRACE) in spans

    def test_a_new_trace(self, folder: Path) -> None:
        """Without one of the caller's the gateway begins a trace."""
        with (
            running_odd_service() as port,
            _running_collector() as collector,
            self._traced(port, folder, collector) as gateway,
        ):
            reply = over_http1(gateway.port, Probe("", "/contacts"))
        assert "traceparent" in json.loads(reply.json()["next_page_token"])

    def test_no_collector(self, folder: Path) -> None:
        """Serves although nobody listens for spans."""
        with (
            running_odd_service() as port,
            running_gateway(port, folder, "--otlp-endpoint", "http://127.0.0.1:9") as gateway,
        ):
            assert over_http1(gateway.port, Probe("", "/contacts")).status == 200

    @staticmethod
    @contextmanager
    def _traced(port: int, folder: Path, collector: _Collector) -> Iterator[Gateway]:
        options = ("--otlp-endpoint", f"http://127.0.0.1:{collector.server_port}")
        config = changed_config(folder, _AT_ONCE)
        with running_gateway(port, folder, *options, config=config) as gateway:
            yield gateway
