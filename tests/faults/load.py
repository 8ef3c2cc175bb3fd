"""A steady load on several devices, and what became of each call."""

from __future__ import annotations

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import httpx

from faults.seen import Answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from faults.subject import Subject

WORKERS = 48
LATE_SECONDS = 1.0


@dataclass(frozen=True)
class Call:
    """One call: whose, from when to when, and its answer."""

    user: str
    kind: str
    started: float
    ended: float
    answer: Answer


class Load:
    """Asks everybody in turn, at a fixed rate, pictures, lists and identities by turns."""

    def __init__(self, subjects: Sequence[Subject], rate: float) -> None:
        self.calls: list[Call] = []
        self.late = 0
        self._subjects = subjects
        self._rate = rate
        self._ending = threading.Event()
        self._pool = ThreadPoolExecutor(WORKERS)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        """Starts."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stops, and waits for the answers that are due."""
        self._ending.set()
        self._thread.join()
        self._pool.shutdown()

    def _run(self) -> None:
        turns = itertools.cycle(
            itertools.product(("picture", "contacts", "resolve"), self._subjects)
        )
        begin = time.monotonic()
        for number in itertools.count():
            due = begin + number / self._rate
            if self._ending.wait(max(0.0, due - time.monotonic())):
                return
            if time.monotonic() - due > LATE_SECONDS:
                self.late += 1
            kind, subject = next(turns)
            self._pool.submit(self._call, kind, subject)

    def _call(self, kind: str, subject: Subject) -> None:
        started = time.monotonic()
        try:
            answer: Answer = getattr(subject, kind)()
        except httpx.HTTPError as error:
            answer = Answer(0, type(error).__name__, time.monotonic() - started)
        self.calls.append(Call(subject.user, kind, started, time.monotonic(), answer))
