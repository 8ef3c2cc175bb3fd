"""A line of jobs in front of a thread."""

from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar

import pytest

from wuts.adapters.line import Budget, Line, LineFull

CALL: ContextVar[str] = ContextVar("call", default="")


class Work:
    """Jobs are numbers: notes who does them, fails at 13, and waits before the first one."""

    def __init__(self) -> None:
        self.done: list[tuple[int, str]] = []
        self.threads: set[int] = set()
        self.go_on = threading.Event()

    def __call__(self, job: int, budget: Budget) -> int:
        """Does a job; gives twice the number."""
        assert not budget.spent()
        self.go_on.wait(10)
        self.threads.add(threading.get_ident())
        if job == 13:
            raise ValueError(job)
        self.done.append((job, CALL.get()))
        return 2 * job


@pytest.fixture
def work() -> Work:
    """Work that goes on at once."""
    made = Work()
    made.go_on.set()
    return made


async def ask(line: Line[int], job: int, call: str) -> int:
    """Asks within a call of that name."""
    CALL.set(call)
    return int(await line.ask(job, 5.0))


async def at_rest(line: Line[int]) -> None:
    """Waits until the thread is done: it tells nobody that a caller has gone."""
    async with asyncio.timeout(5):
        while not line.is_idle:
            await asyncio.sleep(0.01)


class TestAsk:
    """Line.ask."""

    async def test_order(self, work: Work) -> None:
        """Jobs are done in the order in which they came, by one thread that is not the loop's."""
        line = Line(work, jobs=100)
        told = await asyncio.gather(*(line.ask(number, 5.0) for number in range(20, 70)))
        assert [2 * number for number in range(20, 70)] == told
        assert list(range(20, 70)) == [job for job, _ in work.done]
        assert (1, False) == (len(work.threads), threading.get_ident() in work.threads)
        line.close(lambda: None)

    async def test_error(self, work: Work) -> None:
        """A job that fails fails its own caller and nobody who waits with it."""
        line = Line(work, jobs=10)
        told = await asyncio.gather(*(line.ask(n, 5.0) for n in (1, 13, 2)), return_exceptions=True)
        assert (2, ValueError, 4) == (told[0], type(told[1]), told[2])
        line.close(lambda: None)

    async def test_context(self, work: Work) -> None:
        """Each job is done in the context of the call that it belongs to."""
        line = Line(work, jobs=10)
        await asyncio.gather(*(asyncio.create_task(ask(line, n, f"call {n}")) for n in (1, 2)))
        assert [(1, "call 1"), (2, "call 2")] == work.done
        line.close(lambda: None)

    async def test_together(self) -> None:
        """Those that wait together are told at once, however many they are."""
        work = Work()
        line = Line(work, jobs=100)
        asked = [asyncio.create_task(line.ask(number, 5.0)) for number in range(20, 70)]
        await asyncio.sleep(0)
        work.go_on.set()
        await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
        told = sum(task.done() for task in asked)
        assert told > 1
        await asyncio.gather(*asked)
        assert line.is_idle
        line.close(lambda: None)

    async def test_nobody_waits_for_those_behind(self) -> None:
        """Who is done is told while the next job, however long, is under way."""
        go_on = threading.Event()

        def wait(job: int, _budget: Budget) -> int:
            assert job == 1 or go_on.wait(10)
            return job

        line = Line(wait, jobs=10)
        short, long = (asyncio.create_task(line.ask(number, 10.0)) for number in (1, 2))
        async with asyncio.timeout(5):
            assert 1 == await short
        assert not long.done()
        go_on.set()
        assert 2 == await long
        line.close(lambda: None)

    async def test_too_late(self) -> None:
        """A caller is told when its time is up; the job counts until the thread is done with it."""
        work = Work()
        line = Line(work, jobs=1)
        with pytest.raises(TimeoutError):
            await line.ask(1, 0.05)
        assert not line.is_idle
        with pytest.raises(LineFull):
            await line.ask(2, 5.0)
        work.go_on.set()
        await at_rest(line)
        assert 6 == await line.ask(3, 5.0)
        line.close(lambda: None)

    async def test_closed(self, work: Work) -> None:
        """Nothing is taken after the end, also where nothing was before."""
        line = Line(work, jobs=10)
        line.close(lambda: None)
        with pytest.raises(LineFull):
            await line.ask(1, 5.0)
        assert line.is_idle

    async def test_close(self, work: Work) -> None:
        """The last thing is done behind the jobs in line, by their thread, which then ends."""
        line = Line(work, jobs=10)
        asked = asyncio.create_task(line.ask(1, 5.0))
        await asyncio.sleep(0)
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()

        def last() -> None:
            work.done.append((0, "last"))
            loop.call_soon_threadsafe(ended.set)

        line.close(last)
        async with asyncio.timeout(5):
            await ended.wait()
        assert (2, [(1, ""), (0, "last")]) == (await asked, work.done)
