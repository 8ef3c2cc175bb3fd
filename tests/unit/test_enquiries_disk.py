"""What is kept on disk, and a disk that does not serve."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import threading
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from enquiries_office import (
    ACCOUNT,
    MARIA,
    START,
    A,
    B,
    Clock,
    Office,
    error_of,
)
from wuts.adapters.enquiries.answers import Answer
from wuts.adapters.enquiries.notebook import Contents, DiskRefused, Notebook
from wuts.adapters.enquiries.scribe import Scribe
from wuts.adapters.enquiries.standing import Standing
from wuts.domain.budget import Bucket, Pause
from wuts.domain.enquiry import QueryClass

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from wuts.adapters.enquiries.answers import Key

STANDING = Standing(
    account=str(ACCOUNT),
    is_linked=True,
    quiet_from=START,
    purses={
        QueryClass.PICTURE: (Bucket(7, START), Pause(START, 60)),
        QueryClass.NUMBER_CHECK: (Bucket(8, START), None),
    },
)
KEY: Key = ("number", "5511911112222")
ANSWER = Answer(START, {"registered": True, "pn": "", "lid": "210000000000001"})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file is, or will be."""
    return tmp_path / "answers.db"


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """An office with the budgets as they are by default."""
    office = Office(tmp_path)
    yield office
    await office.enquirer.close()


def execute(path: Path, statement: str) -> list[tuple[object, ...]]:
    """Runs a statement on the file, as somebody else."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        return connection.execute(statement).fetchall()


def damage(path: Path, how: str) -> None:
    """Spoils a file in one of several ways."""
    if how == "nonsense":
        path.write_bytes(b"nonsense" * 1000)
    elif how == "torn":
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2] + b"\0" * 100)
    elif how == "empty tables":
        execute(path, "DROP TABLE answers")
    elif how == "another release":
        execute(path, "PRAGMA user_version = 9")
    else:
        execute(path, how)


DAMAGES = [
    *("nonsense", "torn", "empty tables", "another release"),
    "UPDATE standing SET value = 'nonsense'",
    "UPDATE standing SET value = '[]'",
    """UPDATE standing SET value = '{"account": "", "is_linked": 1, "quiet_from": "never"}'""",
    "UPDATE answers SET value = '7'",
    "UPDATE answers SET at = 9223372036854775807",
    "UPDATE answers SET value = CAST(x'22ff22' AS TEXT)",
]


class TestNotebook:
    """The file itself."""

    def test_contents(self, path: Path) -> None:
        """What was written is read, the answers oldest first."""
        notebook = Notebook(path, 10)
        older = replace(ANSWER, at=START - timedelta(hours=1))
        notebook.write(STANDING, {KEY: ANSWER, ("number", "1"): older})
        expected = Contents(STANDING, [(("number", "1"), older), (KEY, ANSWER)])
        assert expected == notebook.read()

    def test_changes(self, path: Path) -> None:
        """An answer is replaced and removed; the standing stays."""
        notebook = Notebook(path, 10)
        notebook.write(STANDING, {KEY: ANSWER, ("number", "1"): ANSWER})
        notebook.write(None, {KEY: replace(ANSWER, value={}), ("number", "1"): None})
        assert Contents(STANDING, [(KEY, replace(ANSWER, value={}))]) == notebook.read()

    def test_bound(self, path: Path) -> None:
        """No more answers are kept than that; the oldest go."""
        notebook = Notebook(path, 2)
        answers = {
            ("number", str(index)): replace(ANSWER, at=START + timedelta(seconds=index))
            for index in range(5)
        }
        notebook.write(None, answers)
        assert [(3,), (4,)] == execute(path, "SELECT CAST(subject AS INTEGER) FROM answers")

    def test_private(self, path: Path) -> None:
        """The file is 0600 whatever the umask, and alone once it is written."""
        before = os.umask(0)
        try:
            Notebook(path, 10).write(STANDING, {KEY: ANSWER})
        finally:
            os.umask(before)
        assert 0o600 == stat.S_IMODE(path.stat().st_mode)
        assert [path] == list(path.parent.iterdir())

    def test_no_file(self, path: Path) -> None:
        """Reading makes no file; without a directory nothing is made."""
        assert Contents() == Notebook(path, 10).read()
        assert not path.exists()
        elsewhere = path.parent / "gone" / "answers.db"
        Notebook(elsewhere, 10).write(STANDING, {})
        assert not elsewhere.parent.exists()

    @pytest.mark.parametrize("how", DAMAGES)
    def test_damaged(self, path: Path, how: str) -> None:
        """A damaged file is told as such, and replaced."""
        notebook = Notebook(path, 10)
        notebook.write(STANDING, {KEY: ANSWER})
        damage(path, how)
        assert notebook.read() is None
        assert Contents() == notebook.read()

    @pytest.mark.parametrize("how", DAMAGES[:4])
    def test_damaged_when_written(self, path: Path, how: str) -> None:
        """A file that is damaged meanwhile is replaced by what is to be written."""
        notebook = Notebook(path, 10)
        notebook.write(STANDING, {("number", "1"): ANSWER})
        damage(path, how)
        notebook.write(STANDING, {KEY: ANSWER})
        assert Contents(STANDING, [(KEY, ANSWER)]) == notebook.read()

    def test_refused(self, path: Path) -> None:
        """What is no file, and a locked one, is refused, and left as it is."""
        path.mkdir()
        notebook = Notebook(path, 10)
        for call in (notebook.read, lambda: notebook.write(STANDING, {}), notebook.erase):
            with pytest.raises(DiskRefused):
                call()
        path.rmdir()
        notebook.write(STANDING, {KEY: ANSWER})
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            with pytest.raises(DiskRefused, match="SQLITE_BUSY"):
                notebook.write(STANDING, {})
        assert Contents(STANDING, [(KEY, ANSWER)]) == notebook.read()

    def test_unreachable(self, path: Path) -> None:
        """A disk that does not even tell whether there is a file is said to refuse."""
        notebook = Notebook(path.parent / ("x" * 300) / path.name, 10)
        with pytest.raises(DiskRefused):
            notebook.read()
        with pytest.raises(DiskRefused):
            notebook.write(STANDING, {})

    def test_link(self, path: Path) -> None:
        """A link in the file's place is not followed."""
        target = path.parent / "target"
        target.write_bytes(b"")
        path.symlink_to(target)
        with pytest.raises(DiskRefused):
            Notebook(path, 10).write(STANDING, {})
        assert b"" == target.read_bytes()


class SlowNotebook(Notebook):
    """A notebook on a disk that hangs until it is released."""

    def __init__(self, path: Path, bound: int) -> None:
        super().__init__(path, bound)
        self.released = threading.Event()
        self.writes: list[Mapping[Key, Answer | None]] = []

    def read(self) -> Contents | None:
        """Hangs, then reads."""
        self.released.wait(5)
        return super().read()

    def write(self, standing: Standing | None, changes: Mapping[Key, Answer | None]) -> None:
        """Hangs, then writes."""
        self.writes.append(changes)
        self.released.wait(5)
        super().write(standing, changes)


class TestScribe:
    """The thread that reads and writes."""

    def test_bounded(self, path: Path) -> None:
        """While the disk hangs, only so many answers wait; the last change of each counts."""
        notebook = SlowNotebook(path, 10)
        scribe = Scribe(notebook, A, bound=3)
        scribe.change(KEY, ANSWER)
        while not notebook.writes:
            threading.Event().wait(0.005)
        for index in range(10):
            scribe.change(("number", str(index % 5)), replace(ANSWER, value={"n": index}))
        closing_ = scribe.close()
        notebook.released.set()
        closing_.result(5)
        expected = {("number", str(index)): {"n": index + 5} for index in range(3)}
        assert expected == {
            key: answer.value for key, answer in notebook.writes[1].items() if answer is not None
        }

    def test_closed(self, path: Path) -> None:
        """Once closed it takes no more; what is discarded is not written."""
        scribe = Scribe(Notebook(path, 10), A, bound=3)
        scribe.change(KEY, ANSWER)
        scribe.stand(STANDING)
        scribe.close(discard=True).result(5)
        scribe.change(KEY, ANSWER)
        scribe.stand(STANDING)
        scribe.close().result(5)
        assert not path.exists()

    def test_erase(self, path: Path) -> None:
        """Erasing comes before what is written afterwards, and drops what waited."""
        scribe = Scribe(Notebook(path, 10), A, bound=3)
        scribe.change(("number", "1"), ANSWER)
        scribe.erase()
        scribe.change(KEY, ANSWER)
        scribe.close().result(5)
        assert Contents(answers=[(KEY, ANSWER)]) == Notebook(path, 10).read()

    def test_nobody_waits(self, path: Path) -> None:
        """A reader who has left does no harm."""
        scribe = Scribe(Notebook(path, 10), A, bound=3)
        scribe.read().cancel()
        scribe.change(KEY, ANSWER)
        scribe.close().result(5)
        assert Contents(answers=[(KEY, ANSWER)]) == scribe_contents(path)

    def test_complains_once(self, path: Path) -> None:
        """A disk that refuses is told of once, by one word."""
        path.mkdir()
        scribe = Scribe(Notebook(path, 10), A, bound=3)
        with capture_logs() as logs:
            scribe.read().result(5)
            scribe.stand(STANDING)
            scribe.close().result(5)
        expected = [{"event": "answers_unreadable", "device": A, "reason": "IsADirectoryError"}]
        assert expected == [
            {name: each[name] for name in ("event", "device", "reason")} for each in logs
        ]


def scribe_contents(path: Path) -> Contents | None:
    """What is on disk."""
    return Notebook(path, 10).read()


class TestBadDisk:
    """Callers never notice the disk."""

    @pytest.mark.parametrize("what", ["directory", "nonsense"])
    async def test_served(self, office: Office, what: str) -> None:
        """An unwritable or damaged file fails no call; memory serves."""
        if what == "directory":
            office.file().mkdir()
        else:
            office.file().write_bytes(b"nonsense" * 1000)
        await error_of(office.picture())
        await error_of(office.picture())
        assert [str(MARIA)] == office.sessions.asked

    async def test_damaged_file(self, office: Office) -> None:
        """After a damaged file the budgets begin with a quarter; one line says so."""
        office.file().write_bytes(b"nonsense" * 1000)
        with capture_logs() as logs:
            told = await office.budget(QueryClass.NUMBER_CHECK)
        assert (15, 60, 120) == (told.remaining, told.burst, told.per_hour)
        assert [("answers_lost", A)] == [(each["event"], each["device"]) for each in logs]

    async def test_written_again(self, office: Office) -> None:
        """Once the disk serves again, things are kept again."""
        office.file().mkdir()
        await office.check(["5511911112222"])
        office.file().rmdir()
        await office.check(["5511911113333"])
        await office.restart()
        kept = execute(office.file(), "SELECT subject FROM answers")
        assert ("5511911113333",) in kept

    async def test_old_answers_go(self, office: Office) -> None:
        """What nobody would believe any more is not kept either."""
        await office.check(["5511911112222"])
        await office.restart()
        office.clock.advance(hours=25)
        await office.whole_budget()
        await office.restart()
        assert [] == execute(office.file(), "SELECT * FROM answers")


class TestSlowDisk:
    """A disk that hangs."""

    @pytest.fixture
    async def slow(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> AsyncIterator[tuple[Office, threading.Event]]:
        """An office whose device A is on a disk that hangs until it is released."""
        first = Office(tmp_path)
        await first.check([f"551191111{index:04}" for index in range(40)])
        await error_of(first.picture())
        await first.enquirer.close()
        released = threading.Event()
        read = Notebook.read

        def slow_read(notebook: Notebook) -> Contents | None:
            if A in str(notebook._path):  # noqa: SLF001 # whose disk it is
                released.wait(5)
            return read(notebook)

        monkeypatch.setattr(Notebook, "read", slow_read)
        office = Office(tmp_path, replace(first.policy, load_seconds=0.5), Clock())
        yield office, released
        released.set()
        await office.enquirer.close()

    async def test_asked_meanwhile(self, slow: tuple[Office, threading.Event]) -> None:
        """Callers wait a moment only, once; then the device is asked out of a quarter."""
        office, _ = slow
        with capture_logs() as logs:
            assert 15 == (await office.budget(QueryClass.NUMBER_CHECK)).remaining
            await error_of(office.picture())
        assert [str(MARIA)] == office.sessions.asked
        assert ["answers_too_slow"] == [each["event"] for each in logs]

    async def test_other_devices(self, slow: tuple[Office, threading.Event]) -> None:
        """Another device is served at once, with all that it has."""
        office, _ = slow
        waiting = asyncio.create_task(office.whole_budget())
        assert 60 == (await office.budget(QueryClass.NUMBER_CHECK, B)).remaining
        assert not waiting.done()
        await waiting

    async def test_taken_over_late(self, slow: tuple[Office, threading.Event]) -> None:
        """What is read late is taken over, less what was spent meanwhile."""
        office, released = slow
        await office.check([f"551191112{index:04}" for index in range(10)])
        released.set()
        wanted = ["5511911110000"]

        async def is_taken_over() -> bool:
            return bool(await office.enquirer.recall_numbers(A, wanted))

        async with asyncio.timeout(5):
            while not await is_taken_over():
                await asyncio.sleep(0.005)
        assert 60 - 40 - 10 == (await office.budget(QueryClass.NUMBER_CHECK)).remaining

    async def test_end_of_the_service(self, slow: tuple[Office, threading.Event]) -> None:
        """The end of the service waits for a hanging disk only so long."""
        office, _ = slow
        office.enquirer._policy = replace(office.policy, flush_seconds=0.05)  # noqa: SLF001
        await office.check(["5511911115555"])
        with capture_logs() as logs:
            await office.enquirer.close()
        assert "answers_not_written" in [each["event"] for each in logs]
