"""What is seen of a fault: by callers, by watchers, and on disk."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandboxes import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from faults.seen import Answer, Watch
    from faults.subject import Subject

BACK = 30.0
UNTIL = 90.0


@dataclass
class Observed:
    """The answers, the states and the times of one fault."""

    answers: list[Answer] = field(default_factory=list)
    """Of calls that need the connection, from the cause to the recovery."""
    offline: list[Answer] = field(default_factory=list)
    """Of calls that need the store only, in the same time."""
    states: list[str] = field(default_factory=list)
    """Each state with its reason, after the one before the fault."""
    status: dict[str, Any] = field(default_factory=dict)
    """What GET /status told while the fault lasted."""
    recovery: float | None = None
    """Seconds from the end of the cause to the first good answer; None: not by itself."""
    keys: str = "kept"
    """What became of the device's keys: kept, gone or changed."""
    is_complete: bool = False
    """Whether the store holds every contact after the recovery."""
    asked: str = ""
    """What a person had to do for the recovery."""
    notes: dict[str, Any] = field(default_factory=dict)
    """Whatever else this one fault shows."""

    @property
    def failures(self) -> list[Answer]:
        """The answers that were errors."""
        return [answer for answer in self.answers if not answer.is_good]

    @property
    def codes(self) -> set[tuple[int, str]]:
        """Status and code of all errors."""
        return {(answer.status, answer.code) for answer in self.failures}

    @property
    def slowest(self) -> float:
        """The seconds that the slowest answer took."""
        return max((answer.seconds for answer in self.answers), default=0.0)

    @property
    def is_readable(self) -> bool:
        """Whether the store answered throughout."""
        return all(answer.is_good for answer in self.offline)

    def ask(self, subject: Subject) -> bool:
        """Asks over the connection and past it; tells whether the connection is there."""
        self.offline.append(subject.resolve())
        for call in (subject.picture, subject.contacts):
            self.answers.append(call())
            if not self.answers[-1].is_good:
                return False
        return True

    def compare(self, before: str, after: str) -> None:
        """Notes what became of the keys."""
        self.keys = "kept" if before == after else "changed" if after else "gone"


def strike(
    subject: Subject,
    cause: Callable[[], object],
    *,
    until: Callable[[Watch], object] | None = None,
    lift: Callable[[], object] | None = None,
    back: float = BACK,
    asked: str = "",
) -> Observed:
    """Causes a fault, asks on and on until it has shown, lifts it, asks until all is well.

    `back` bounds the time from there; 0 says that the device does not come back.
    `asked` says what the lifting asks of a person.
    """
    observed, before = Observed(asked=asked), subject.keys()
    with subject.watched() as watch:
        cause()
        started = time.monotonic()
        if until is not None:
            _ask_until(subject, observed, lambda: until(watch))
            observed.status = subject.status()
        if lift is not None:
            started = time.monotonic()
            lift()
        if back:
            wait_for(lambda: observed.ask(subject), back, f"the recovery of {subject.user}")
            observed.recovery = time.monotonic() - started
            wait_for(lambda: watch.words[-1] == "CONNECTED", back, "the state CONNECTED")
            observed.is_complete = subject.is_synced()
        observed.compare(before, subject.keys())
        observed.states = watch.words[1:]
    return observed


def _ask_until(subject: Subject, observed: Observed, shown: Callable[[], object]) -> None:
    deadline = time.monotonic() + UNTIL
    while not shown():
        assert time.monotonic() < deadline, f"nothing was seen of the fault: {observed.states}"
        observed.ask(subject)
    observed.ask(subject)


def lasting(seconds: float) -> Callable[[Watch], bool]:
    """A condition that holds once so much time has passed since now."""
    end = time.monotonic() + seconds
    return lambda _: time.monotonic() >= end


def entered(*words: str) -> Callable[[Watch], bool]:
    """A condition that holds once a state, or a state with its reason, was entered."""
    return lambda watch: any(watch.has(word) for word in words)
