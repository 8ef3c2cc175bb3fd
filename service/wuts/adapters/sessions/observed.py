"""Questions to WhatsApp as others see them: how many, how they went, how long they took."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from wuts.domain.enquiry import QueryClass
from wuts.instruments import OK
from wuts.session.v1 import session_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wuts.instruments import Instruments, Question

_CLASSES: Final = {
    "picture": QueryClass.PICTURE,
    "roster": QueryClass.GROUP_INFO,
    "numbers": QueryClass.NUMBER_CHECK,
}
"""Questions that belong to a class; any other goes by its own name."""

_KIND = "FAILURE_KIND_"


@contextmanager
def observed(instruments: Instruments, request: pb.Request) -> Iterator[Question]:
    """Observes a question; the request then says what it belongs to.

    `told` must be called with the reply, if one comes.
    """
    name = request.WhichOneof("call") or "unknown"
    with instruments.question(str(_CLASSES.get(name, name.upper()))) as question:
        request.traceparent = question.span.traceparent
        yield question


def told(question: Question, request: pb.Request, reply: pb.Reply) -> pb.Reply:
    """Notes how the question went, and what the process says of its own part in it."""
    if reply.WhichOneof("outcome") == "failure":
        question.end_with(pb.FailureKind.Name(reply.failure.kind).removeprefix(_KIND))
    else:
        question.end_with(OK)
    if reply.HasField("timing"):
        timing, name = reply.timing, request.WhichOneof("call")
        queued = timing.begun - timing.received
        question.span.child(f"engine {name}", timing.begun, timing.ended, queued)
    return reply
