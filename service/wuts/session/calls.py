"""Runs calls of the engine on a fixed number of threads."""

from __future__ import annotations

import logging
import queue
import threading
import time
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from wuts.session.framing import FramingError
from wuts.session.gate import Admits
from wuts.session.v1 import session_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wuts.session.engine import Engine
    from wuts.session.gate import Gate

_LOG = logging.getLogger(__name__)

THREADS = 16
"""As many as the service has calls under way; one may be busy for 75 seconds."""

_QUEUE_LENGTH = 64

_QUESTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **{name: name for name in ("picture", "roster", "numbers")},
        **{name: name for name in ("user_info", "blocklist", "block")},
        "pair_phone": "pair_code",
    }
)
"""The calls of a Request that are questions, and the methods of Questions that answer them."""


class Calls:
    """Answers requests, in parallel and in any order.

    The threads end with the process only: a call in Go cannot be cancelled.
    """

    def __init__(self, engine: Engine, gate: Gate, tell: Callable[[pb.Event], None]) -> None:
        self._engine = engine
        self._gate = gate
        self._tell = tell
        self._queue: queue.Queue[tuple[pb.Request, int]] = queue.Queue(_QUEUE_LENGTH)

    def start(self) -> None:
        """Starts the threads."""
        for number in range(THREADS):
            threading.Thread(target=self._work, name=f"call-{number}", daemon=True).start()

    def submit(self, request: pb.Request) -> None:
        """Takes a request; one too many is answered with RATE_LIMITED at once."""
        try:
            self._queue.put_nowait((request, time.time_ns()))
        except queue.Full:
            self._reply(request, _failed(pb.FAILURE_KIND_RATE_LIMITED))

    def _work(self) -> None:
        while True:
            request, received = self._queue.get()
            begun = time.time_ns()
            reply = self._answer(request)
            if request.traceparent:
                # The service tells of it for us: this process reaches WhatsApp and nothing
                # else, and may end without a chance to send what it has collected.
                timing = pb.Timing(received=received, begun=begun, ended=time.time_ns())
                reply.timing.CopyFrom(timing)
            self._reply(request, reply)
            if reply.HasField("logged_out"):
                # Also told to a service whose caller has gone meanwhile.
                self._engine.note_logged_out()

    def _answer(self, request: pb.Request) -> pb.Reply:
        pairs = request.WhichOneof("call") == "pair_phone"
        with self._gate.passage(Admits.PAIRING if pairs else Admits.CALLS) as admitted:
            if not admitted:
                return _failed(pb.FAILURE_KIND_NOT_CONNECTED)
            try:
                return self._ask(request)
            except Exception:  # noqa: BLE001 # a caller waits for every reply
                _LOG.exception("call failed")
                return _failed(pb.FAILURE_KIND_UNSPECIFIED)

    def _ask(self, request: pb.Request) -> pb.Reply:
        call = request.WhichOneof("call") or ""
        if call == "logout":
            return self._engine.logout()
        question = _QUESTIONS.get(call)
        if question is None:
            return _failed(pb.FAILURE_KIND_UNSPECIFIED)
        reply: pb.Reply = getattr(self._engine.questions, question)(getattr(request, call))
        return reply

    def _reply(self, request: pb.Request, reply: pb.Reply) -> None:
        reply.id = request.id
        try:
            self._tell(pb.Event(reply=reply))
        except FramingError:
            failed = _failed(pb.FAILURE_KIND_MALFORMED_ANSWER)
            failed.id = request.id
            self._tell(pb.Event(reply=failed))


def _failed(kind: pb.FailureKind.ValueType) -> pb.Reply:
    return pb.Reply(failure=pb.Failure(kind=kind))
