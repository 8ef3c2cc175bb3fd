"""What is known of contact lists, over memory and over the engine's own files."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest_asyncio

from fakes_store import InMemoryContactStore
from whatsmeow_files import WhatsmeowFiles
from wuts.adapters.revisions.limits import Limits
from wuts.adapters.revisions.record import NAME
from wuts.adapters.revisions.revisions import ListRevisions
from wuts.adapters.whatsmeow_store import WhatsmeowStore
from wuts.domain.caller import DeviceId
from wuts.domain.contact import Names
from wuts.instruments import Instruments, NoMetrics

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    import pytest

A = DeviceId("device-a")
MARIA, JOAO = "5511999999999@s.whatsapp.net", "5511888888888@s.whatsapp.net"
LIMIT = 10.0
# Nothing is compared by itself, and what is known stays good for the whole test.
STILL = Limits(stale_seconds=60, poll_seconds=60, rest_factor=0)
QUICK = Limits(
    stale_seconds=0.5, poll_seconds=0.02, settle_seconds=0.02, rest_factor=0, first_look_seconds=0
)


@dataclass
class Compared(NoMetrics):
    """Notes comparisons."""

    outcomes: list[str] = field(default_factory=list)

    def compared(self, outcome: str, seconds: float) -> None:
        """Notes one."""
        self.outcomes.append(outcome)


class Subject:
    """Revisions over a store of one device with two contacts."""

    def __init__(self, store: Any, fill: Any, data: Path, write: Callable[[], None]) -> None:
        self.store = store
        self.fill = fill
        self.write = write
        self.data = data
        self.metrics = Compared()
        self.revisions = self.made(STILL)
        fill.link(A, "5511900000000")
        fill.add_row(A, MARIA, Names(full="Maria"))
        fill.add_row(A, JOAO, Names(full="Joao"))
        (data / "devices" / A).mkdir(parents=True, exist_ok=True)

    def made(self, limits: Limits) -> ListRevisions:
        """Makes the subject anew, as a restarted service would."""
        self.revisions = ListRevisions(
            self.store,
            self.data / "devices",
            limits=limits,
            instruments=Instruments(metrics=self.metrics),
        )
        return self.revisions

    async def read(self, *, page: int = 100, pages: int = 9, after: str = "") -> str:
        """Reads the list, or so many pages of it; gives the content's name."""
        reading = self.revisions.reading(A)
        for _ in range(pages):
            _, after, _ = await reading.page(A, after=after, limit=page)
            if not after:
                break
        return reading.content()

    async def current(self) -> str | None:
        """The content that the list is known to have."""
        revision = await self.revisions.current(A)
        return None if revision is None else revision.content

    async def until(self, wanted: Callable[[], Any], what: str) -> None:
        """Waits until something holds."""
        async with asyncio.timeout(LIMIT):
            while not wanted():
                await asyncio.sleep(0.01)
        assert wanted(), what

    def number(self) -> int:
        """The number on disk; 0 when there is none."""
        file = self.data / "devices" / A / NAME
        return int(json.loads(file.read_text())["revision"]) if file.exists() else 0


@pytest_asyncio.fixture(params=["memory", "wal", "rollback"])
async def subject(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Subject]:
    """The subject on each kind of store."""
    if request.param == "memory":
        memory = InMemoryContactStore()
        made = Subject(memory, memory, tmp_path, memory.touch)
        yield made
    else:
        files, store = WhatsmeowFiles(tmp_path), WhatsmeowStore(tmp_path)

        def write() -> None:
            files.run(A, "UPDATE whatsmeow_device SET push_name = push_name || '.'")

        made = Subject(store, files, tmp_path, write)
        if request.param == "rollback":
            files.run(A, "PRAGMA journal_mode = DELETE")
        yield made
        store.close()
    await made.revisions.close()


class TestReading:
    """Revisions.reading."""

    async def test_whole(self, subject: Subject) -> None:
        """The whole list has a name, in whatever pages it was read."""
        assert await subject.read() == await subject.read(page=1) != ""

    async def test_change(self, subject: Subject) -> None:
        """Another list has another name, and the same list the same one again."""
        before = await subject.read()
        subject.fill.add_row(A, "5511777777777@s.whatsapp.net", Names(push="Ana"))
        changed = await subject.read()
        assert before != changed
        remove = "5511777777777@s.whatsapp.net"
        if isinstance(subject.fill, InMemoryContactStore):
            subject.fill.remove_rows(A, [remove])
        else:
            subject.fill.run(A, "DELETE FROM whatsmeow_contacts WHERE their_jid = ?", [remove])
        assert before == await subject.read()

    async def test_part_of_a_known_list(self, subject: Subject) -> None:
        """A page of the list that is known goes by its name."""
        assert await subject.read() == await subject.read(page=1, pages=1)

    async def test_part_of_an_unknown_list(self, subject: Subject) -> None:
        """A page has no name at first; soon the list is known by itself."""
        found = await subject.read(page=1, pages=1)
        await subject.until(lambda: subject.metrics.outcomes, "a comparison")
        assert "" == found
        assert await subject.read(page=1, pages=1) == await subject.read()

    async def test_part_of_a_list_between(self, subject: Subject) -> None:
        """A page read after a write has no name, even if the list is the same again."""
        await subject.read()
        subject.write()
        assert "" == await subject.read(page=1, pages=1)

    async def test_part_from_the_middle_to_the_end(self, subject: Subject) -> None:
        """The end of a list is not the whole list."""
        reading = subject.revisions.reading(A)
        _, cursor, _ = await reading.page(A, after="", limit=1)
        assert "" == await subject.read(after=cursor)


class TestCurrent:
    """Revisions.current."""

    async def test_unread(self, subject: Subject) -> None:
        """Of a list that nobody has read nothing is known."""
        assert await subject.current() is None

    async def test_read(self, subject: Subject) -> None:
        """What was just read is known."""
        assert await subject.read() == await subject.current()

    async def test_looks(self, subject: Subject) -> None:
        """What was known long ago is known again after one look at an unwritten store."""
        content = await subject.read()
        subject.revisions._known[A].held_at -= 100  # noqa: SLF001 # time passes
        assert content == await subject.current()

    async def test_looks_and_finds_a_write(self, subject: Subject) -> None:
        """After a write nothing old is known, whatever was written."""
        await subject.read()
        subject.revisions._known[A].held_at -= 100  # noqa: SLF001 # time passes
        subject.write()
        assert await subject.current() is None

    async def test_restart(self, subject: Subject) -> None:
        """A restarted service knows nothing until the list is read; then it has its old name."""
        content = await subject.read()
        await subject.revisions.close()
        subject.made(STILL)
        assert await subject.current() is None
        assert content == await subject.read()

    async def test_unreadable(self, subject: Subject) -> None:
        """A store that cannot be looked at tells nothing."""
        await subject.read()
        subject.revisions._known[A].held_at -= 100  # noqa: SLF001 # time passes
        subject.fill.unlink(A)
        if not isinstance(subject.fill, InMemoryContactStore):
            subject.fill.path(A).unlink()
        assert await subject.current() is None


class TestWatch:
    """Watched devices."""

    async def test_finds_a_change(self, subject: Subject) -> None:
        """A change is found without anyone reading, and the number on disk grows."""
        subject.made(QUICK)
        before = await subject.read()
        assert before == await subject.current()
        subject.fill.add_row(A, "5511777777777@s.whatsapp.net", Names(push="Ana"))
        await subject.until(lambda: "changed" in subject.metrics.outcomes, "a change")
        assert await subject.current() not in {before, None}
        await subject.until(lambda: subject.number() == 2, "the number on disk")

    async def test_sees_through_other_writes(self, subject: Subject) -> None:
        """Writes that are no contacts leave the list known, and the number as it was."""
        subject.made(QUICK)
        before = await subject.read()
        await subject.current()
        subject.write()
        await subject.until(lambda: "same" in subject.metrics.outcomes, "a comparison")
        assert before == await subject.current()
        assert 1 == subject.number()

    async def test_stays_known(self, subject: Subject) -> None:
        """A list that nobody writes to stays known without being read again."""
        subject.made(QUICK)
        await subject.read()
        begun = asyncio.get_running_loop().time()
        while asyncio.get_running_loop().time() < begun + 3 * QUICK.stale_seconds:
            assert await subject.current() is not None
            await asyncio.sleep(0.05)
        assert [] == subject.metrics.outcomes

    async def test_ends(self, subject: Subject) -> None:
        """Nobody watches a device that nobody asks about any more."""
        subject.made(replace(QUICK, watch_seconds=0.05))
        await subject.read()
        await subject.current()
        known = subject.revisions._known[A]  # noqa: SLF001 # watching is not to be seen
        await subject.until(lambda: not known.is_busy, "the end of the watching")
        subject.write()
        assert [] == subject.metrics.outcomes

    async def test_reading_alone_begins_none(self, subject: Subject) -> None:
        """Callers who hold nothing cost nothing afterwards."""
        subject.made(QUICK)
        await subject.read()
        assert not subject.revisions._known[A].is_busy  # noqa: SLF001 # as above

    async def test_rests(self, subject: Subject) -> None:
        """After a comparison a device rests; until then an old list is not called current."""
        subject.made(replace(QUICK, stale_seconds=0, rest_factor=1e9))
        await subject.read()
        await subject.current()
        subject.write()
        await subject.until(lambda: subject.metrics.outcomes, "a comparison")
        subject.write()
        rest = subject.revisions._known[A].rest_until  # noqa: SLF001 # as above
        assert rest > asyncio.get_running_loop().time() + LIMIT
        await subject.until(
            lambda: subject.revisions._known[A].moved_at is not None,  # noqa: SLF001 # as above
            "a look",
        )
        assert await subject.current() is None
        assert 1 == len(subject.metrics.outcomes)

    async def test_most(self, subject: Subject) -> None:
        """Of more devices than may be watched, the one asked about longest ago is let go."""
        subject.made(replace(STILL, watched=1))
        other = DeviceId("device-b")
        subject.fill.link(other, "5511911111111")
        await subject.current()
        first = subject.revisions._known[A]  # noqa: SLF001 # as above
        await subject.revisions.current(other)
        await subject.until(lambda: not first.is_busy, "the end of the watching")
        assert subject.revisions._known[other].is_busy  # noqa: SLF001 # as above

    async def test_forgets_most(self, subject: Subject) -> None:
        """Only so many devices are remembered."""
        subject.made(replace(STILL, known=1))
        await subject.read()
        subject.revisions.reading(DeviceId("device-b"))
        assert await subject.current() is None

    async def test_comparison_fails(self, subject: Subject) -> None:
        """A store that goes away while it is watched ends nothing but what is known."""
        subject.made(QUICK)
        await subject.read()
        await subject.current()
        known = subject.revisions._known[A]  # noqa: SLF001 # as above
        subject.fill.unlink(A)
        await subject.until(lambda: known.held_at < _time() - QUICK.stale_seconds, "its age")
        assert await subject.current() is None
        assert known.is_busy


class TestForget:
    """Revisions.forget."""

    async def test_ends_the_watching(self, subject: Subject) -> None:
        """Nothing of a removed device is known, watched or written any more."""
        subject.made(QUICK)
        await subject.read()
        await subject.current()
        known = subject.revisions._known[A]  # noqa: SLF001 # as above
        await subject.revisions.forget(A)
        assert not known.is_busy
        assert known.recording is None or known.recording.done()

    async def test_unknown(self, subject: Subject) -> None:
        """A device of which nothing is known is forgotten all the same."""
        await subject.revisions.forget(DeviceId("device-c"))
        assert DeviceId("device-c") not in subject.revisions._known  # noqa: SLF001 # as above


class TestRecord:
    """The number on disk."""

    async def test_survives(self, subject: Subject) -> None:
        """A restarted service counts on."""
        await subject.read()
        await subject.until(lambda: subject.number() == 1, "the number")
        await subject.revisions.close()
        subject.made(STILL)
        subject.fill.add_row(A, "5511777777777@s.whatsapp.net", Names(push="Ana"))
        await subject.read()
        await subject.until(lambda: subject.number() == 2, "the next number")
        assert 2 == subject.number()

    async def test_cannot_be_written(self, subject: Subject) -> None:
        """Without a number on disk the list is known all the same."""
        (subject.data / "devices" / A / NAME).with_suffix(".new").mkdir()
        content = await subject.read()
        await subject.until(lambda: subject.revisions._known[A].recorded, "the attempt")  # noqa: SLF001
        assert content == await subject.current()


def _time() -> float:
    return asyncio.get_running_loop().time()
