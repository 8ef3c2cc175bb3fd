"""Keeps one device's notebook on a thread of its own: no caller waits for a disk."""

from __future__ import annotations

from concurrent.futures import Future
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, TypeVar

import structlog

from wuts.adapters.enquiries.notebook import DiskRefused

if TYPE_CHECKING:
    from wuts.adapters.enquiries.answers import Answer, Key
    from wuts.adapters.enquiries.notebook import Contents, Notebook
    from wuts.adapters.enquiries.standing import Standing

T = TypeVar("T")

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger()

_GATHER_SECONDS = 0.2
# What changes meanwhile is written at once.


class Scribe:
    """Reads once and writes what has changed since; its own calls never block.

    Of each answer only the last change waits to be written, and of no more than
    `bound` answers; further ones are not written. The thread runs while there
    is something to do, and keeps no process from ending.
    """

    def __init__(self, notebook: Notebook, device: str, *, bound: int) -> None:
        self._notebook = notebook
        self._bound = bound
        self._log = _log.bind(device=device)
        self._hurry = Event()
        self._complained = False
        # The rest is shared with the thread, under the lock.
        self._lock = Lock()
        self._is_running = False
        self._is_closed = False
        self._reading: Future[Contents | None] | None = None
        self._is_erasing = False
        self._standing: Standing | None = None
        self._changes: dict[Key, Answer | None] = {}
        self._idle: list[Future[None]] = []

    def read(self) -> Future[Contents | None]:
        """Gives all that is kept; None when it cannot be read."""
        reading: Future[Contents | None] = Future()
        with self._lock:
            self._reading = reading
            self._wake()
        return reading

    def erase(self) -> None:
        """Removes all that is kept, before anything else is written."""
        with self._lock:
            self._is_erasing, self._standing = True, None
            self._changes.clear()
            self._wake()

    def stand(self, standing: Standing) -> None:
        """Writes how the device stands now."""
        with self._lock:
            if not self._is_closed:
                self._standing = standing
                self._wake()

    def change(self, key: Key, answer: Answer | None) -> None:
        """Writes an answer; None: it goes."""
        with self._lock:
            if not self._is_closed and (key in self._changes or len(self._changes) < self._bound):
                self._changes[key] = answer
                self._wake()

    def close(self, *, discard: bool = False) -> Future[None]:
        """Takes no more; done once all is written, or, on request, let go of."""
        idle: Future[None] = Future()
        with self._lock:
            self._is_closed = True
            if discard:
                self._standing, self._is_erasing = None, False
                self._changes.clear()
            self._idle.append(idle)
            self._wake()
        self._hurry.set()
        return idle

    def _wake(self) -> None:
        if not self._is_running:
            self._is_running = True
            Thread(target=self._work, name="answers", daemon=True).start()

    def _work(self) -> None:
        while True:
            with self._lock:
                reading, self._reading = self._reading, None
                if reading is None and not self._has_work():
                    self._is_running = False
                    idle, self._idle = self._idle, []
                    break
            if reading is not None:
                _tell(reading, self._read())
            else:
                self._hurry.wait(_GATHER_SECONDS)
                self._write()
        for each in idle:
            _tell(each, None)

    def _has_work(self) -> bool:
        return self._is_erasing or self._standing is not None or bool(self._changes)

    def _read(self) -> Contents | None:
        try:
            contents = self._notebook.read()
        except DiskRefused as refused:
            self._complain("answers_unreadable", refused)
            return None
        if contents is None:
            self._log.warning("answers_lost", reason="damaged")
        return contents

    def _write(self) -> None:
        with self._lock:
            standing, self._standing = self._standing, None
            changes, self._changes = self._changes, {}
            is_erasing, self._is_erasing = self._is_erasing, False
        try:
            if is_erasing:
                self._notebook.erase()
            if standing is not None or changes:
                self._notebook.write(standing, changes)
        except DiskRefused as refused:
            self._complain("answers_unwritable", refused)
        else:
            self._complained = False

    def _complain(self, what: str, refused: DiskRefused) -> None:
        """Logs once what will go on: the next write may well succeed."""
        if not self._complained:
            self._log.warning(what, reason=str(refused))
        self._complained = True


def _tell(waiting: Future[T], told: T) -> None:
    """Gives a result to whoever still waits for it."""
    if waiting.set_running_or_notify_cancel():
        waiting.set_result(told)
