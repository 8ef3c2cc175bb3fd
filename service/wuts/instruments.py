"""What the rooms tell of their work: measurements and spans; by default nobody listens.

Nothing that is told may name a person, a number, a token or a device: a query
class, a job, an outcome and seconds are all there is.
"""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Protocol, Self

from wuts.domain.errors import DomainError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from types import TracebackType

OK, CANCELLED, FAULT = "OK", "CANCELLED", "FAULT"
"""Outcomes beside the names of errors: done, given up by the caller, a fault of ours."""


class Metrics(Protocol):
    """Counts and measures; every text comes from a closed list, and seconds are seconds."""

    def call_ended(self, rpc: str, code: str, reason: str, seconds: float | None) -> None:
        """Notes a served call: gRPC's code, our reason (empty for OK), and how long it took.

        A stream, which lasts for as long as its caller likes, has no seconds.
        """
        ...

    def list_answered(self, answer: str) -> None:
        """Notes how a contact list was answered: "read", "unchanged" or "unchanged_after_read"."""
        ...

    def store_read(self, job: str, outcome: str, seconds: float) -> None:
        """Notes one read of a device's store, waiting in line included."""
        ...

    def asked(self, query: str, outcome: str, seconds: float) -> None:
        """Notes one question to WhatsApp."""
        ...

    def recalled(self, query: str, outcome: str, number: int = 1) -> None:
        """Notes whether so many questions could be answered without asking.

        "hit": remembered; "joined": a question under way was shared; "miss":
        WhatsApp is asked; "refused": the device may not ask now, by its own
        budget or by WhatsApp's word.
        """
        ...

    def compared(self, outcome: str, seconds: float) -> None:
        """Notes a comparison of a contact list: "same", "changed" or "failed"."""
        ...


class Span(Protocol):
    """A stretch of work that is being done."""

    @property
    def traceparent(self) -> str:
        """Names the span to another process, as the W3C has it; empty: nobody listens."""
        ...

    def end_with(self, outcome: str, *, failed: bool) -> None:
        """Notes how the work went, and whether that is a failure."""
        ...

    def note(self, name: str, value: str | int) -> None:
        """Notes a fact that names nobody."""
        ...

    def child(self, name: str, begun: int, ended: int, queued: int) -> None:
        """Notes what another process did for it.

        `begun` and `ended` are times of day in Unix nanoseconds, `queued` the
        nanoseconds that the work waited there.
        """
        ...


class Tracer(Protocol):
    """Keeps spans; a span that begins inside another one is part of it."""

    def serve(self, rpc: str, traceparent: str) -> AbstractContextManager[Span]:
        """Begins the span of a call; `traceparent` is what its caller sent, if anything."""
        ...

    def step(self, name: str) -> AbstractContextManager[Span]:
        """Begins the span of a step of that work, which another part does."""
        ...


class NoMetrics:
    """Metrics that nobody reads."""

    def call_ended(self, rpc: str, code: str, reason: str, seconds: float | None) -> None:
        """Forgets it."""

    def list_answered(self, answer: str) -> None:
        """Forgets it."""

    def store_read(self, job: str, outcome: str, seconds: float) -> None:
        """Forgets it."""

    def asked(self, query: str, outcome: str, seconds: float) -> None:
        """Forgets it."""

    def recalled(self, query: str, outcome: str, number: int = 1) -> None:
        """Forgets it."""

    def compared(self, outcome: str, seconds: float) -> None:
        """Forgets it."""


class NoTracer:
    """A tracer that nobody listens to; the same span serves all."""

    def serve(self, rpc: str, traceparent: str) -> _NoSpan:  # noqa: ARG002 # of the port
        """Gives the span that is none."""
        return _NO_SPAN

    def step(self, name: str) -> _NoSpan:  # noqa: ARG002 # of the port
        """Gives the span that is none."""
        return _NO_SPAN


class _NoSpan:
    traceparent = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Lets everything pass."""

    def end_with(self, outcome: str, *, failed: bool) -> None:
        """Forgets it."""

    def note(self, name: str, value: str | int) -> None:
        """Forgets it."""

    def child(self, name: str, begun: int, ended: int, queued: int) -> None:
        """Forgets it."""


_NO_SPAN = _NoSpan()


class Question:
    """A question to WhatsApp that is being asked; `end_with` says how it went."""

    def __init__(self, span: Span) -> None:
        self.span = span
        self.outcome = OK

    def end_with(self, outcome: str) -> None:
        """Notes how it went, where no error tells."""
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class Instruments:
    """The metrics and the tracer of a service; one object for all rooms."""

    metrics: Metrics = field(default_factory=NoMetrics)
    tracer: Tracer = field(default_factory=NoTracer)

    @contextmanager
    def store_read(self, job: str) -> Iterator[None]:
        """Measures a read of a store."""
        begun, outcome = time.perf_counter(), OK
        with self.tracer.step(f"store {job}") as span:
            try:
                yield
            except BaseException as error:
                outcome = outcome_of(error)
                raise
            finally:
                span.end_with(outcome, failed=outcome != OK)
                self.metrics.store_read(job, outcome, time.perf_counter() - begun)

    @contextmanager
    def question(self, query: str) -> Iterator[Question]:
        """Measures a question to WhatsApp."""
        begun = time.perf_counter()
        with self.tracer.step(f"ask {query}") as span:
            question = Question(span)
            try:
                yield question
            except BaseException as error:
                question.end_with(outcome_of(error))
                raise
            finally:
                span.end_with(question.outcome, failed=question.outcome != OK)
                self.metrics.asked(query, question.outcome, time.perf_counter() - begun)


SILENT = Instruments()
"""The default everywhere: nobody listens."""


def outcome_of(error: BaseException) -> str:
    """Names the outcome that an error makes: its own name, if it is one of the domain's."""
    if isinstance(error, DomainError):
        return _spelt(type(error).__name__)
    return FAULT if isinstance(error, Exception) else CANCELLED


@cache
def _spelt(name: str) -> str:
    return re.sub("(?<=[a-z])(?=[A-Z])", "_", name).upper()
