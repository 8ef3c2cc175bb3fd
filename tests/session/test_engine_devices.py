"""Tests of what is done to devices and their stores, with the real engine."""

from __future__ import annotations

import asyncio
import fcntl
import os
import resource
import shutil
import sqlite3
import sys
import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from sandbox.mixed_world import MIXED
from session.harness import A, Watch, eventually, is_alive, watching
from session.test_engine import (
    LIMITS,
    WITH_PICTURE,
    Loopback,
    _misleading_environment,
    ask,
    fresh,
    link,
    linked,
)
from wuts.domain.device import PairCode
from wuts.domain.errors import DeviceNotReady, WhatsappTimeout
from wuts.domain.jid import pn_jid
from wuts.domain.picture import Picture
from wuts.domain.state import DeviceState, Reason
from wuts.ports import Linked
from wuts_sandbox import client

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["_misleading_environment", "fresh", "linked"]

PHONE = pn_jid(MIXED["accounts"][0]["pn"])
FAULT_SECONDS = 8
PATIENT = replace(LIMITS, call_seconds=10)
LIMITED = "import os,resource,sys; n=int(sys.argv[1]); resource.setrlimit(resource.RLIMIT_FSIZE,(n,n)); os.execv(sys.argv[2],sys.argv[2:])"  # noqa: E501 # a script
WITHOUT_PRIVILEGE = ("setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner")


def devices_in(store: Path) -> int:
    """Counts the devices that a store holds."""
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM whatsmeow_device").fetchone()
    return int(count)


def stands(watch: Watch) -> tuple[DeviceState, str]:
    """Gives the state and its reason."""
    status = watch.sessions.status(A)
    return status.state, status.reason


async def link_by_code(loopback: Loopback, watch: Watch) -> list[object]:
    """Links the device with the pair code that it is given."""
    steps: list[object] = []
    async for step in watch.sessions.link(A, phone=PHONE):
        if isinstance(step, PairCode):
            await asyncio.to_thread(loopback.emulator.ask, "enter-code", code=step.code)
        steps.append(step)
    return steps


class TestPairCode:
    """Linking with a code that is typed into the phone."""

    async def test_link(self, fresh: Loopback) -> None:
        """A device is linked by its pair code, and stays linked over a restart."""
        devices = fresh.data / "devices"
        async with fresh.sessions(devices, PATIENT) as watch:
            steps = await link_by_code(fresh, watch)
            assert [type(step) for step in steps] == [PairCode, Linked]
            assert isinstance(await ask(watch, WITH_PICTURE), Picture)
        async with fresh.sessions(devices, PATIENT) as watch:
            await watch.connect(A)

    async def test_wrong_code(self, fresh: Loopback) -> None:
        """A code that is mistyped links nothing; a new one does."""
        async with fresh.sessions(fresh.data / "devices", PATIENT) as watch:
            code = await watch.sessions.pair_code(A, PHONE, reuse=True, refresh=False)
            wrong = {"command": "enter-code", "code": code.code.translate({ord("A"): "B"})[::-1]}
            answer = await asyncio.to_thread(client.send, fresh.emulator.info["control"], wrong)
            assert answer["code"] == "LINKING_FAILED"
            steps = await link_by_code(fresh, watch)
            assert isinstance(steps[-1], Linked)

    async def test_beside_qr_codes(self, fresh: Loopback) -> None:
        """QR codes go on being shown to those who want them."""
        async with fresh.sessions(fresh.data / "devices", PATIENT) as watch:
            pair_code = await watch.sessions.pair_code(A, PHONE, reuse=True, refresh=False)
            again = await watch.sessions.pair_code(A, PHONE, reuse=True, refresh=False)
            qr_code = await watch.sessions.qr_code(A, reuse=True, refresh=False)
            assert (again.code, again.cached) == (pair_code.code, True)
            fresh.emulator.ask("scan", text=qr_code.text)
            assert await watch.reaches(DeviceState.CONNECTED)

    async def test_fresh_qr_code(self, fresh: Loopback) -> None:
        """A fresh code is another, and the one that links."""
        async with fresh.sessions(fresh.data / "devices", PATIENT) as watch:
            first = await watch.sessions.qr_code(A, reuse=True, refresh=False)
            second = await watch.sessions.qr_code(A, reuse=True, refresh=True)
            assert first.text != second.text
            fresh.emulator.ask("scan", text=second.text)
            assert await watch.reaches(DeviceState.CONNECTED)
            assert await eventually(lambda: len(watch.linked) == 1)


class TestLogout:
    """Logging a device out by request."""

    async def test_logout(self, fresh: Loopback) -> None:
        """Credentials are gone here and there, and the device can be linked again."""
        devices = fresh.data / "devices"
        async with fresh.sessions(devices) as watch:
            await link(fresh, watch)
            await watch.sessions.logout(A)
            assert stands(watch) == (DeviceState.LOGGED_OUT, Reason.LOGGED_OUT_BY_REQUEST)
            assert await eventually(lambda: watch.logged_out == [A])
            assert await eventually(lambda: not watch.sessions.pids())
            assert devices_in(devices / A / "store.db") == 0
            assert not fresh.emulator.ask("accounts")["accounts"][0]["linked"]
            assert (await watch.sessions.connect(A)).state == DeviceState.LOGGED_OUT
            assert isinstance((await link(fresh, watch))[-1], Linked)

    async def test_unanswered(self, linked: Loopback, tmp_path: Path) -> None:
        """A log-out that WhatsApp does not answer leaves the device as it is."""
        devices = linked.copy(tmp_path)
        async with linked.sessions(devices, replace(LIMITS, call_seconds=0.5)) as watch:
            await watch.connect(A)
            linked.emulator.ask("drop", kind="logout")
            try:
                with pytest.raises(WhatsappTimeout):
                    await watch.sessions.logout(A)
            finally:
                linked.emulator.ask("answer")
            assert watch.sessions.state(A) == DeviceState.CONNECTED
            assert devices_in(devices / A / "store.db") == 1

    async def test_with_calls_under_way(self, fresh: Loopback) -> None:
        """Calls under way while a device is logged out end with its state."""
        async with fresh.sessions(fresh.data / "devices") as watch:
            await link(fresh, watch)
            fresh.emulator.ask("drop", kind="picture")
            calls = [asyncio.create_task(ask(watch, WITH_PICTURE)) for _ in range(8)]
            assert await eventually(lambda: watch.sessions.load()["under_way"] == 8)
            await watch.sessions.logout(A)
            answers = await asyncio.gather(*calls)
            assert {type(answer) for answer in answers} == {DeviceNotReady}
            assert watch.sessions.state(A) == DeviceState.LOGGED_OUT


class TestDisconnect:
    """Disconnecting a device, and connecting it again."""

    async def test_keys_are_kept(self, linked: Loopback, tmp_path: Path) -> None:
        """A disconnected device is offline, keeps its keys, and comes back when asked."""
        devices = linked.copy(tmp_path)
        async with linked.sessions(devices, PATIENT) as watch:
            await watch.connect(A)
            pid = watch.sessions.pids()[A]
            await watch.sessions.disconnect(A)
            assert not is_alive(pid)
            assert await eventually(lambda: not online(linked))
            assert devices_in(devices / A / "store.db") == 1
            logins = linked.emulator.counts()["login"]
            status = await watch.sessions.connect(A)
            assert status.state == DeviceState.CONNECTED
            assert linked.emulator.counts()["login"] == logins + 1

    async def test_over_a_restart(self, linked: Loopback, tmp_path: Path) -> None:
        """A device that was disconnected before a restart stays so until it is asked for."""
        async with linked.sessions(linked.copy(tmp_path), PATIENT) as watch:
            logins = linked.emulator.counts()["login"]
            watch.sessions.recall(A, DeviceState.DISCONNECTED, Reason.DISCONNECTED_BY_REQUEST)
            with pytest.raises(DeviceNotReady):
                await watch.sessions.require_connected(A)
            assert linked.emulator.counts()["login"] == logins
            await watch.sessions.connect(A)
            await watch.sessions.require_connected(A)

    async def test_forget(self, linked: Loopback, tmp_path: Path) -> None:
        """Forgetting a connected device leaves no process and no file."""
        devices = linked.copy(tmp_path)
        async with linked.sessions(devices) as watch:
            await watch.connect(A)
            pid = watch.sessions.pids()[A]
            await watch.sessions.forget(A)
            assert not is_alive(pid)
            assert os.listdir(devices) == []  # noqa: PTH208 # blocks no longer than the test


def online(loopback: Loopback) -> bool:
    """Tells whether the emulator sees the device."""
    return bool(loopback.emulator.ask("accounts")["accounts"][0]["online"])


class TestStoreFaults:
    """Stores that cannot be used, and what is left of them."""

    async def test_damaged(self, linked: Loopback, tmp_path: Path) -> None:
        """A store damaged in the middle is named as such, and left as it is."""
        devices = linked.copy(tmp_path)
        file = devices / A / "store.db"
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        damaged = bytearray(file.read_bytes())
        damaged[len(damaged) // 3 : len(damaged) // 2] = b"\xee" * (
            len(damaged) // 2 - len(damaged) // 3
        )
        file.write_bytes(damaged)
        async with linked.sessions(devices) as watch:
            watch.sessions.start([A])
            expected = (DeviceState.STORE_REFUSED, Reason.STORE_CORRUPT)
            assert await eventually(lambda: stands(watch) == expected)
            assert watch.sessions.status(A).next_retry_at is not None
        assert file.read_bytes() == damaged

    async def test_newer_schema(self, linked: Loopback, tmp_path: Path) -> None:
        """A store of a later release is not opened by the engine."""
        devices = linked.copy(tmp_path)
        with closing(sqlite3.connect(devices / A / "store.db")) as connection:
            connection.execute("UPDATE whatsmeow_version SET version = 99")
            connection.commit()
        async with linked.sessions(devices) as watch:
            watch.sessions.start([A])
            expected = (DeviceState.STORE_REFUSED, Reason.STORE_REFUSED)
            assert await eventually(lambda: stands(watch) == expected)

    async def test_disk_full_at_the_start(self, linked: Loopback, tmp_path: Path) -> None:
        """Without room the engine is not started; nothing is tried again at once."""
        devices = linked.copy(tmp_path)
        command = (sys.executable, "-c", LIMITED, "100000", *linked.command)
        async with watching(devices, limits=LIMITS, command=command) as watch:
            watch.sessions.start([A])
            expected = (DeviceState.STORE_REFUSED, Reason.DISK_FULL)
            assert await eventually(lambda: stands(watch) == expected)
            assert watch.sessions.tallies.ends == {"store_refused": 1}
        assert devices_in(devices / A / "store.db") == 1

    async def test_disk_full_later(self, linked: Loopback, tmp_path: Path) -> None:
        """An engine that can write no more is stopped, and comes back once there is room."""
        devices = linked.copy(tmp_path)
        limits = replace(LIMITS, store_retry_seconds=0.5)
        async with linked.sessions(devices, limits) as watch:
            await watch.connect(A)
            resource.prlimit(watch.sessions.pids()[A], resource.RLIMIT_FSIZE, (0, 0))
            linked.emulator.ask("resync", account=PHONE.user)
            assert await watch.reaches(DeviceState.STORE_REFUSED)
            assert watch.sessions.status(A).reason == Reason.DISK_FULL
            assert await watch.reaches(DeviceState.CONNECTED)
        assert devices_in(devices / A / "store.db") == 1

    async def test_read_only_directory(self, linked: Loopback, tmp_path: Path) -> None:
        """In a directory that cannot be written the store is refused, without a storm."""
        if os.geteuid() == 0 and shutil.which(WITHOUT_PRIVILEGE[0]) is None:
            pytest.skip("the superuser may write everywhere")
        devices = linked.copy(tmp_path)
        (devices / A / "session.lock").unlink(missing_ok=True)
        (devices / A).chmod(0o500)
        privilege = WITHOUT_PRIVILEGE if os.geteuid() == 0 else ()
        try:
            command = (*privilege, *linked.command)
            async with watching(devices, limits=LIMITS, command=command) as watch:
                watch.sessions.start([A])
                expected = (DeviceState.STORE_REFUSED, Reason.STORE_REFUSED)
                assert await eventually(lambda: stands(watch) == expected)
                assert watch.sessions.tallies.ends == {"store_refused": 1}
        finally:
            (devices / A).chmod(0o700)

    async def test_locked_directory(self, linked: Loopback, tmp_path: Path) -> None:
        """A directory that another process holds for 8 seconds is connected afterwards."""
        devices = linked.copy(tmp_path)
        with (devices / A / "session.lock").open("w+") as holder, capture_logs() as lines:
            fcntl.flock(holder, fcntl.LOCK_EX)
            holder.write(str(os.getpid()))
            holder.flush()
            async with linked.sessions(devices) as watch:
                started = time.monotonic()
                watch.sessions.start([A])
                expected = (DeviceState.CONNECTING, Reason.STORE_BUSY)
                assert await eventually(lambda: stands(watch) == expected)
                assert await eventually(lambda: time.monotonic() - started >= FAULT_SECONDS)
                fcntl.flock(holder, fcntl.LOCK_UN)
                assert await watch.reaches(DeviceState.CONNECTED)
        assert {line["holder"] for line in lines if "holder" in line} == {os.getpid()}

    async def test_locked_store(self, linked: Loopback, tmp_path: Path) -> None:
        """A store that another process locks for 8 seconds is connected afterwards."""
        devices = linked.copy(tmp_path)
        with closing(sqlite3.connect(devices / A / "store.db")) as holder:
            holder.execute("PRAGMA locking_mode=EXCLUSIVE")
            holder.execute("BEGIN EXCLUSIVE")
            async with linked.sessions(devices) as watch:
                started = time.monotonic()
                watch.sessions.start([A])
                expected = (DeviceState.CONNECTING, Reason.STORE_BUSY)
                assert await eventually(lambda: stands(watch) == expected)
                assert await eventually(lambda: time.monotonic() - started >= FAULT_SECONDS)
                holder.close()
                assert await watch.reaches(DeviceState.CONNECTED)
