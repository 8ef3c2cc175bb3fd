"""The contact store on the engine's files: bounds, locks and broken files."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import apsw
import pytest
from structlog.testing import capture_logs

from whatsmeow_files import WhatsmeowFiles
from wuts.adapters import whatsmeow_people as people
from wuts.adapters.sqlite import Limits
from wuts.adapters.whatsmeow_store import Verdict, WhatsmeowStore
from wuts.domain.caller import DeviceId
from wuts.domain.contact import Names
from wuts.domain.errors import DeviceNotReady, StoreUnavailable
from wuts.domain.jid import pn_jid

if TYPE_CHECKING:
    from collections.abc import Iterator

A, B = DeviceId("device-a"), DeviceId("device-b")
OWN_PN, MARIA = "5511900000000", "5511999999999@s.whatsapp.net"
QUICK = Limits(call_seconds=5.0, busy_seconds=0.05)


@pytest.fixture
def files(tmp_path: Path) -> WhatsmeowFiles:
    """Gives a data directory whose path has characters that mean something in a URI."""
    return WhatsmeowFiles(tmp_path / "da?ta #1%20")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[WhatsmeowStore]:
    """Gives a store over the same directory that waits little for locks."""
    store = WhatsmeowStore(tmp_path / "da?ta #1%20", limits=QUICK)
    yield store
    store.close()


async def names_of(store: WhatsmeowStore, device: DeviceId) -> list[str]:
    """Reads the full names of all contacts."""
    page = await store.page(device, after="", limit=1_000)
    return [contact.full_name for contact in page.contacts]


class TestFile:
    """What reading does to the file, and what the file's state does to reading."""

    @pytest.mark.parametrize("wal", [True, False])
    async def test_unaltered(self, files: WhatsmeowFiles, store: WhatsmeowStore, wal: bool) -> None:
        """Reading leaves every byte and the time of change as they were."""
        files.link(A, OWN_PN, wal=wal)
        path = files.path(A)
        before = (path.read_bytes(), path.stat().st_mtime_ns)
        await names_of(store, A)
        store.close()
        assert before == (path.read_bytes(), path.stat().st_mtime_ns)

    async def test_private(self, files: WhatsmeowFiles, store: WhatsmeowStore) -> None:
        """What SQLite puts beside the file is as private as the file."""
        files.link(A, OWN_PN)
        await names_of(store, A)
        modes = {path.stat().st_mode & 0o777 for path in files.path(A).parent.iterdir()}
        assert {0o600} == modes

    async def test_engine_after_us(self, files: WhatsmeowFiles, store: WhatsmeowStore) -> None:
        """The real engine opens a store that we have read and still hold open."""
        files.link(A, OWN_PN)
        await names_of(store, A)
        script = (
            "import sys; import no_libmagic; from neonize.client import ClientFactory;"
            "print(len(ClientFactory.get_all_devices_from_db(sys.argv[1])))"
        )
        # The engine takes no path with these characters, but a link without them.
        plain = files.path(A).parent.parent.parent.parent / "plain"
        plain.symlink_to(files.path(A).parent)
        opened = subprocess.run(  # our own interpreter; nothing else runs here
            [sys.executable, "-c", script, str(plain / "store.db")],
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(Path(__file__).parents[1]),
                "HTTPS_PROXY": "http://127.0.0.1:1",
            },
            check=True,
            timeout=60,
            capture_output=True,
            text=True,
        )
        assert opened.stdout.splitlines()[-1] == "1"

    async def test_open_writer(self, files: WhatsmeowFiles, store: WhatsmeowStore) -> None:
        """A writer in the middle of a transaction holds up no reader, and shows once it commits."""
        files.link(A, OWN_PN)
        with closing(apsw.Connection(str(files.path(A)))) as writer:
            writer.execute("BEGIN IMMEDIATE")
            writer.execute(
                "INSERT INTO whatsmeow_contacts (our_jid, their_jid, full_name)"
                " SELECT jid, ?, 'Maria' FROM whatsmeow_device",
                [MARIA],
            )
            before = await names_of(store, A)
            writer.execute("COMMIT")
            after = await names_of(store, A)
        assert (before, after) == ([], ["Maria"])

    async def test_killed_writer(self, files: WhatsmeowFiles, store: WhatsmeowStore) -> None:
        """Rows that a killed writer left in the write-ahead log are read."""
        files.link(A, OWN_PN)
        with closing(apsw.Connection(str(files.path(A)))) as other:
            # As long as somebody else has the file open, its log stays.
            other.execute("SELECT * FROM whatsmeow_version").fetchall()
            files.add_row(A, MARIA, Names(full="Maria"))
            # What a kill leaves behind: the file and its log, and nobody who holds them.
            files.path(B).parent.mkdir()
            for ending in ("", "-wal"):
                shutil.copy(f"{files.path(A)}{ending}", f"{files.path(B)}{ending}")
        assert await names_of(store, B) == ["Maria"]

    @pytest.mark.parametrize("moment", ["before the page", "behind the page"])
    async def test_unlinked_in_the_middle(
        self,
        files: WhatsmeowFiles,
        store: WhatsmeowStore,
        monkeypatch: pytest.MonkeyPatch,
        moment: str,
    ) -> None:
        """A list does not end with the page on which its device is unlinked."""
        files.link(A, OWN_PN)
        for user in ("5511999999998", "5511999999999"):
            files.add_row(A, f"{user}@s.whatsapp.net", Names(full=user))
        original = people.page_values

        class Values(dict[str, str | int]):
            def __or__(self, others: Any) -> Any:
                files.unlink(A)
                return {**self, **others}

        def page_values(connection: apsw.Connection, after: str, limit: int) -> Any:
            values = original(connection, after, limit)
            if moment == "before the page":
                files.unlink(A)
                return values
            return Values(values)

        with monkeypatch.context() as patched:
            patched.setattr(people, "page_values", page_values)
            page = await store.page(A, after="", limit=1)
        assert ["5511999999999"] == [contact.full_name for contact in page.contacts]
        assert page.cursor
        with pytest.raises(DeviceNotReady):
            await store.page(A, after=page.cursor, limit=1)

    async def test_locked(self, files: WhatsmeowFiles, store: WhatsmeowStore) -> None:
        """A file under another's exclusive lock is unavailable, and readable again after it."""
        files.link(A, OWN_PN, wal=False)
        with closing(apsw.Connection(str(files.path(A)))) as writer:
            writer.execute("BEGIN EXCLUSIVE")
            with pytest.raises(StoreUnavailable):
                await names_of(store, A)
        assert await names_of(store, A) == []

    async def test_new_file(self, files: WhatsmeowFiles, store: WhatsmeowStore) -> None:
        """A file that took the place of the one before is the one that is read."""
        files.link(A, OWN_PN)
        await store.account(A)
        shutil.rmtree(files.path(A).parent)
        files.link(A, "5511900000001")
        assert pn_jid("5511900000001") == await store.account(A)

    async def test_invalid_utf8(self, files: WhatsmeowFiles, store: WhatsmeowStore) -> None:
        """A name that is no UTF-8 loses its bad bytes and takes nobody else's name with it."""
        files.link(A, OWN_PN)
        files.add_row(A, MARIA, Names(full="Maria"))
        files.add_row(A, "5511999999998@s.whatsapp.net", Names())
        files.run(
            A,
            "UPDATE whatsmeow_contacts SET full_name = CAST(x'4aff6f' AS TEXT)"
            " WHERE full_name = ''",
        )
        known = await store.lookup(A, pns=["5511999999998"], lids=[])
        assert (
            await names_of(store, A),
            known.pn_rows["5511999999998"].names.full,
        ) == (["Maria", "J\ufffdo"], "J\ufffdo")

    @pytest.mark.parametrize("limit", [1, 2, 3])
    async def test_invalid_utf8_behind_a_page(
        self, files: WhatsmeowFiles, store: WhatsmeowStore, limit: int
    ) -> None:
        """It takes nobody's name either where it is the first behind a page."""
        files.link(A, OWN_PN)
        for user in ("5511999999997", "5511999999998", "5511999999999"):
            files.add_row(A, f"{user}@s.whatsapp.net", Names(full=user))
        files.run(A, "UPDATE whatsmeow_contacts SET full_name = CAST(x'ff' AS TEXT)")
        told, after = [], ""
        for _ in range(0, 3, limit):
            page = await store.page(A, after=after, limit=limit)
            told += [contact.full_name for contact in page.contacts]
            after = page.cursor
        assert (["\ufffd"] * 3, "") == (told, after)

    @pytest.mark.parametrize("rotten", [b"", b"Jo\xe3o", b"\x24\x31"])
    async def test_bytes_for_text(
        self, files: WhatsmeowFiles, store: WhatsmeowStore, rotten: bytes
    ) -> None:
        """A name that is no text at all is shown as one, and takes nobody else's with it."""
        files.link(A, OWN_PN)
        files.add_row(A, MARIA, Names(full="Maria", push="M"))
        files.add_row(A, "5511999999998@s.whatsapp.net", Names(full="Joao"))
        files.run(A, "UPDATE whatsmeow_contacts SET push_name = ? WHERE push_name = ''", [rotten])
        expected = rotten.decode(errors="replace")
        page = await store.page(A, after="", limit=10)
        known = await store.lookup(A, pns=["5511999999998"], lids=[])
        assert ["M", expected] == [contact.push_name for contact in page.contacts]
        assert expected == known.pn_rows["5511999999998"].names.push

    async def test_agent(self, files: WhatsmeowFiles, store: WhatsmeowStore) -> None:
        """The account is found in every spelling of the device's JID."""
        files.link(A, OWN_PN)
        files.run(A, "UPDATE whatsmeow_device SET jid = ?", [f"{OWN_PN}.1:7@s.whatsapp.net"])
        assert pn_jid(OWN_PN) == await store.account(A)


class TestCheck:
    """WhatsmeowStore.check."""

    async def test_linked(self, files: WhatsmeowFiles, store: WhatsmeowStore) -> None:
        """A linked store of the known schema is fine."""
        files.link(A, OWN_PN)
        assert await store.check(A) == Verdict.LINKED

    async def test_new(self, files: WhatsmeowFiles, store: WhatsmeowStore) -> None:
        """No file, an empty file and a file without device are new."""
        verdicts = [await store.check(A)]
        files.path(A).parent.mkdir(parents=True)
        files.path(A).touch()
        verdicts.append(await store.check(A))
        files.make(B)
        verdicts.append(await store.check(B))
        assert verdicts == [Verdict.NEW] * 3

    @pytest.mark.parametrize("version", [7, 16, 99])
    async def test_unknown_schema(
        self, files: WhatsmeowFiles, store: WhatsmeowStore, version: int
    ) -> None:
        """An unknown schema is refused; the log names the device and the version."""
        files.link(A, OWN_PN)
        files.run(A, "UPDATE whatsmeow_version SET version = ?", [version])
        with capture_logs() as logs:
            verdict = await store.check(A)
        assert verdict == Verdict.REFUSED
        expected = {
            "event": "store_schema_refused",
            "log_level": "error",
            "device": A,
            "version": version,
            "oldest_known": 8,
            "newest_known": 15,
        }
        assert [expected] == logs

    async def test_callers_of_an_unknown_schema(
        self, files: WhatsmeowFiles, store: WhatsmeowStore
    ) -> None:
        """Callers learn no more than that the store is unavailable."""
        files.link(A, OWN_PN)
        files.run(A, "UPDATE whatsmeow_version SET version = 16")
        with pytest.raises(StoreUnavailable) as refusal:
            await store.page(A, after="", limit=1)
        assert (StoreUnavailable, ()) == (refusal.type, refusal.value.args)

    @pytest.mark.parametrize("keep", [0, 4_096])
    async def test_corrupt(self, files: WhatsmeowFiles, store: WhatsmeowStore, keep: int) -> None:
        """A damaged file is unreadable, stays as it is, and the log shows nothing of it."""
        files.link(A, OWN_PN)
        path = files.path(A)
        damaged = path.read_bytes()[:keep] + b"\xa5" * 40_000
        path.write_bytes(damaged)
        with capture_logs() as logs:
            verdict = await store.check(A)
        assert (Verdict.UNREADABLE, damaged) == (verdict, path.read_bytes())
        assert [{"event", "log_level", "device", "reason"}] == [set(entry) for entry in logs]

    @pytest.mark.parametrize(
        ("damage", "verdict"),
        [
            ("UPDATE whatsmeow_device SET jid = CAST(x'ff' AS TEXT)", Verdict.UNREADABLE),
            ("UPDATE whatsmeow_device SET jid = NULL", Verdict.NEW),
            ("UPDATE whatsmeow_version SET version = 'rotten'", Verdict.REFUSED),
            ("UPDATE whatsmeow_version SET version = CAST(x'ff' AS TEXT)", Verdict.REFUSED),
        ],
    )
    async def test_rotten(
        self, files: WhatsmeowFiles, store: WhatsmeowStore, damage: str, verdict: Verdict
    ) -> None:
        """Rotten values are a verdict on one store, and end nothing else."""
        files.link(A, OWN_PN)
        files.run(A, "PRAGMA foreign_keys = OFF")
        files.run(A, damage)
        assert verdict == await store.check(A)

    async def test_directory(self, files: WhatsmeowFiles, store: WhatsmeowStore) -> None:
        """A directory in the file's place is unreadable."""
        files.path(A).mkdir(parents=True)
        assert await store.check(A) == Verdict.UNREADABLE


class TestBounds:
    """One device's trouble stays its own."""

    async def test_other_devices_go_on(self, files: WhatsmeowFiles, tmp_path: Path) -> None:
        """While one device's file is locked, another's is read."""
        files.link(A, OWN_PN, wal=False)
        files.link(B, "5511900000001", wal=False)
        store = WhatsmeowStore(tmp_path / "da?ta #1%20", limits=Limits(busy_seconds=2.0))
        with closing(apsw.Connection(str(files.path(A)))) as writer:
            writer.execute("BEGIN EXCLUSIVE")
            held_up = asyncio.create_task(store.account(A))
            account = await store.account(B)
            assert (pn_jid("5511900000001"), False) == (account, held_up.done())
            writer.execute("ROLLBACK")
        assert pn_jid(OWN_PN) == await held_up
        store.close()

    async def test_open_files(self, files: WhatsmeowFiles, tmp_path: Path) -> None:
        """No more files stay open than allowed, and all can still be read."""
        devices = [DeviceId(f"device-{number}") for number in range(4)]
        for device in devices:
            files.link(device, OWN_PN)
        store = WhatsmeowStore(tmp_path / "da?ta #1%20", open_files=2)
        for device in [*devices, *devices]:
            await store.account(device)
        assert {str(files.path(device)) for device in devices[2:]} == await open_stores(2)
        store.close()

    async def test_idle_files(self, files: WhatsmeowFiles, tmp_path: Path) -> None:
        """A file that nobody reads any more is closed with the next call."""
        files.link(A, OWN_PN)
        files.link(B, OWN_PN)
        store = WhatsmeowStore(tmp_path / "da?ta #1%20", idle_seconds=0.0)
        await store.account(A)
        await store.account(B)
        assert {str(files.path(B))} == await open_stores(1)
        store.close()

    async def test_all_busy(self, files: WhatsmeowFiles, tmp_path: Path) -> None:
        """When every open file is busy, one more is refused at once."""
        files.link(A, OWN_PN, wal=False)
        files.link(B, OWN_PN)
        store = WhatsmeowStore(tmp_path / "da?ta #1%20", open_files=1)
        with closing(apsw.Connection(str(files.path(A)))) as writer:
            writer.execute("BEGIN EXCLUSIVE")
            held_up = asyncio.create_task(store.account(A))
            await asyncio.sleep(0)
            with pytest.raises(StoreUnavailable):
                await store.account(B)
            writer.execute("ROLLBACK")
        assert pn_jid(OWN_PN) == await held_up
        store.close()


async def open_stores(expected: int) -> set[str]:
    """Gives the stores this process holds open, once they are as many as expected."""
    paths: set[str] = set()
    async with asyncio.timeout(5):
        while len(paths := _open_paths()) != expected:  # only the kernel knows
            await asyncio.sleep(0.01)
    return paths


def _open_paths() -> set[str]:
    paths = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        # The one of this very listing is gone by now.
        with suppress(FileNotFoundError):
            paths.add(str(descriptor.readlink()))
    return {path for path in paths if path.endswith("store.db")}


class TestSynced:
    """WhatsmeowStore.synced."""

    @pytest.mark.parametrize(
        ("collection", "expected"),
        [("critical_unblock_low", True), ("critical_block", False), ("regular", False)],
    )
    async def test_collections(
        self, files: WhatsmeowFiles, store: WhatsmeowStore, collection: str, expected: bool
    ) -> None:
        """Only the collection with the contacts counts."""
        files.link(A, OWN_PN)
        before = await store.synced(A)
        _arrive(files, f"{OWN_PN}:7@s.whatsapp.net", collection)
        assert (False, expected) == (before, await store.synced(A))

    async def test_not_linked(self, files: WhatsmeowFiles, store: WhatsmeowStore) -> None:
        """A device that is not linked has no first sync."""
        files.make(A)
        with pytest.raises(DeviceNotReady):
            await store.synced(A)


class TestForget:
    """WhatsmeowStore.forget."""

    async def test_open(self, files: WhatsmeowFiles, store: WhatsmeowStore) -> None:
        """The file of a removed device is not held open; one never opened is no error."""
        files.link(A, OWN_PN)
        await names_of(store, A)
        before = _held(files.path(A))
        store.forget(A)
        store.forget(B)
        async with asyncio.timeout(5):
            while _held(files.path(A)):
                await asyncio.sleep(0.01)
        assert before


def _arrive(files: WhatsmeowFiles, jid: str, collection: str) -> None:
    statement = "INSERT INTO whatsmeow_app_state_version (jid, name, version, hash)"
    files.run(A, f"{statement} VALUES ('{jid}', '{collection}', 1, zeroblob(128))")


def _held(path: Path) -> bool:
    """Tells whether this process has the file open."""
    links = [link.readlink() for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return path in links
