"""Tests of what a device's state says, with real processes that stand in for the engine's."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from session.harness import FAST, A, B, Watch, eventually, watching
from session.stand_in import Ask, Behaviour
from wuts.domain.errors import DeviceNotReady, NotFound, ServiceUnavailable, WhatsappTimeout
from wuts.domain.jid import pn_jid
from wuts.domain.state import DeviceState, Reason

if TYPE_CHECKING:
    from pathlib import Path

SLOW = replace(FAST, first_retry_seconds=40, retry_cap_seconds=40)
UNLINKED = Behaviour(linked=False, codes=["code-1"])
HOUR = timedelta(hours=1)


async def tell(watch: Watch, what: Ask) -> DeviceNotReady:
    """Has the process end as it is told, and gives what the caller gets."""
    with pytest.raises(DeviceNotReady) as caught:
        await watch.sessions.picture(A, pn_jid(what), preview=False, existing_id="")
    return caught.value


def stands(watch: Watch) -> tuple[DeviceState, str]:
    """Gives the state and its reason."""
    status = watch.sessions.status(A)
    return status.state, status.reason


class TestReasons:
    """Why a device is in its state."""

    @pytest.mark.parametrize(
        ("what", "state", "reason"),
        [
            (Ask.DIE, DeviceState.RECONNECTING, Reason.PROCESS_DIED),
            (Ask.FAILED, DeviceState.RECONNECTING, Reason.CANNOT_CONNECT),
            (Ask.LOGGED_OUT, DeviceState.LOGGED_OUT, Reason.REMOVED_FROM_PHONE),
            (Ask.REPLACED, DeviceState.REPLACED, Reason.REPLACED),
            (Ask.BANNED, DeviceState.BANNED, Reason.BANNED),
            (Ask.OUTDATED, DeviceState.OUTDATED, Reason.OUTDATED),
        ],
    )
    async def test_ends(
        self, tmp_path: Path, what: Ask, state: DeviceState, reason: Reason
    ) -> None:
        """Each end has its reason, which callers under way are told too."""
        async with watching(tmp_path, limits=SLOW) as watch:
            await watch.connect(A)
            error = await tell(watch, what)
            assert (error.state, error.reason) == stands(watch) == (state, reason)

    @pytest.mark.parametrize(
        ("hello", "state", "reason"),
        [
            ("nonsense", DeviceState.CONNECTING, Reason.PROCESS_DIED),
            ("busy", DeviceState.CONNECTING, Reason.STORE_BUSY),
            ("refused", DeviceState.STORE_REFUSED, Reason.STORE_REFUSED),
            ("corrupt", DeviceState.STORE_REFUSED, Reason.STORE_CORRUPT),
        ],
    )
    async def test_starts(
        self, tmp_path: Path, hello: str, state: DeviceState, reason: Reason
    ) -> None:
        """A start that fails has its reason, and the time of the next one."""
        async with watching(tmp_path, Behaviour(hello=hello), limits=SLOW) as watch:
            watch.sessions.start([A])
            assert await eventually(lambda: stands(watch) == (state, reason))
            assert watch.sessions.status(A).next_retry_at is not None

    async def test_no_answer(self, tmp_path: Path) -> None:
        """A process that does not connect in time is said to be silent."""
        async with watching(tmp_path, Behaviour(states=("CONNECTING",)), limits=SLOW) as watch:
            watch.sessions.start([A])
            expected = (DeviceState.CONNECTING, Reason.NO_ANSWER)
            assert await eventually(lambda: stands(watch) == expected)

    async def test_wrong_engine(self, tmp_path: Path) -> None:
        """An engine of the wrong kind is named as such, and not tried again."""
        async with watching(tmp_path, Behaviour(sandbox=False)) as watch:
            watch.sessions.start([A])
            expected = (DeviceState.CRASH_LOOP, Reason.WRONG_ENGINE)
            assert await eventually(lambda: stands(watch) == expected)
            assert watch.sessions.status(A).next_retry_at is None

    async def test_directory_that_cannot_be_made(self, tmp_path: Path) -> None:
        """Where no directory can be made the store is refused, without a storm of tries."""
        (tmp_path / "file").touch()
        async with watching(tmp_path / "file" / "devices", command=("true",)) as watch:
            watch.sessions.start([A])
            expected = (DeviceState.STORE_REFUSED, Reason.STORE_REFUSED)
            assert await eventually(lambda: stands(watch) == expected)
            assert watch.sessions.tallies.ends == {"store_refused": 1}

    async def test_reason_lasts_while_trying(self, tmp_path: Path) -> None:
        """The reason stays through tries that come no further."""
        stuck = Behaviour(states=("CONNECTING",))
        limits = replace(FAST, connect_seconds=30)
        async with watching(tmp_path, Behaviour(), stuck, limits=limits) as watch:
            await watch.connect(A)
            await tell(watch, Ask.DIE)
            assert await eventually(lambda: watch.sessions.tallies.starts["started"] == 2)
            assert await eventually(lambda: watch.sessions.status(A).next_retry_at is None)
            assert stands(watch) == (DeviceState.RECONNECTING, Reason.PROCESS_DIED)


class TestTimes:
    """When the next try is made, and until when a ban lasts."""

    async def test_retry(self, tmp_path: Path) -> None:
        """The time of the next try is shown, and told to callers in whole seconds."""
        async with watching(tmp_path, limits=SLOW) as watch:
            await watch.connect(A)
            error = await tell(watch, Ask.DIE)
            next_retry_at = watch.sessions.status(A).next_retry_at
            assert next_retry_at is not None
            seconds = (next_retry_at - datetime.now(UTC)).total_seconds()
            assert 18 < seconds <= error.retry_after <= 40

    async def test_jump_of_the_clock(self, tmp_path: Path) -> None:
        """A jump of the time of day changes no wait, only how its end is spelled."""
        async with watching(tmp_path, limits=SLOW) as watch:
            await watch.connect(A)
            await tell(watch, Ask.DIE)
            before = watch.sessions.status(A).next_retry_at
            watch.clock_ahead = HOUR
            after = watch.sessions.status(A).next_retry_at
            assert before is not None
            assert after is not None
            assert abs(after - before - HOUR) < timedelta(seconds=1)
            with pytest.raises(DeviceNotReady) as caught:
                await watch.sessions.require_connected(A)
            assert 1 <= caught.value.retry_after <= 40

    async def test_jump_while_connected(self, tmp_path: Path) -> None:
        """A connected device takes no notice of a jump in either direction."""
        async with watching(tmp_path) as watch:
            await watch.connect(A)
            pid = watch.sessions.pids()[A]
            for jump in (HOUR, -HOUR):
                watch.clock_ahead = jump
                await watch.sessions.require_connected(A)
            assert watch.sessions.pids()[A] == pid

    async def test_ban(self, tmp_path: Path) -> None:
        """The end of a ban is shown, and the next try is made then."""
        async with watching(tmp_path) as watch:
            await watch.connect(A)
            error = await tell(watch, Ask.BANNED)
            status = watch.sessions.status(A)
            assert error.retry_after == 0
            assert status.banned_until is not None
            assert status.next_retry_at is not None
            assert abs(status.banned_until - datetime.now(UTC) - HOUR) < timedelta(seconds=5)
            assert abs(status.banned_until - status.next_retry_at) < timedelta(seconds=5)

    async def test_last_connected(self, tmp_path: Path) -> None:
        """While connected it is now; afterwards it is when the connection was lost."""
        async with watching(tmp_path, limits=SLOW) as watch:
            assert watch.sessions.status(A).last_connected is None
            await watch.connect(A)
            started = datetime.now(UTC)
            first = watch.sessions.status(A).last_connected
            await tell(watch, Ask.DIE)
            lost = watch.sessions.status(A).last_connected
            watch.clock_ahead = HOUR
            assert first is not None
            assert lost is not None
            assert started <= first <= lost
            assert watch.sessions.status(A).last_connected == lost


class TestRest:
    """Devices that stay down until somebody asks."""

    @pytest.mark.parametrize("what", [Ask.REPLACED, Ask.OUTDATED, Ask.BANNED])
    async def test_connect_again(self, tmp_path: Path, what: Ask) -> None:
        """A device that was put down comes back when it is connected by request."""
        async with watching(tmp_path) as watch:
            await watch.connect(A)
            await tell(watch, what)
            assert await eventually(lambda: not watch.sessions.pids())
            assert (await watch.sessions.connect(A)).state == DeviceState.CONNECTED

    async def test_disconnect_in_a_pause(self, tmp_path: Path) -> None:
        """Disconnecting also ends the wait for the next try."""
        async with watching(tmp_path, limits=SLOW) as watch:
            await watch.connect(A)
            await tell(watch, Ask.DIE)
            await watch.sessions.disconnect(A)
            assert stands(watch) == (DeviceState.DISCONNECTED, Reason.DISCONNECTED_BY_REQUEST)
            assert watch.sessions.status(A).next_retry_at is None

    async def test_disconnect_at_the_start(self, tmp_path: Path) -> None:
        """Disconnecting a device whose process has not spoken yet ends that process."""
        async with watching(tmp_path, Behaviour(hello="never"), Behaviour()) as watch:
            watch.sessions.start([A])
            assert await eventually(lambda: A in watch.sessions.pids())
            await watch.sessions.disconnect(A)
            assert watch.sessions.pids() == {}
            assert watch.sessions.state(A) == DeviceState.DISCONNECTED
            await watch.connect(A)

    async def test_disconnect_fails_calls(self, tmp_path: Path) -> None:
        """A call under way is told that the device was disconnected."""
        async with watching(tmp_path) as watch:
            await watch.connect(A)
            call = asyncio.create_task(tell(watch, Ask.SILENT))
            assert await eventually(lambda: watch.sessions.load()["under_way"] == 1)
            await watch.sessions.disconnect(A)
            error = await call
            assert error.state == DeviceState.DISCONNECTED
            assert error.reason == Reason.DISCONNECTED_BY_REQUEST

    async def test_connect_during_the_end(self, tmp_path: Path) -> None:
        """A request to connect while the former process still ends is obeyed."""
        async with watching(tmp_path, Behaviour(deaf=True), Behaviour()) as watch:
            await watch.connect(A)
            leaving = asyncio.create_task(watch.sessions.disconnect(A))
            assert await watch.reaches(DeviceState.DISCONNECTED)
            await watch.sessions.connect(A)
            await leaving
            assert await watch.reaches(DeviceState.CONNECTED)

    @pytest.mark.parametrize(
        ("state", "linked"),
        [(DeviceState.DISCONNECTED, True), (DeviceState.LOGGED_OUT, False)],
    )
    async def test_recall(self, tmp_path: Path, state: DeviceState, linked: bool) -> None:
        """What a former run of the service left is shown, until someone connects."""
        async with watching(tmp_path, Behaviour(linked=linked)) as watch:
            watch.sessions.recall(A, state, "WHY")
            assert stands(watch) == (state, "WHY")
            expected = DeviceState.SYNCING if linked else state
            assert (await watch.sessions.connect(A)).state == expected

    async def test_recall_comes_too_late(self, tmp_path: Path) -> None:
        """What is known from before never replaces what is going on."""
        async with watching(tmp_path) as watch:
            await watch.connect(A)
            watch.sessions.recall(A, DeviceState.DISCONNECTED)
            assert watch.sessions.state(A) == DeviceState.CONNECTED

    async def test_log_out_of_an_unlinked_device_keeps_its_reason(self, tmp_path: Path) -> None:
        """A device that was logged out says why also after a try to connect it."""
        async with watching(tmp_path, Behaviour(), UNLINKED) as watch:
            await watch.connect(A)
            await tell(watch, Ask.LOGGED_OUT)
            await watch.sessions.connect(A)
            assert stands(watch) == (DeviceState.LOGGED_OUT, Reason.REMOVED_FROM_PHONE)


class TestSyncing:
    """The first sync."""

    async def test_served_meanwhile(self, tmp_path: Path) -> None:
        """A syncing device serves calls, and is connected once its store says so."""
        async with watching(tmp_path) as watch:
            watch.is_first_sync_done = False
            watch.sessions.start([A])
            assert await watch.reaches(DeviceState.SYNCING)
            await watch.sessions.require_connected(A)
            watch.is_first_sync_done = True
            assert await watch.reaches(DeviceState.CONNECTED)

    async def test_ends_by_itself(self, tmp_path: Path) -> None:
        """A first sync that is never finished is waited for only so long."""
        async with watching(tmp_path, limits=replace(FAST, first_sync_seconds=0.2)) as watch:
            watch.is_first_sync_done = False
            await watch.connect(A)

    async def test_known_once(self, tmp_path: Path) -> None:
        """A device that is known to be in sync does not sync again at a reconnect."""
        async with watching(tmp_path) as watch:
            await watch.connect(A)
            watch.is_first_sync_done = False
            watch.signal(signal.SIGUSR2)
            assert await watch.reaches(DeviceState.RECONNECTING)
            watch.signal(signal.SIGUSR1)
            assert await watch.reaches(DeviceState.CONNECTED)

    async def test_lost_meanwhile(self, tmp_path: Path) -> None:
        """A connection that is lost while syncing goes on syncing afterwards."""
        async with watching(tmp_path) as watch:
            watch.is_first_sync_done = False
            watch.sessions.start([A])
            assert await watch.reaches(DeviceState.SYNCING)
            watch.signal(signal.SIGUSR2)
            assert await watch.reaches(DeviceState.RECONNECTING)
            watch.signal(signal.SIGUSR1)
            assert await watch.reaches(DeviceState.SYNCING)


class TestWatch:
    """Those who watch a device."""

    async def test_retries_are_news(self, tmp_path: Path) -> None:
        """Watchers hear of a planned try, and of its beginning."""
        limits = replace(FAST, first_retry_seconds=0.2, retry_cap_seconds=0.2)
        async with watching(tmp_path, limits=limits) as watch:
            await watch.connect(A)
            async with aclosing(watch.sessions.watch(A)) as statuses:
                await anext(statuses)
                await tell(watch, Ask.DIE)
                planned, begun = await anext(statuses), await anext(statuses)
            assert planned.next_retry_at is not None
            assert (begun.state, begun.next_retry_at) == (DeviceState.RECONNECTING, None)

    @pytest.mark.parametrize("forgets", [False, True])
    async def test_ends(self, tmp_path: Path, forgets: bool) -> None:
        """Watching ends with the service, and with the device."""
        async with watching(tmp_path) as watch:
            await watch.connect(A)
            async with aclosing(watch.sessions.watch(A)) as statuses:
                await anext(statuses)
                await (watch.sessions.forget(A) if forgets else watch.sessions.stop())
                with pytest.raises(NotFound if forgets else ServiceUnavailable):
                    await anext(statuses)

    async def test_end_of_streams(self, tmp_path: Path) -> None:
        """Those who watch or link can be sent away while calls still go on."""
        async with watching(tmp_path) as watch:
            watch.behave(UNLINKED, device=B)
            await watch.connect(A)
            statuses, steps = watch.sessions.watch(A), watch.sessions.link(B)
            async with aclosing(statuses), aclosing(steps):
                await anext(statuses)
                await anext(steps)
                watch.sessions.end_streams()
                for stream in (statuses, steps):
                    with pytest.raises(ServiceUnavailable):
                        await anext(stream)
            await watch.sessions.require_connected(A)

    async def test_others_are_not_concerned(self, tmp_path: Path) -> None:
        """Forgetting one device leaves the other connected."""
        async with watching(tmp_path) as watch:
            watch.behave(Behaviour(), device=B)
            await watch.connect(A, B)
            pid = watch.sessions.pids()[B]
            await watch.sessions.forget(A)
            await watch.sessions.require_connected(B)
            assert watch.sessions.pids() == {B: pid}
            assert os.listdir(tmp_path) == [B]  # noqa: PTH208 # blocks no longer than the test


class TestRecycling:
    """Processes that have grown too large."""

    LIMITS = replace(FAST, look_seconds=0.05, recycle_rest_seconds=0.0, connected_wait_seconds=5)

    async def test_idle(self, tmp_path: Path) -> None:
        """A process over a limit is replaced, and no caller notices."""
        limits = replace(self.LIMITS, descriptors=0, recycle_rest_seconds=0.5)
        async with watching(tmp_path, limits=limits) as watch:
            await watch.connect(A)
            first = watch.sessions.pids()[A]
            assert await eventually(lambda: watch.sessions.tallies.ends["recycled"] > 0)
            await watch.sessions.require_connected(A)
            assert watch.sessions.pids()[A] != first

    async def test_busy(self, tmp_path: Path) -> None:
        """A process that a caller waits for is left alone until it is idle."""
        limits = replace(self.LIMITS, memory_bytes=0, call_seconds=5)
        async with watching(tmp_path, limits=limits) as watch:
            watch.sessions.start([A])
            await watch.sessions.require_connected(A)
            pid = watch.sessions.pids()[A]
            call = asyncio.create_task(
                watch.sessions.picture(A, pn_jid(Ask.SILENT), preview=False, existing_id="")
            )
            answered = await asyncio.wait({call}, timeout=0.5)
            assert not answered[0]
            assert watch.sessions.pids()[A] == pid
            await watch.sessions.picture(A, pn_jid(Ask.RELEASE), preview=False, existing_id="")
            await call
            assert await eventually(lambda: watch.sessions.tallies.ends["recycled"] > 0)

    async def test_abandoned_calls(self, tmp_path: Path) -> None:
        """Calls that nobody waits for cost the process its place when there are too many."""
        limits = replace(self.LIMITS, abandoned_calls=1, call_seconds=0.2)
        async with watching(tmp_path, limits=limits) as watch:
            await watch.connect(A)
            for _ in range(2):
                with pytest.raises(WhatsappTimeout):
                    await watch.sessions.picture(
                        A, pn_jid(Ask.SILENT), preview=False, existing_id=""
                    )
            assert await eventually(lambda: watch.sessions.tallies.ends == {"recycled": 1})
            assert stands(watch)[0] in {DeviceState.RECONNECTING, DeviceState.CONNECTED}
            assert await watch.reaches(DeviceState.CONNECTED)
            assert watch.sessions.load()["abandoned"] == 0
