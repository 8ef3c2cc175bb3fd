"""Questions to WhatsApp as others see them."""

from __future__ import annotations

import queue
import time
from typing import TYPE_CHECKING, Any, Self, cast

import pytest
import structlog

from session.harness import A, watching
from wuts.adapters.sessions import observed
from wuts.domain.errors import DeviceNotReady
from wuts.domain.state import DeviceState
from wuts.instruments import Instruments, NoMetrics, NoTracer
from wuts.session.calls import Calls
from wuts.session.gate import Admits, Gate
from wuts.session.v1 import session_pb2 as pb

if TYPE_CHECKING:
    from pathlib import Path

    from wuts.session.engine import Engine

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
PICTURE = pb.PictureRequest(user="5511999999999", server="s.whatsapp.net")
LIMIT_SECONDS = 5


class Noted(NoMetrics, NoTracer):
    """Notes questions, and is its own only span."""

    traceparent = TRACEPARENT

    def __init__(self) -> None:
        self.questions: list[tuple[str, str]] = []
        self.steps: list[str] = []
        self.ends: list[tuple[str, bool]] = []
        self.children: list[tuple[str, int, int, int]] = []

    def asked(self, query: str, outcome: str, seconds: float) -> None:
        """Notes a question."""
        self.questions.append((query, outcome))

    def step(self, name: str) -> Any:
        """Notes a span."""
        self.steps.append(name)
        return self

    def __enter__(self) -> Self:
        """Begins the span."""
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the span."""

    def note(self, name: str, value: str | int) -> None:
        """Nothing is noted of observed."""

    def end_with(self, outcome: str, *, failed: bool) -> None:
        """Notes the end of the span."""
        self.ends.append((outcome, failed))

    def child(self, name: str, begun: int, ended: int, queued: int) -> None:
        """Notes what the process did."""
        self.children.append((name, begun, ended, queued))


@pytest.fixture
def noted() -> Noted:
    """What is told."""
    return Noted()


def ask(noted: Noted, request: pb.Request, reply: pb.Reply) -> None:
    """Asks, and has that reply."""
    with observed.observed(Instruments(noted, noted), request) as question:
        assert reply is observed.told(question, request, reply)


class TestQuestions:
    """observed.observed and observed.told."""

    @pytest.mark.parametrize(
        ("request_", "query"),
        [
            (pb.Request(picture=PICTURE), "PICTURE"),
            (pb.Request(roster=pb.RosterRequest()), "GROUP_INFO"),
            (pb.Request(numbers=pb.NumbersRequest()), "NUMBER_CHECK"),
            (pb.Request(logout=pb.LogoutRequest()), "LOGOUT"),
            (pb.Request(pair_phone=pb.PairPhoneRequest()), "PAIR_PHONE"),
        ],
    )
    def test_classes(self, noted: Noted, request_: pb.Request, query: str) -> None:
        """A question goes by its class, or by its own name where it has none."""
        ask(noted, request_, pb.Reply(unchanged=pb.Unchanged()))
        assert ([(query, "OK")], [f"ask {query}"]) == (noted.questions, noted.steps)

    @pytest.mark.parametrize("kind", pb.FailureKind.values())
    def test_failures(self, noted: Noted, kind: pb.FailureKind.ValueType) -> None:
        """A failure goes by its kind."""
        ask(noted, pb.Request(picture=PICTURE), pb.Reply(failure=pb.Failure(kind=kind)))
        outcome = pb.FailureKind.Name(kind).removeprefix("FAILURE_KIND_")
        assert ([("PICTURE", outcome)], [(outcome, True)]) == (noted.questions, noted.ends)

    def test_errors(self, noted: Noted) -> None:
        """A question that could not be asked goes by the situation."""
        request = pb.Request(picture=PICTURE)
        with (
            pytest.raises(DeviceNotReady),
            observed.observed(Instruments(noted, noted), request),
        ):
            raise DeviceNotReady(DeviceState.NEW)
        assert [("PICTURE", "DEVICE_NOT_READY")] == noted.questions

    def test_traceparent(self, noted: Noted) -> None:
        """The process is told which span its work belongs to."""
        request = pb.Request(picture=PICTURE)
        ask(noted, request, pb.Reply())
        assert TRACEPARENT == request.traceparent

    def test_timing(self, noted: Noted) -> None:
        """What the process says of its times becomes a span on its behalf."""
        timing = pb.Timing(received=10, begun=13, ended=20)
        ask(noted, pb.Request(picture=PICTURE), pb.Reply(timing=timing))
        assert [("engine picture", 13, 20, 3)] == noted.children

    def test_nobody_listens(self) -> None:
        """Without a tracer the process is asked for no times."""
        request = pb.Request(picture=PICTURE)
        with observed.observed(Instruments(), request) as question:
            observed.told(question, request, pb.Reply(timing=pb.Timing()))
        assert "" == request.traceparent


class AnsweringEngine:
    """An engine that has a picture for everybody."""

    def picture(self, _: pb.PictureRequest) -> pb.Reply:
        """Gives it."""
        return pb.Reply(unchanged=pb.Unchanged())


class TestTiming:
    """Calls of the session process tell their times."""

    @pytest.mark.parametrize("traceparent", ["", TRACEPARENT])
    def test_told(self, traceparent: str) -> None:
        """Only a call that somebody traces has a timing, and its times are in order."""
        told: queue.Queue[pb.Event] = queue.Queue()
        gate = Gate()
        gate.admit(Admits.CALLS)
        calls = Calls(cast("Engine", AnsweringEngine()), gate, told.put)
        calls.start()
        before = time.time_ns()
        calls.submit(pb.Request(id=1, picture=PICTURE, traceparent=traceparent))
        reply = told.get(timeout=LIMIT_SECONDS).reply
        assert bool(traceparent) == reply.HasField("timing")
        if traceparent:
            timing = reply.timing
            times = [before, timing.received, timing.begun, timing.ended, time.time_ns()]
            assert sorted(times) == times


class TestContext:
    """Work that outlives the call that began it."""

    async def test_is_not_the_calls(self, tmp_path: Path) -> None:
        """What a process does later is not said to be of the call that started it."""
        merge = structlog.contextvars.merge_contextvars
        with structlog.testing.capture_logs(processors=[merge]) as lines:
            async with watching(tmp_path) as watch:
                with structlog.contextvars.bound_contextvars(request_id="of-a-call"):
                    await watch.sessions.connect(A)
                assert await watch.reaches(DeviceState.CONNECTED)
        states = {line.get("state"): line.get("request_id") for line in lines}
        assert (True, None) == ("CONNECTED" in states, states.get("CONNECTED"))
