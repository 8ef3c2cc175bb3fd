"""Tests of the session process with the real engine, against a loopback WhatsApp."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections import Counter
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sandbox.mixed_world import GROUP, MIXED, PEOPLE
from sandbox.running import EmulatorProcess, running_emulator, write_world
from session.harness import A, Watch, eventually, is_alive, watching
from wuts.adapters.sessions.limits import Limits
from wuts.domain.errors import (
    Busy,
    DeviceNotReady,
    DomainError,
    GroupForbidden,
    GroupNotFound,
    PictureHidden,
    PictureNotSet,
    RateLimited,
    WhatsappError,
    WhatsappTimeout,
)
from wuts.domain.jid import Jid, parse_chat, parse_group, pn_jid
from wuts.domain.picture import Picture, Unchanged
from wuts.domain.state import DeviceState
from wuts.ports import Linked, QrText
from wuts_sandbox.guards import mark_data_directory

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from wuts.domain.device import PairCode

ODD = (sys.executable, str(Path(__file__).with_name("odd_engine.py")))

LIMITS = Limits(call_seconds=3, first_retry_seconds=0.1, retry_cap_seconds=0.3)

WITH_PICTURE = pn_jid(PEOPLE[0]["pn"])
HIDDEN = pn_jid(PEOPLE[1]["pn"])
LIMITED = parse_chat(f"{PEOPLE[2]['lid']}@lid")
NOT_SET = pn_jid("551100000004")


@dataclass
class Loopback:
    """A running emulator, and a data directory whose one device is linked to it."""

    emulator: EmulatorProcess
    data: Path

    @property
    def command(self) -> tuple[str, ...]:
        """The session process that trusts the emulator."""
        told = self.emulator.info
        return (
            *(sys.executable, "-m", "wuts_sandbox.session"),
            *("--proxy", told["proxy"], "--ca", told["ca"], "--noise-root", told["noise_root"]),
        )

    def copy(self, to: Path) -> Path:
        """Copies the data directory, so that a test may harm it; gives its devices."""
        shutil.copytree(self.data, to / "data")
        return to / "data" / "devices"

    @asynccontextmanager
    async def sessions(self, devices: Path, limits: Limits = LIMITS) -> AsyncIterator[Watch]:
        """Runs sessions on devices for the length of a test."""
        async with watching(devices, limits=limits, command=self.command) as watch:
            yield watch


async def link(loopback: Loopback, watch: Watch) -> list[QrText | PairCode | Linked]:
    """Links the device, with the first code that it shows."""
    steps: list[QrText | PairCode | Linked] = []
    async for step in watch.sessions.link(A):
        if isinstance(step, QrText) and not steps:
            loopback.emulator.ask("scan", text=step.text)
        steps.append(step)
    return steps


async def ask(watch: Watch, chat: Jid, existing_id: str = "", *, preview: bool = False) -> object:
    """Asks for a picture, and gives the answer or the error."""
    try:
        return await watch.sessions.picture(A, chat, preview=preview, existing_id=existing_id)
    except DomainError as error:
        return error


async def ask_roster(watch: Watch, group: Jid) -> object:
    """Asks for a roster, and gives it or the error."""
    try:
        return await watch.sessions.roster(A, group)
    except DomainError as error:
        return error


@pytest.fixture(autouse=True)
def _misleading_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sets what would lead the engine past a loopback proxy if it were inherited."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "*")
    # Should anything ever dial without the emulator's proxy, it dials nowhere.
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Loopback]:
    """Runs an emulator of this test's own, with nothing linked."""
    file = write_world(tmp_path / "world.json", MIXED)
    mark_data_directory(tmp_path / "data")
    (tmp_path / "data" / "devices").mkdir(mode=0o700)
    with running_emulator(tmp_path / "e", "--world", str(file)) as emulator:
        yield Loopback(emulator, tmp_path / "data")


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loopback]:
    """Runs an emulator to which one device is linked, and leaves it disconnected."""
    directory = tmp_path_factory.mktemp("linked")
    file = write_world(directory / "world.json", MIXED)
    mark_data_directory(directory / "data")
    devices = directory / "data" / "devices"
    devices.mkdir(mode=0o700)

    async def prepare(loopback: Loopback) -> None:
        async with loopback.sessions(devices) as watch:
            await link(loopback, watch)

    with running_emulator(directory / "e", "--world", str(file)) as emulator:
        loopback = Loopback(emulator, directory / "data")
        asyncio.run(prepare(loopback))
        yield loopback


class TestLinking:
    """A device is linked by its code, and linked again."""

    async def test_link_remove_link(self, fresh: Loopback) -> None:
        """A removed device is logged out, its keys are gone, and it can be linked again."""
        devices = fresh.data / "devices"
        async with fresh.sessions(devices) as watch:
            steps = await link(fresh, watch)
            assert [type(step) for step in (steps[0], steps[-1])] == [QrText, Linked]
            fresh.emulator.ask("stream-error", code="401", conflict="device_removed")
            assert await watch.reaches(DeviceState.LOGGED_OUT)
            assert await eventually(lambda: watch.logged_out == [A])
            assert await eventually(lambda: not watch.sessions.pids())
            with closing(sqlite3.connect(devices / A / "store.db")) as store:
                assert store.execute("SELECT count(*) FROM whatsmeow_device").fetchone() == (0,)
            assert isinstance((await link(fresh, watch))[-1], Linked)
            assert isinstance(await ask(watch, WITH_PICTURE), Picture)

    async def test_files(self, linked: Loopback) -> None:
        """The store is in WAL mode, and all files are the owner's alone."""
        directory = linked.data / "devices" / A
        modes = {stat.S_IMODE(each.stat().st_mode) for each in directory.iterdir()}
        assert modes == {0o600}
        with closing(sqlite3.connect(directory / "store.db")) as store:
            assert store.execute("PRAGMA journal_mode").fetchone() == ("wal",)


class TestAnswers:
    """What the engine's answers become."""

    async def test_pictures(self, linked: Loopback, tmp_path: Path) -> None:
        """Every answer to a question for a picture stays apart from the others."""
        host = "https://pps.whatsapp.net"
        async with linked.sessions(linked.copy(tmp_path)) as watch:
            await watch.connect(A)
            full = Picture(f"{host}/v/full.jpg", "42", "image", "/v/full.jpg")
            small = Picture(f"{host}/v/small.jpg", "42", "preview", "/v/small.jpg")
            group = parse_group(GROUP)
            assert await ask(watch, WITH_PICTURE) == full
            assert await ask(watch, WITH_PICTURE, preview=True) == small
            assert await ask(watch, WITH_PICTURE, "42") == Unchanged("42")
            assert await ask(watch, WITH_PICTURE, "42", preview=True) == Unchanged("42")
            assert await ask(watch, WITH_PICTURE, "41") == full
            assert await ask(watch, group) == full
            assert isinstance(await ask(watch, HIDDEN), PictureHidden)
            assert isinstance(await ask(watch, NOT_SET), PictureNotSet)
            assert isinstance(await ask(watch, LIMITED), RateLimited)

    async def test_other_refusals(self, linked: Loopback, tmp_path: Path) -> None:
        """A refusal that has no name of its own keeps WhatsApp's number."""
        async with linked.sessions(linked.copy(tmp_path)) as watch:
            await watch.connect(A)
            codes = []
            for code in (463, 500, 404):
                linked.emulator.ask("refuse", kind="picture", code=code, text="other", times=1)
                error = await ask(watch, WITH_PICTURE)
                assert isinstance(error, WhatsappError)
                codes.append(error.code)
            assert codes == [463, 500, 404]

    async def test_rosters(self, linked: Loopback, tmp_path: Path) -> None:
        """Participants come sorted by server; refusals stay apart."""
        async with linked.sessions(linked.copy(tmp_path)) as watch:
            await watch.connect(A)
            roster = await watch.sessions.roster(A, parse_group(GROUP))
            told = {(each.pn, each.lid) for each in roster.participants}
            assert ("5511000000002", "100000000000002") in told
            absent = parse_group("120363000000000099@g.us")
            assert isinstance(await ask_roster(watch, absent), GroupNotFound)
            linked.emulator.ask("refuse", kind="group", code=403, text="forbidden", times=1)
            assert isinstance(await ask_roster(watch, parse_group(GROUP)), GroupForbidden)
            linked.emulator.ask("refuse", kind="group", times=1)
            assert isinstance(await ask_roster(watch, parse_group(GROUP)), RateLimited)

    async def test_64_silent_calls(self, linked: Loopback, tmp_path: Path) -> None:
        """Silence costs 64 callers their deadline, and the others nothing for ever."""
        limits = replace(LIMITS, call_seconds=0.5)
        async with linked.sessions(linked.copy(tmp_path), limits) as watch:
            await watch.connect(A)
            linked.emulator.ask("drop", kind="picture")
            answers = await asyncio.gather(*(ask(watch, WITH_PICTURE) for _ in range(64)))
            linked.emulator.ask("answer")
            expected = {WhatsappTimeout: 16, Busy: 48}
            assert Counter(type(answer) for answer in answers) == expected
            assert watch.sessions.state(A) == DeviceState.CONNECTED
            linked.emulator.ask("kill")
            # A query of a lost connection is sent once more, and answered now.
            assert await eventually(lambda: watch.sessions.load()["under_way"] == 0)
            assert await watch.reaches(DeviceState.CONNECTED)
            assert isinstance(await ask(watch, WITH_PICTURE), Picture)


class TestFaults:
    """What happens to the connection and to the process."""

    @pytest.mark.parametrize("fault", ["sigkill", "crash"])
    async def test_death_in_mid_call(self, linked: Loopback, tmp_path: Path, fault: str) -> None:
        """A process that dies in mid-call is replaced; the call fails at once."""
        async with linked.sessions(linked.copy(tmp_path)) as watch:
            await watch.connect(A)
            linked.emulator.ask("drop", kind="picture", times=1)
            call = asyncio.create_task(ask(watch, WITH_PICTURE))
            assert await eventually(lambda: watch.sessions.load()["under_way"] == 1)
            if fault == "sigkill":
                watch.signal(signal.SIGKILL)
            else:
                linked.emulator.ask("crash")
            error = await call
            linked.emulator.ask("answer")
            assert isinstance(error, DeviceNotReady)
            assert error.state == DeviceState.RECONNECTING
            assert await watch.reaches(DeviceState.CONNECTED)
            assert isinstance(await ask(watch, WITH_PICTURE), Picture)
            assert watch.sessions.tallies.ends == {"crashed": 1}

    @pytest.mark.parametrize("how", ["abort", "xmlstreamend"])
    async def test_lost_connection(self, linked: Loopback, tmp_path: Path, how: str) -> None:
        """A lost connection is restored by the engine, in the same process."""
        async with linked.sessions(linked.copy(tmp_path)) as watch:
            await watch.connect(A)
            logins = linked.emulator.counts()["login"]
            linked.emulator.ask("kill", how=how)
            assert await eventually(lambda: linked.emulator.counts()["login"] > logins)
            assert await watch.reaches(DeviceState.CONNECTED)
            assert isinstance(await ask(watch, WITH_PICTURE), Picture)
            assert watch.sessions.tallies.starts == {"started": 1}

    async def test_outage(self, linked: Loopback, tmp_path: Path) -> None:
        """An outage shows as reconnecting, and ends by itself."""
        async with linked.sessions(linked.copy(tmp_path)) as watch:
            await watch.connect(A)
            linked.emulator.ask("door", door="refusing")
            assert await watch.reaches(DeviceState.RECONNECTING)
            linked.emulator.ask("door", door="open")
            assert await watch.reaches(DeviceState.CONNECTED)

    async def test_outage_at_the_start(self, linked: Loopback, tmp_path: Path) -> None:
        """A service that starts during an outage connects when it is over."""
        async with linked.sessions(linked.copy(tmp_path)) as watch:
            linked.emulator.ask("door", door="refusing")
            watch.sessions.start([A])
            assert await eventually(lambda: watch.sessions.tallies.ends["failed"] > 0)
            assert watch.sessions.state(A) == DeviceState.CONNECTING
            linked.emulator.ask("door", door="open")
            assert await watch.reaches(DeviceState.CONNECTED)

    @pytest.mark.parametrize(
        ("reason", "attrs", "state"),
        [
            ("402", {"code": "101", "expire": "3600"}, DeviceState.BANNED),
            ("405", {}, DeviceState.OUTDATED),
            ("415", {}, DeviceState.CONNECTING),
        ],
    )
    async def test_refused_login(
        self,
        linked: Loopback,
        tmp_path: Path,
        reason: str,
        attrs: dict[str, str],
        state: DeviceState,
    ) -> None:
        """A refused login ends the process, and shows what WhatsApp said."""
        limits = replace(LIMITS, first_retry_seconds=60, retry_cap_seconds=60)
        async with linked.sessions(linked.copy(tmp_path), limits) as watch:
            linked.emulator.ask("login-failure", reason=reason, attrs=attrs)
            watch.sessions.start([A])
            assert await eventually(lambda: watch.sessions.tallies.ends.total() == 1)
            linked.emulator.ask("login-failure", reason="off")
            assert watch.sessions.state(A) == state
            assert await eventually(lambda: not watch.sessions.pids())

    async def test_replaced(self, linked: Loopback, tmp_path: Path) -> None:
        """A device whose place was taken stays away."""
        async with linked.sessions(linked.copy(tmp_path)) as watch:
            await watch.connect(A)
            linked.emulator.ask("stream-error", conflict="replaced")
            assert await watch.reaches(DeviceState.REPLACED)
            assert await eventually(lambda: not watch.sessions.pids())

    async def test_stop_while_dialling(self, linked: Loopback, tmp_path: Path) -> None:
        """Stopping does not wait for an engine that dials a black hole."""
        async with linked.sessions(linked.copy(tmp_path)) as watch:
            linked.emulator.ask("door", door="black-hole")
            watch.sessions.start([A])
            assert await eventually(lambda: watch.sessions.tallies.lines.total() > 0)
            pid = watch.sessions.pids()[A]
            started = time.monotonic()
            await watch.sessions.stop()
            linked.emulator.ask("door", door="open")
            assert time.monotonic() - started < 3
            assert not is_alive(pid)

    @pytest.mark.parametrize("door", ["open", "black-hole"])
    async def test_service_dies(self, linked: Loopback, tmp_path: Path, door: str) -> None:
        """A process whose service is killed is gone within two seconds, even while dialling."""
        devices = linked.copy(tmp_path)
        linked.emulator.ask("door", door=door)
        script = Path(__file__).with_name("mortal_service.py")
        service = subprocess.Popen(  # it only has to start
            [sys.executable, script, devices, *linked.command],
            env={**os.environ, "PYTHONPATH": str(script.parents[1])},
            stdout=subprocess.DEVNULL,
        )
        file = devices.parent / "pid"
        try:
            assert await eventually(file.exists)
        finally:
            service.kill()
            service.wait()
        pid = int(file.read_text())
        gone = await eventually(lambda: not is_alive(pid), limit=2)
        linked.emulator.ask("door", door="open")
        assert gone


class TestStore:
    """What the process does about its store."""

    async def test_lock_is_waited_for(self, linked: Loopback, tmp_path: Path) -> None:
        """A process waits for the lock of its predecessor, and leaves its own id there."""
        devices = linked.copy(tmp_path)
        lock = devices / A / "session.lock"
        with lock.open("r+") as holder:
            fcntl.flock(holder, fcntl.LOCK_EX)
            async with linked.sessions(devices) as watch:
                watch.sessions.start([A])
                assert await eventually(lambda: A in watch.sessions.pids())
                fcntl.flock(holder, fcntl.LOCK_UN)
                assert await watch.reaches(DeviceState.CONNECTED)
                assert lock.read_text() == str(watch.sessions.pids()[A])

    async def test_spoiled_store(self, linked: Loopback, tmp_path: Path) -> None:
        """A file that is no database is refused, and left as it is."""
        devices = linked.copy(tmp_path)
        for each in (devices / A).glob("store.db-*"):
            each.unlink()
        (devices / A / "store.db").write_bytes(b"no database" * 100)
        async with linked.sessions(devices) as watch:
            watch.sessions.start([A])
            assert await watch.reaches(DeviceState.STORE_REFUSED)
        assert (devices / A / "store.db").read_bytes() == b"no database" * 100

    async def test_genuine_engine_in_a_sandbox(self, linked: Loopback, tmp_path: Path) -> None:
        """The unaltered engine is not let out of a sandbox: it ends before it dials."""
        devices = linked.copy(tmp_path)
        connects = linked.emulator.counts()["connect"]
        command = (sys.executable, "-m", "wuts.session")
        async with watching(devices, limits=LIMITS, command=command) as watch:
            watch.sessions.start([A])
            assert await eventually(lambda: watch.sessions.tallies.ends == {"wrong_engine": 1})
            assert await eventually(lambda: not watch.sessions.pids())
        assert linked.emulator.counts()["connect"] == connects


class TestOddities:
    """Machines and builds on which the engine is not as expected."""

    async def test_no_libmagic(self, tmp_path: Path) -> None:
        """The engine loads without libmagic, which only media would need."""
        async with watching(tmp_path, limits=LIMITS, command=(*ODD, "no-libmagic")) as watch:
            watch.sessions.start([A])
            # It has said hello: only then can it be found to be no sandbox's.
            assert await eventually(lambda: watch.sessions.tallies.ends == {"wrong_engine": 1})

    async def test_refused_engine(self, tmp_path: Path) -> None:
        """A process whose engine is refused ends by itself, and never says hello."""
        async with watching(tmp_path, limits=LIMITS, command=(*ODD, "other-key")) as watch:
            watch.sessions.start([A])
            assert await eventually(lambda: watch.sessions.tallies.ends == {"crashed": 1})
