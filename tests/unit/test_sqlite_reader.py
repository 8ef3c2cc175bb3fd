"""The bounds of a Reader."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from wuts.adapters.sqlite import Limits, Reader
from wuts.domain.errors import StoreUnavailable

if TYPE_CHECKING:
    from pathlib import Path

    from apsw import Connection

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"


def accept_all(_connection: Connection) -> None:
    """Refuses nothing."""


def one(connection: Connection) -> int:
    """Reads the number in the file."""
    return int(str(connection.execute("SELECT i FROM t").fetchall()[0][0]))


def endless(connection: Connection) -> int:
    """Never comes back by itself."""
    return int(str(connection.execute(ENDLESS).fetchall()[0][0]))


def refuse(_thread: threading.Thread) -> None:
    """Starts no thread, in the words of a system that has no more."""
    message = "can't start new thread"
    raise RuntimeError(message)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Gives a small database."""
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("CREATE TABLE t (i); INSERT INTO t VALUES (1);")
    return path


class TestRun:
    """Reader.run."""

    async def test_endless_statement(self, path: Path) -> None:
        """A statement that takes too long is stopped, and the thread is free again."""
        reader = Reader(path, Limits(call_seconds=0.2), accept_all, "device")
        for _ in range(5):
            with capture_logs() as logs, pytest.raises(StoreUnavailable):
                await reader.run(endless)
            assert ["store_too_slow"] == [entry["event"] for entry in logs]
        assert await read_at_last(reader) == 1
        reader.close()

    async def test_no_thread(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where the system has no thread to give, the next job tries again."""
        reader = Reader(path, Limits(), accept_all, "device")
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", refuse)
            for _ in range(Limits().jobs + 1):
                with capture_logs() as logs, pytest.raises(StoreUnavailable):
                    await reader.run(one)
                assert ["store_without_thread"] == [entry["event"] for entry in logs]
        assert (1, True) == (await reader.run(one), reader.idle)
        reader.close()

    async def test_abandoned_job(self, path: Path) -> None:
        """A statement whose caller has gone is stopped long before its own limit."""
        reader = Reader(path, Limits(call_seconds=60), accept_all, "device")
        job = asyncio.create_task(reader.run(endless))
        await asyncio.sleep(0)
        job.cancel()
        async with asyncio.timeout(5):
            assert await reader.run(one) == 1
        reader.close()

    async def test_abandoned_job_leaves_no_trace(self, path: Path) -> None:
        """Whoever leaves costs the next caller no new connection, and is no news for the log."""
        reader = Reader(path, Limits(call_seconds=60), accept_all, "device")
        before = await reader.run(reader.stamp)
        job = asyncio.create_task(reader.run(endless))
        await asyncio.sleep(0)
        with capture_logs() as logs:
            job.cancel()
            async with asyncio.timeout(5):
                assert before == await reader.run(reader.stamp)
        assert [] == logs
        reader.close()

    async def test_waiting_in_line(self, path: Path) -> None:
        """A job behind a stuck one is given up in time, and never started."""
        reader = Reader(path, Limits(call_seconds=0.1), accept_all, "device")
        release, started = threading.Event(), []

        def stuck(_connection: Connection) -> None:
            release.wait(10)

        def behind(_connection: Connection) -> None:
            started.append(True)

        results = await asyncio.gather(
            reader.run(stuck), reader.run(behind), return_exceptions=True
        )
        release.set()
        assert await read_at_last(reader) == 1
        assert ([StoreUnavailable, StoreUnavailable], []) == ([type(r) for r in results], started)
        reader.close()

    async def test_full_line(self, path: Path) -> None:
        """One job more than may wait is refused at once; abandoned ones count until they end."""
        reader = Reader(path, Limits(call_seconds=0.1, jobs=1), accept_all, "device")
        release = threading.Event()
        with pytest.raises(StoreUnavailable):
            await reader.run(lambda _connection: release.wait(10))
        assert not reader.idle
        with pytest.raises(StoreUnavailable):
            await reader.run(one)
        release.set()
        assert await read_at_last(reader) == 1
        reader.close()

    async def test_writing(self, path: Path) -> None:
        """A job that tries to write fails."""
        reader = Reader(path, Limits(), accept_all, "device")
        with pytest.raises(StoreUnavailable):
            await reader.run(lambda connection: connection.execute("UPDATE t SET i = 2"))
        assert await reader.run(one) == 1
        reader.close()

    async def test_missing(self, tmp_path: Path) -> None:
        """A missing file is told apart, and not made."""
        reader = Reader(tmp_path / "none.db", Limits(), accept_all, "device")
        with pytest.raises(FileNotFoundError):
            await reader.run(one)
        assert names_in(tmp_path) == []
        reader.close()


def names_in(directory: Path) -> list[str]:
    """Lists a directory."""
    return [path.name for path in directory.iterdir()]


async def read_at_last(reader: Reader) -> int:
    """Reads as soon as the thread is free."""
    async with asyncio.timeout(5):
        while not reader.idle:  # the thread ends without telling the loop
            await asyncio.sleep(0.01)
    return await reader.run(one)
