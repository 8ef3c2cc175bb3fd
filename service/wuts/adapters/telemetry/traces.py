"""Spans, sent to an OpenTelemetry collector."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import requests
from opentelemetry import context as current
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from wuts import __version__
from wuts.instruments import NoTracer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from wuts.instruments import Span

_PATH = "/v1/traces"
_EXPORT_SECONDS = 5.0
_CLOSE_SECONDS = 3.0
_QUEUE, _BATCH, _PAUSE_MS = 2048, 512, 2000
# Spans beyond the queue are dropped: a collector that is down costs nobody anything.

_PROPAGATOR = TraceContextTextMapPropagator()
_NOWHERE = NoTracer()


class OtlpTracer:
    """Answers the port Tracer.

    `endpoint` is a collector's base address. Exceptions are never recorded:
    their texts may hold a number. What session processes did is told on their
    behalf, under a service name of their own.
    """

    def __init__(self, endpoint: str) -> None:
        session = requests.Session()
        # The environment's proxy is the engine's way to WhatsApp.
        session.trust_env = False
        exporter = OTLPSpanExporter(
            endpoint=endpoint.rstrip("/") + _PATH, session=session, timeout=_EXPORT_SECONDS
        )
        self._processor = BatchSpanProcessor(
            exporter,
            max_queue_size=_QUEUE,
            max_export_batch_size=_BATCH,
            schedule_delay_millis=_PAUSE_MS,
        )
        self._service = self._tracer("wuts")
        self._session = self._tracer("wuts-session")

    @contextmanager
    def serve(self, rpc: str, traceparent: str) -> Iterator[Span]:
        """Begins the span of a call, and makes it the one that steps belong to.

        Of the caller's context only the parent counts: other entries could hold
        anything.
        """
        parent = _PROPAGATOR.extract({"traceparent": traceparent}, Context())
        span = self._service.start_span(
            rpc, parent, trace.SpanKind.SERVER, {"rpc.system.name": "grpc", "rpc.method": rpc}
        )
        # Not taken back: every call has a context of its own, which ends with it, and a
        # stream may be closed from another one.
        current.attach(trace.set_span_in_context(span))
        try:
            yield _Span(span, self._session)
        finally:
            span.end()

    def step(self, name: str) -> AbstractContextManager[Span]:
        """Begins the span of a step; work that belongs to no call has none."""
        if not trace.get_current_span().is_recording():
            return _NOWHERE.step(name)
        return self._step(name)

    async def close(self) -> None:
        """Sends what is left, and waits a little for that."""
        # A thread of its own, which the end of the process does not wait for.
        closing = threading.Thread(target=self._processor.shutdown, daemon=True)
        closing.start()
        await asyncio.to_thread(closing.join, _CLOSE_SECONDS)

    @contextmanager
    def _step(self, name: str) -> Iterator[Span]:
        span = self._service.start_span(name, kind=trace.SpanKind.CLIENT)
        try:
            yield _Span(span, self._session)
        finally:
            span.end()

    def _tracer(self, service: str) -> trace.Tracer:
        resource = Resource({"service.name": service, "service.version": __version__})
        provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        provider.add_span_processor(self._processor)
        return provider.get_tracer("wuts", __version__)


class _Span:
    """Answers the port Span."""

    def __init__(self, span: trace.Span, session: trace.Tracer) -> None:
        self._span = span
        self._session = session

    @property
    def traceparent(self) -> str:
        """Names the span, where it is kept."""
        if not self._span.is_recording():
            return ""
        carrier: dict[str, str] = {}
        _PROPAGATOR.inject(carrier, trace.set_span_in_context(self._span))
        return carrier["traceparent"]

    def end_with(self, outcome: str, *, failed: bool) -> None:
        """Notes how it went."""
        self._span.set_attribute("wuts.outcome", outcome)
        if failed:
            self._span.set_status(trace.StatusCode.ERROR)

    def note(self, name: str, value: str | int) -> None:
        """Notes a fact."""
        self._span.set_attribute(name, value)

    def child(self, name: str, begun: int, ended: int, queued: int) -> None:
        """Tells what a session process did."""
        span = self._session.start_span(
            name,
            trace.set_span_in_context(self._span),
            trace.SpanKind.SERVER,
            {"wuts.queued_ms": queued / 1e6},
            start_time=begun,
        )
        span.end(ended)
