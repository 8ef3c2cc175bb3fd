"""Spans, as a collector gets them."""

from __future__ import annotations

import asyncio
import socket
import time
from contextvars import copy_context
from typing import TYPE_CHECKING

import pytest

from collector import collecting
from wuts.adapters.telemetry.traces import OtlpTracer
from wuts.domain.errors import StoreUnavailable, ValidationFailed
from wuts.instruments import Instruments

if TYPE_CHECKING:
    from collections.abc import Callable

    from collector import Span
    from wuts.instruments import Span as Traced

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"
RPC = "ContactsService/ListContacts"
SERVER, CLIENT = 2, 3


def sent(work: Callable[[Instruments], object]) -> dict[str, Span]:
    """Does some work as a call would, and gives the spans that were sent, by name."""
    with collecting() as collector:

        async def run() -> None:
            tracer = OtlpTracer(collector.endpoint)
            copy_context().run(work, Instruments(tracer=tracer))
            await tracer.close()

        asyncio.run(run())
        return {span.name: span for span in collector.spans()}


def refuse(span: Traced) -> None:
    """Fails as a call with a number that is none."""
    span.note("rpc.response.status_code", "INVALID_ARGUMENT")
    span.end_with("VALIDATION_ERROR", failed=False)
    raise ValidationFailed("jid", "is no JID", "5511999999999")


class TestServe:
    """OtlpTracer.serve."""

    def test_continues(self) -> None:
        """The span of a call is part of its caller's trace."""

        def work(instruments: Instruments) -> None:
            with instruments.tracer.serve(RPC, TRACEPARENT):
                pass

        span = sent(work)[RPC]
        assert (TRACE, PARENT, SERVER) == (span.trace, span.parent, span.kind)

    @pytest.mark.parametrize("traceparent", ["", "garbage", "00-0-0-01", f"00-{'0' * 32}-1-01"])
    def test_begins(self, traceparent: str) -> None:
        """Without a caller's span, or with nonsense, a new trace begins."""

        def work(instruments: Instruments) -> None:
            with instruments.tracer.serve(RPC, traceparent):
                pass

        span = sent(work)[RPC]
        assert ("", "wuts") == (span.parent, span.service)
        assert TRACE != span.trace

    def test_unsampled(self) -> None:
        """A caller who does not trace is not traced."""

        def work(instruments: Instruments) -> None:
            with (
                instruments.tracer.serve(RPC, TRACEPARENT[:-1] + "0") as span,
                instruments.question("PICTURE") as question,
            ):
                assert ("", "") == (span.traceparent, question.span.traceparent)

        assert {} == sent(work)

    def test_outcome(self) -> None:
        """A span says how the work went; what it says is no error's text."""

        def work(instruments: Instruments) -> None:
            with pytest.raises(ValidationFailed), instruments.tracer.serve(RPC, "") as span:
                refuse(span)

        span = sent(work)[RPC]
        expected = {
            "rpc.system.name": "grpc",
            "rpc.method": RPC,
            "rpc.response.status_code": "INVALID_ARGUMENT",
            "wuts.outcome": "VALIDATION_ERROR",
        }
        assert (expected, False) == (span.attributes, span.failed)


class TestSteps:
    """Steps of a call."""

    def test_store_read(self) -> None:
        """A read of the store is part of the call."""

        def work(instruments: Instruments) -> None:
            with instruments.tracer.serve(RPC, ""), instruments.store_read("page"):
                pass

        spans = sent(work)
        step = spans["store page"]
        assert (spans[RPC].id, spans[RPC].trace) == (step.parent, step.trace)
        assert (CLIENT, {"wuts.outcome": "OK"}) == (step.kind, step.attributes)

    def test_failed_store_read(self) -> None:
        """A read that failed says why."""

        def work(instruments: Instruments) -> None:
            with (
                pytest.raises(StoreUnavailable),
                instruments.tracer.serve(RPC, ""),
                instruments.store_read("page"),
            ):
                raise StoreUnavailable

        step = sent(work)["store page"]
        assert ({"wuts.outcome": "STORE_UNAVAILABLE"}, True) == (step.attributes, step.failed)

    def test_session_process(self) -> None:
        """What the session process did is told as a service of its own, at its own times."""
        begun = time.time_ns()

        def work(instruments: Instruments) -> None:
            with instruments.tracer.serve(RPC, ""), instruments.question("PICTURE") as question:
                question.span.child("engine picture", begun, begun + 5_000_000, 2_000_000)

        spans = sent(work)
        engine, ask = spans["engine picture"], spans["ask PICTURE"]
        assert ("wuts-session", ask.id, SERVER) == (engine.service, engine.parent, engine.kind)
        assert (begun, begun + 5_000_000) == (engine.begun, engine.ended)
        assert {"wuts.queued_ms": 2.0} == engine.attributes

    def test_traceparent(self) -> None:
        """The session process learns which span its work is part of."""
        found = []

        def work(instruments: Instruments) -> None:
            with (
                instruments.tracer.serve(RPC, TRACEPARENT),
                instruments.question("PICTURE") as question,
            ):
                found.append(question.span.traceparent)

        spans = sent(work)
        assert [f"00-{TRACE}-{spans['ask PICTURE'].id}-01"] == found

    def test_of_no_call(self) -> None:
        """Work that belongs to no call is not traced."""

        def work(instruments: Instruments) -> None:
            with instruments.store_read("stamp"):
                pass

        assert {} == sent(work)


class TestClose:
    """OtlpTracer.close."""

    async def test_no_collector(self) -> None:
        """A collector that is not there holds the end up for seconds at most."""
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            tracer = OtlpTracer(f"http://127.0.0.1:{closed.getsockname()[1]}")
            with tracer.serve(RPC, ""):
                pass
            begun = time.monotonic()
            await tracer.close()
        assert time.monotonic() - begun < 5
