"""A line of jobs in front of one thread, which takes all that wait at a time."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import suppress
from contextvars import copy_context
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

J = TypeVar("J")

_SWEEP_SECONDS = 0.001
# How long somebody who is done may wait for those behind: not for a job that takes long.


class LineFull(Exception):  # named after the situation
    """As many jobs wait already as may."""


class NoThread(Exception):  # named after the situation
    """The system gives no thread to the line now."""


class Budget:
    """How long a job may run on; its caller may end it early."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def spent(self) -> bool:
        """Tells whether the time is up; on any thread."""
        return time.monotonic() >= self._end

    def withdraw(self) -> None:
        """Ends it."""
        self._end = 0.0


class Line(Generic[J]):
    """Has jobs done on a thread of its own, one after another, for one event loop.

    Waking a thread and telling the loop cost more than a short job does, so jobs that
    wait together share both. `work` does one job; no more than `jobs` wait or run.
    """

    def __init__(self, work: Callable[[J, Budget], object], *, jobs: int) -> None:
        self._work = work
        self._jobs = jobs
        self._unfinished = 0
        self._is_sweeping = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queue: SimpleQueue[_Waiting[J] | Callable[[], None]] = SimpleQueue()
        self._finished: deque[_Waiting[J]] = deque()

    @property
    def is_idle(self) -> bool:
        """Tells whether no job is waiting or running."""
        return not self._unfinished

    async def ask(self, job: J, seconds: float) -> Any:  # noqa: ANN401 # whatever the job gives
        """Gives the outcome of a job, an error of its own included.

        Raises TimeoutError when that takes too long, waiting included; at once LineFull, and
        NoThread. A job whose caller is gone counts until the thread is done with it.
        """
        if self._unfinished >= self._jobs:
            raise LineFull
        loop = self._loop or self._begin()
        waiting = _Waiting(job, Budget(seconds), loop.create_future())
        self._unfinished += 1
        self._queue.put(waiting)
        if not self._is_sweeping:
            self._sweep_later(loop)
        timer = loop.call_later(seconds, waiting.give_up)
        try:
            return await waiting.answer
        finally:
            timer.cancel()
            waiting.budget.withdraw()

    def close(self, last: Callable[[], None]) -> None:
        """Does something last behind the jobs in line, and ends the thread; takes no more jobs."""
        self._jobs = 0
        if self._loop is not None:
            self._queue.put(last)

    def _begin(self) -> asyncio.AbstractEventLoop:
        loop = asyncio.get_running_loop()
        # A daemon: a disk that hangs must not keep the service from ending.
        thread = Thread(target=self._serve_all, args=(loop,), name="store", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            raise NoThread from None
        self._loop = loop
        return loop

    def _tell_finished(self) -> None:
        while self._finished:
            self._unfinished -= 1
            self._finished.popleft().tell()

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        """Tells those who are done while the thread has gone on to the next job."""
        self._tell_finished()
        self._sweep_later(loop)

    def _sweep_later(self, loop: asyncio.AbstractEventLoop) -> None:
        self._is_sweeping = self._unfinished > 1
        if self._is_sweeping:
            loop.call_later(_SWEEP_SECONDS, self._sweep, loop)

    # From here on: on the thread.

    def _serve_all(self, loop: asyncio.AbstractEventLoop) -> None:
        while isinstance(waiting := self._queue.get(), _Waiting):
            waiting.do(self._work)
            self._finished.append(waiting)
            if self._queue.empty():
                self._wake(loop)
        self._wake(loop)
        waiting()

    def _wake(self, loop: asyncio.AbstractEventLoop) -> None:
        # Without its loop nobody waits any more.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(self._tell_finished)


class _Waiting(Generic[J]):
    """A job in line, and what has come of it."""

    def __init__(self, job: J, budget: Budget, answer: asyncio.Future[object]) -> None:
        self.job = job
        self.budget = budget
        self.answer = answer
        # It says whose call this is, should anything be logged.
        self._context = copy_context()
        self._result: object = None
        self._error: Exception | None = None

    def do(self, work: Callable[[J, Budget], object]) -> None:
        """Does the job, on the thread."""
        self._context.run(self._do, work)

    def _do(self, work: Callable[[J, Budget], object]) -> None:
        try:
            self._result = work(self.job, self.budget)
        except Exception as error:  # noqa: BLE001 # whatever it is, it belongs to the caller
            self._error = error

    def tell(self) -> None:
        """Gives the outcome to the caller, if it still waits."""
        if self.answer.done():
            return
        if self._error is None:
            self.answer.set_result(self._result)
        else:
            self.answer.set_exception(self._error)

    def give_up(self) -> None:
        if not self.answer.done():
            self.answer.set_exception(TimeoutError())
