"""Tests of the supervision's small parts."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from wuts.adapters.sessions import answers
from wuts.adapters.sessions.calls import CallTable
from wuts.adapters.sessions.environment import ALLOWED, child_environment
from wuts.adapters.sessions.limits import Limits
from wuts.adapters.sessions.output import Lines, Output, PrivateLog, Sign
from wuts.adapters.sessions.restarts import Restarts
from wuts.domain.errors import Busy, DeviceNotReady, RateLimited
from wuts.domain.state import DeviceState
from wuts.session.v1 import session_pb2 as pb

if TYPE_CHECKING:
    from pathlib import Path

LIMITS = Limits(first_retry_seconds=1, retry_cap_seconds=60, crash_deaths=3)


async def settle() -> None:
    """Lets all tasks run as far as they can."""
    for _ in range(5):
        await asyncio.sleep(0)


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Tells the time."""
        return self.now


class TestRestarts:
    """When to start again."""

    def test_pauses_double(self) -> None:
        """Each pause is within half of its bound, and bounds double up to the cap."""
        restarts = Restarts(LIMITS, Clock())
        pauses = [restarts.pause() for _ in range(200)]
        bounds = [1, 2, 4, 8, 16, 32, *[60] * 194]
        assert all(b / 2 <= p <= b for p, b in zip(pauses, bounds, strict=True))

    def test_pauses_differ(self) -> None:
        """Two devices rarely wait for the same time."""
        pauses = {Restarts(LIMITS, Clock()).pause() for _ in range(20)}
        assert len(pauses) > 1

    def test_connection_starts_over(self) -> None:
        """A connection makes the next pause short again."""
        restarts = Restarts(LIMITS, Clock())
        for _ in range(10):
            restarts.pause()
        restarts.note_connected()
        assert restarts.pause() <= 1

    def test_crash_loop(self) -> None:
        """Only the last of so many deaths makes a loop."""
        restarts = Restarts(LIMITS, Clock())
        assert [restarts.note_death() for _ in range(4)] == [False, False, True, True]

    def test_old_deaths_are_forgiven(self) -> None:
        """Deaths that lie far apart are no loop."""
        clock = Clock()
        restarts = Restarts(LIMITS, clock)
        told = []
        for _ in range(6):
            told.append(restarts.note_death())
            clock.now += 61
        assert not any(told)


class TestCallTable:
    """Calls under way."""

    async def test_one_place(self) -> None:
        """Places go around in the order of arrival."""
        sent: list[pb.Request] = []
        table = CallTable(1, sent.append)

        async def call() -> pb.Reply:
            await table.reserve()
            return await table.ask(pb.Request())

        tasks = [asyncio.create_task(call()) for _ in range(3)]
        for number in (1, 2, 3):
            await settle()
            assert [request.id for request in sent] == list(range(1, number + 1))
            table.take(pb.Reply(id=number))
        assert [reply.id for reply in await asyncio.gather(*tasks)] == [1, 2, 3]

    async def test_closed(self) -> None:
        """Closing fails those who asked, those who wait and those who come later."""
        table = CallTable(1, lambda _: None)
        await table.reserve()
        waiting = [
            asyncio.create_task(table.ask(pb.Request())),
            asyncio.create_task(table.reserve()),
        ]
        await settle()
        table.close(lambda: DeviceNotReady(DeviceState.BANNED))
        errors = await asyncio.gather(*waiting, table.reserve(), return_exceptions=True)
        assert [type(error) for error in errors] == [DeviceNotReady] * 3
        assert table.under_way == 0

    async def test_closed_after_reserving(self) -> None:
        """A reserved place is worth nothing in a table that was closed."""
        table = CallTable(1, lambda _: None)
        await table.reserve()
        table.close(lambda: DeviceNotReady(DeviceState.RECONNECTING))
        with pytest.raises(DeviceNotReady):
            await table.ask(pb.Request())

    async def test_turn_of_one_who_has_gone(self) -> None:
        """A turn that comes in the moment its caller goes passes to the next."""
        table = CallTable(1, lambda _: None)
        await table.reserve()
        asked = asyncio.create_task(table.ask(pb.Request()))
        waiters = [asyncio.create_task(table.reserve()) for _ in range(2)]
        await settle()
        table.take(pb.Reply(id=1))
        waiters[0].cancel()
        done, _ = await asyncio.wait({asked, *waiters}, timeout=1)
        assert len(done) == 3
        assert waiters[0].cancelled()

    async def test_unknown_reply(self) -> None:
        """A reply to nothing that was asked changes nothing."""
        table = CallTable(1, lambda _: None)
        table.take(pb.Reply(id=7))
        assert (table.under_way, table.abandoned) == (0, 0)


class TestAnswersError:
    """What failures become."""

    @pytest.mark.parametrize(
        ("code", "expected"), [(429, (RateLimited, 60)), (0, (Busy, 1))], ids=["whatsapp", "ours"]
    )
    def test_slow_down(self, code: int, expected: tuple[type[Exception], int]) -> None:
        """A process with too much to do is told from WhatsApp that asks to slow down."""
        failure = pb.Failure(kind=pb.FAILURE_KIND_RATE_LIMITED, code=code)
        error = answers.error(failure, slow_down_seconds=60)
        assert isinstance(error, RateLimited)
        assert (type(error), error.retry_after) == expected


class TestChildEnvironment:
    """What a session process sees."""

    def test_allow_list(self) -> None:
        """Allowed variables pass; the ones that lead around a proxy never do."""
        own = dict.fromkeys([*ALLOWED, "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"], "x")
        expected = {**dict.fromkeys(ALLOWED, "x"), "PYTHONSAFEPATH": "1"}
        assert child_environment(own) == expected

    def test_nothing_set(self) -> None:
        """What is not set is not invented."""
        assert child_environment({}) == {"PYTHONSAFEPATH": "1"}


class TestLines:
    """Lines off a stream."""

    def test_portions(self) -> None:
        """Lines survive any cut."""
        lines = Lines()
        told = [line for data in (b"ab", b"c\nd", b"\n\ne") for line in lines.feed(data)]
        assert told == [b"abc", b"d", b""]

    def test_long_lines(self) -> None:
        """Of a very long line only the beginning is kept."""
        lines = Lines()
        told = [line for data in (*[b"x" * 9000] * 9, b"\ny\n") for line in lines.feed(data)]
        assert [len(line) for line in told] == [8192, 1]


class TestOutput:
    """What a process writes."""

    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            (b"Login event: error\n", [Sign.LINK_FAILED]),
            (b"Login event: timeout\n", [Sign.LINK_TIMED_OUT]),
            (b"Login event: success\n", []),
            (b"INFO Login event: error\n", []),
            (b"ERROR x Failed to save: database or disk is full\n", [Sign.DISK_FULL]),
            (b"WARNING x Failed: disk I/O error: file too large\n", [Sign.DISK_FULL]),
            (b"ERROR x Failed: disk I/O error: input/output error\n", [Sign.STORE_REFUSED]),
            (b"ERROR x Failed: attempt to write a readonly database\n", [Sign.STORE_REFUSED]),
            (b"ERROR x Failed: database disk image is malformed\n", [Sign.STORE_CORRUPT]),
            (b"INFO x y: database disk image is malformed\n", []),
            (b"ERROR x database or disk is full of names\n", []),
        ],
    )
    async def test_signs(self, line: bytes, expected: list[Sign]) -> None:
        """Only the engine's own lines tell of a failed pairing or a broken store."""
        signs: list[Sign] = []
        output = Output(Counter(), None, signs.append)
        stream = asyncio.StreamReader()
        stream.feed_data(line)
        stream.feed_eof()
        await output.drain(stream)
        assert signs == expected


class TestPrivateLog:
    """The file for the owner's eyes."""

    def test_bounded(self, tmp_path: Path) -> None:
        """The file and its one predecessor stay within their size."""
        file = tmp_path / "session.log"
        log = PrivateLog(file, max_bytes=100)
        for _ in range(100):
            log.write(b"x" * 9)
        sizes = {each.name: each.stat().st_size for each in tmp_path.iterdir()}
        assert sizes == {"session.log": 100, "session.log.1": 100}

    def test_no_directory(self, tmp_path: Path) -> None:
        """A file that cannot be written stops nothing."""
        PrivateLog(tmp_path / "absent" / "session.log").write(b"x")
        assert list(tmp_path.iterdir()) == []
