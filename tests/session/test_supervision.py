"""Tests of the supervision, with real processes that stand in for the engine's."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import uvloop

from session.harness import FAST, A, B, Watch, eventually, is_alive, watching
from session.stand_in import Ask, Behaviour
from wuts.domain.errors import (
    Busy,
    DeviceNotReady,
    DomainError,
    ServiceUnavailable,
    WhatsappTimeout,
)
from wuts.domain.jid import parse_group, pn_jid
from wuts.domain.picture import Picture
from wuts.domain.state import DeviceState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wuts.domain.caller import DeviceId

ANYONE = pn_jid("5511999999999")


async def ask(watch: Watch, user: str = ANYONE.user) -> object:
    """Asks for a picture, and gives the answer or the error."""
    try:
        return await watch.sessions.picture(A, pn_jid(user), preview=False, existing_id="")
    except DomainError as error:
        return error


def kinds(answers: Iterable[object]) -> set[type]:
    """Gives the types among the answers."""
    return {type(answer) for answer in answers}


def variables(pid: int) -> set[str]:
    """Names the environment variables of a process."""
    raw = Path(f"/proc/{pid}/environ").read_bytes()
    return {entry.partition(b"=")[0].decode() for entry in raw.split(b"\0") if entry}


def descriptors(pid: int) -> list[str]:
    """Names what a process has open."""
    return [str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir()]


class TestCalls:
    """What callers get while the process lives, lags and dies."""

    async def test_killed_in_mid_call(self, tmp_path: Path) -> None:
        """A call whose process is killed fails at once, and the device comes back."""
        async with watching(tmp_path) as watch:
            await watch.connect(A)
            first = watch.sessions.pids()[A]
            call = asyncio.create_task(ask(watch, Ask.SILENT))
            assert await eventually(lambda: watch.sessions.load()["under_way"] == 1)
            started = time.monotonic()
            watch.signal(signal.SIGKILL)
            error = await call
            assert isinstance(error, DeviceNotReady)
            assert error.state == DeviceState.RECONNECTING
            assert time.monotonic() - started < 0.4
            assert await watch.reaches(DeviceState.CONNECTED)
            assert watch.sessions.pids()[A] != first
            assert isinstance(await ask(watch), Picture)

    @pytest.mark.parametrize("user", [Ask.DIE, Ask.NONSENSE, Ask.SECOND_HELLO])
    async def test_death_by_a_call(self, tmp_path: Path, user: Ask) -> None:
        """A process that dies of a call, or answers nonsense, is replaced."""
        async with watching(tmp_path) as watch:
            await watch.connect(A)
            assert isinstance(await ask(watch, user), DeviceNotReady)
            assert await watch.reaches(DeviceState.CONNECTED)
            assert watch.sessions.tallies.ends == {"crashed": 1}

    async def test_silence_keeps_its_place(self, tmp_path: Path) -> None:
        """Of 64 unanswered calls 16 are under way; all fail, and the 16 places stay taken."""
        async with watching(tmp_path, limits=replace(FAST, call_seconds=0.3)) as watch:
            await watch.connect(A)
            started = time.monotonic()
            answers = await asyncio.gather(*(ask(watch, Ask.SILENT) for _ in range(64)))
            assert time.monotonic() - started < 2
            timeouts = sum(isinstance(answer, WhatsappTimeout) for answer in answers)
            refused = [answer for answer in answers if isinstance(answer, Busy)]
            assert (timeouts, len(refused)) == (16, 48)
            assert {error.retry_after for error in refused} == {1}
            assert watch.sessions.load() == {"under_way": 16, "abandoned": 16, "waiting": 0}
            assert isinstance(await ask(watch), Busy)

    async def test_late_replies_free_the_places(self, tmp_path: Path) -> None:
        """Replies that nobody waits for any more make room for others."""
        limits = replace(FAST, call_seconds=0.2, calls_under_way=2)
        async with watching(tmp_path, limits=limits) as watch:
            await watch.connect(A)
            assert kinds([await ask(watch, Ask.SILENT)]) == {WhatsappTimeout}
            assert watch.sessions.load()["under_way"] == 1
            assert isinstance(await ask(watch, Ask.RELEASE), Picture)
            assert watch.sessions.load()["under_way"] == 0

    async def test_death_frees_the_places(self, tmp_path: Path) -> None:
        """The next process starts with all places free."""
        limits = replace(FAST, call_seconds=0.2, calls_under_way=1)
        async with watching(tmp_path, limits=limits) as watch:
            await watch.connect(A)
            assert kinds([await ask(watch, Ask.SILENT)]) == {WhatsappTimeout}
            watch.signal(signal.SIGKILL)
            assert await eventually(lambda: watch.sessions.load()["under_way"] == 0)
            assert await watch.reaches(DeviceState.CONNECTED)
            assert isinstance(await ask(watch), Picture)

    async def test_turns_come_in_order(self, tmp_path: Path) -> None:
        """More callers than places are all served when answers come."""
        async with watching(tmp_path, limits=replace(FAST, calls_under_way=2)) as watch:
            await watch.connect(A)
            answers = await asyncio.gather(*(ask(watch) for _ in range(50)))
            assert kinds(answers) == {Picture}
            assert watch.sessions.tallies.calls == {"OK": 50}

    async def test_waiting_room_is_bounded(self, tmp_path: Path) -> None:
        """A caller beyond the bound is turned away at once."""
        limits = replace(FAST, calls_under_way=1, calls_waiting=2, call_seconds=0.4)
        async with watching(tmp_path, limits=limits) as watch:
            await watch.connect(A)
            early = [asyncio.create_task(ask(watch, Ask.SILENT)) for _ in range(3)]
            assert await eventually(lambda: watch.sessions.load()["waiting"] == 2)
            started = time.monotonic()
            assert isinstance(await ask(watch), Busy)
            assert time.monotonic() - started < 0.2
            assert len(await asyncio.gather(*early)) == 3

    async def test_cancelled_waiters_leave(self, tmp_path: Path) -> None:
        """A caller that goes away while waiting takes no place."""
        async with watching(tmp_path, limits=replace(FAST, calls_under_way=1)) as watch:
            await watch.connect(A)
            silent = asyncio.create_task(ask(watch, Ask.SILENT))
            assert await eventually(lambda: watch.sessions.load()["under_way"] == 1)
            waiter = asyncio.create_task(ask(watch))
            assert await eventually(lambda: watch.sessions.load()["waiting"] == 1)
            waiter.cancel()
            await asyncio.wait({waiter})
            assert watch.sessions.load()["waiting"] == 0
            silent.cancel()
            watch.signal(signal.SIGKILL)
            assert await eventually(lambda: watch.sessions.tallies.ends == {"crashed": 1})
            assert await watch.reaches(DeviceState.CONNECTED)
            assert isinstance(await ask(watch), Picture)

    async def test_reconnecting_is_waited_for(self, tmp_path: Path) -> None:
        """A call waits a little while the engine reconnects."""
        async with watching(tmp_path) as watch:
            await watch.connect(A)
            watch.signal(signal.SIGUSR2)
            assert await watch.reaches(DeviceState.RECONNECTING)
            call = asyncio.create_task(ask(watch))
            assert await eventually(lambda: watch.sessions.load()["waiting"] == 1)
            watch.signal(signal.SIGUSR1)
            assert isinstance(await call, Picture)

    async def test_reconnecting_is_not_waited_for_long(self, tmp_path: Path) -> None:
        """A call gives up when the connection stays away."""
        limits = replace(FAST, connected_wait_seconds=0.1, connect_seconds=30)
        async with watching(tmp_path, limits=limits) as watch:
            await watch.connect(A)
            watch.signal(signal.SIGUSR2)
            assert await watch.reaches(DeviceState.RECONNECTING)
            with pytest.raises(DeviceNotReady) as caught:
                await watch.sessions.require_connected(A)
            assert caught.value.state == DeviceState.RECONNECTING


class TestLifecycle:
    """When processes start, and when they end."""

    async def test_crash_loop(self, tmp_path: Path) -> None:
        """Five deaths in a short time make a crash loop, which is told at once."""
        async with watching(tmp_path, Behaviour(hello="nonsense")) as watch:
            watch.sessions.start([A])
            assert await watch.reaches(DeviceState.CRASH_LOOP)
            assert watch.sessions.tallies.ends == {"crashed": 5}
            error = await ask(watch)
            assert isinstance(error, DeviceNotReady)
            assert error.state == DeviceState.CRASH_LOOP

    async def test_crash_loop_ends(self, tmp_path: Path) -> None:
        """A slow retry that connects ends the crash loop."""
        bad = Behaviour(hello="nonsense")
        limits = replace(FAST, slow_retry_seconds=0.05)
        async with watching(tmp_path, *[bad] * 6, Behaviour(), limits=limits) as watch:
            watch.sessions.start([A])
            assert await watch.reaches(DeviceState.CRASH_LOOP)
            assert await watch.reaches(DeviceState.CONNECTED)

    async def test_silent_process(self, tmp_path: Path) -> None:
        """A process that never says hello is killed and replaced."""
        limits = replace(FAST, hello_seconds=2, stop_seconds=0.1)
        mute = Behaviour(hello="never", deaf=True)
        async with watching(tmp_path, mute, Behaviour(), limits=limits) as watch:
            await watch.connect(A)
            assert set(watch.sessions.tallies.ends) == {"hung"}

    @pytest.mark.parametrize("states", [("CONNECTING",), ("CONNECTING", "RECONNECTING")])
    async def test_no_connection_in_time(self, tmp_path: Path, states: tuple[str, ...]) -> None:
        """A process that does not connect in time is replaced."""
        async with watching(tmp_path, Behaviour(states=states), Behaviour()) as watch:
            await watch.connect(A)
            assert watch.sessions.tallies.ends == {"hung": 1}

    async def test_lost_connection_has_a_deadline(self, tmp_path: Path) -> None:
        """A connection that does not come back in time costs the process its place."""
        async with watching(tmp_path) as watch:
            await watch.connect(A)
            first = watch.sessions.pids()[A]
            watch.signal(signal.SIGUSR2)
            assert await eventually(lambda: watch.sessions.pids().get(A, first) != first)
            assert await watch.reaches(DeviceState.CONNECTED)

    async def test_failed_connection_is_no_crash(self, tmp_path: Path) -> None:
        """Failing to reach WhatsApp again and again is no crash loop."""
        async with watching(tmp_path, Behaviour(states=("CONNECTING", "FAILED"))) as watch:
            watch.sessions.start([A])
            assert await eventually(lambda: watch.sessions.tallies.ends["failed"] >= 6)
            assert watch.sessions.state(A) == DeviceState.CONNECTING

    async def test_busy_store_is_tried_again(self, tmp_path: Path) -> None:
        """A store that another process holds is waited for."""
        async with watching(tmp_path, Behaviour(hello="busy"), Behaviour()) as watch:
            await watch.connect(A)
            assert watch.sessions.tallies.ends == {"store_busy": 1}

    async def test_refused_store(self, tmp_path: Path) -> None:
        """A store that cannot be opened shows as such."""
        async with watching(tmp_path, Behaviour(hello="refused")) as watch:
            watch.sessions.start([A])
            assert await watch.reaches(DeviceState.STORE_REFUSED)

    @pytest.mark.parametrize(
        ("user", "state"),
        [
            (Ask.LOGGED_OUT, DeviceState.LOGGED_OUT),
            (Ask.REPLACED, DeviceState.REPLACED),
            (Ask.BANNED, DeviceState.BANNED),
            (Ask.OUTDATED, DeviceState.OUTDATED),
        ],
    )
    async def test_final_states(self, tmp_path: Path, user: Ask, state: DeviceState) -> None:
        """What WhatsApp ends stays ended, its process is gone, and callers are told."""
        async with watching(tmp_path) as watch:
            await watch.connect(A)
            error = await ask(watch, user)
            assert isinstance(error, DeviceNotReady)
            assert error.state == state
            assert await eventually(lambda: not watch.sessions.pids())
            assert watch.sessions.states() == {A: state}
            assert watch.sessions.tallies.starts == {"started": 1}
            assert watch.logged_out == ([A] if user == Ask.LOGGED_OUT else [])

    async def test_log_out_that_is_not_recorded(self, tmp_path: Path) -> None:
        """A fault of whoever records a log-out stays without consequence."""

        class Failing(Watch):
            async def on_logged_out(self, device: DeviceId) -> None:
                await super().on_logged_out(device)
                raise RuntimeError

        async with watching(tmp_path, kind=Failing) as watch:
            await watch.connect(A)
            await ask(watch, Ask.LOGGED_OUT)
            assert await eventually(lambda: watch.logged_out == [A])
            assert watch.sessions.state(A) == DeviceState.LOGGED_OUT

    async def test_failed_after_connected(self, tmp_path: Path) -> None:
        """A process whose engine gives up is replaced."""
        async with watching(tmp_path) as watch:
            await watch.connect(A)
            error = await ask(watch, Ask.FAILED)
            assert isinstance(error, DeviceNotReady)
            assert error.state == DeviceState.RECONNECTING
            assert await watch.reaches(DeviceState.CONNECTED)

    async def test_wrong_engine(self, tmp_path: Path) -> None:
        """A process that is no sandbox is never allowed to connect in one."""
        async with watching(tmp_path, Behaviour(sandbox=False)) as watch:
            watch.sessions.start([A])
            assert await watch.reaches(DeviceState.CRASH_LOOP)
            assert await eventually(lambda: not watch.sessions.pids())
            assert watch.sessions.tallies.ends == {"wrong_engine": 1}

    async def test_store_without_device(self, tmp_path: Path) -> None:
        """A device whose store turns out empty is new, and is not dialled."""
        async with watching(tmp_path, Behaviour(linked=False)) as watch:
            watch.sessions.start([A])
            assert await watch.reaches(DeviceState.NEW)
            assert watch.sessions.tallies.ends == {"not_linked": 1}

    async def test_command_that_cannot_be_run(self, tmp_path: Path) -> None:
        """A command that does not exist ends in a crash loop, not in a dead service."""
        async with watching(tmp_path, command=(str(tmp_path / "absent"),)) as watch:
            watch.sessions.start([A])
            assert await watch.reaches(DeviceState.CRASH_LOOP)
            assert watch.sessions.tallies.starts["failed"] == 5

    async def test_starts_are_bounded(self, tmp_path: Path) -> None:
        """No more processes than allowed load the engine at one time."""
        async with watching(tmp_path, limits=replace(FAST, starts_at_once=1)) as watch:
            watch.behave(Behaviour(hello="never"))
            watch.behave(Behaviour(), device=B)
            watch.sessions.start([A])
            assert await eventually(lambda: A in watch.sessions.pids())
            watch.sessions.start([B])
            assert await eventually(lambda: watch.sessions.state(B) == DeviceState.CONNECTING)
            assert set(watch.sessions.pids()) == {A}

    async def test_one_death_concerns_one_device(self, tmp_path: Path) -> None:
        """The death of one device's process leaves the other's alone."""
        async with watching(tmp_path) as watch:
            watch.behave(Behaviour(), device=B)
            await watch.connect(A, B)
            other = watch.sessions.pids()[B]
            await ask(watch, Ask.DIE)
            assert watch.sessions.state(B) == DeviceState.CONNECTED
            assert watch.sessions.pids()[B] == other


class TestStop:
    """What is left when the service ends."""

    async def test_everything_ends(self, tmp_path: Path) -> None:
        """All processes end when asked, and later questions are refused."""
        async with watching(tmp_path) as watch:
            watch.behave(Behaviour(), device=B)
            await watch.connect(A, B)
            pids = list(watch.sessions.pids().values())
            await watch.sessions.stop()
            assert [is_alive(pid) for pid in pids] == [False, False]
            assert watch.sessions.pids() == {}
            assert isinstance(await ask(watch), ServiceUnavailable)

    async def test_hanging_process_is_killed(self, tmp_path: Path) -> None:
        """A process that ignores the request to stop is killed in time, in parallel."""
        deaf = Behaviour(deaf=True)
        async with watching(tmp_path, deaf) as watch:
            watch.behave(deaf, device=B)
            await watch.connect(A, B)
            pids = list(watch.sessions.pids().values())
            started = time.monotonic()
            await watch.sessions.stop()
            assert 0.4 < time.monotonic() - started < 1.5
            assert [is_alive(pid) for pid in pids] == [False, False]

    async def test_stopped_process_is_killed(self, tmp_path: Path) -> None:
        """A process that is frozen is killed in time."""
        async with watching(tmp_path) as watch:
            await watch.connect(A)
            pid = watch.sessions.pids()[A]
            watch.signal(signal.SIGSTOP)
            await watch.sessions.stop()
            assert not is_alive(pid)

    async def test_stop_while_starting(self, tmp_path: Path) -> None:
        """Stopping does not wait for a process that has not spoken yet."""
        async with watching(tmp_path, Behaviour(hello="never")) as watch:
            watch.sessions.start([A])
            assert await eventually(lambda: A in watch.sessions.pids())
            pid = watch.sessions.pids()[A]
            await watch.sessions.stop()
            assert not is_alive(pid)

    async def test_stop_during_a_pause(self, tmp_path: Path) -> None:
        """Stopping cuts the pause before the next try short."""
        async with watching(tmp_path, Behaviour(hello="refused")) as watch:
            watch.sessions.start([A])
            assert await watch.reaches(DeviceState.STORE_REFUSED)
            assert await eventually(lambda: not watch.sessions.pids())
            started = time.monotonic()
            await watch.sessions.stop()
            assert time.monotonic() - started < 0.5


class TestSpawn:
    """What a process inherits and leaves."""

    async def test_environment_is_picked(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """NO_PROXY, ALL_PROXY and whatever else is not allowed stay behind."""
        for name in ("NO_PROXY", "no_proxy", "ALL_PROXY", "WUTS_TOKEN", "HOME"):
            monkeypatch.setenv(name, "*")
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
        async with watching(tmp_path) as watch:
            await watch.connect(A)
            names = variables(watch.sessions.pids()[A])
            assert names >= {"HTTPS_PROXY", "PYTHONSAFEPATH"}
            assert not names & {"NO_PROXY", "no_proxy", "ALL_PROXY", "WUTS_TOKEN", "HOME"}

    async def test_descriptors_are_picked(self, tmp_path: Path) -> None:
        """A process has its three standard streams, and one socket."""
        with (tmp_path / "secret").open("w") as secret:
            os.set_inheritable(secret.fileno(), True)  # it takes no keyword
            async with watching(tmp_path) as watch:
                await watch.connect(A)
                targets = descriptors(watch.sessions.pids()[A])
        assert sum(target.startswith("socket:") for target in targets) == 1
        assert not [target for target in targets if "secret" in target]

    async def test_own_process_session(self, tmp_path: Path) -> None:
        """A process leads a session of its own, so that Ctrl-C passes it by."""
        async with watching(tmp_path) as watch:
            await watch.connect(A)
            pid = watch.sessions.pids()[A]
            assert os.getsid(pid) == pid

    async def test_output_is_counted(self, tmp_path: Path) -> None:
        """Lines are counted by level; without the setting no file keeps them."""
        lines = ["INFO x 5511999999999", "ERROR y", "ERROR z", "Press Ctrl+C", "E" * 100_000]
        async with watching(tmp_path, Behaviour(output=lines)) as watch:
            await watch.connect(A)
            expected = {"INFO": 1, "ERROR": 2, "OTHER": 2}
            assert await eventually(lambda: watch.sessions.tallies.lines == expected)
            assert not (tmp_path / A / "session.log").exists()

    async def test_private_log(self, tmp_path: Path) -> None:
        """With the setting the output goes to a file for the owner's eyes only."""
        file = tmp_path / A / "session.log"
        async with watching(tmp_path, Behaviour(output=["ERROR y"]), session_log=True) as watch:
            await watch.connect(A)
            assert await eventually(file.exists)
            assert await eventually(lambda: file.read_text() == "ERROR y\n")
            assert stat.S_IMODE(file.stat().st_mode) == 0o600

    async def test_directory_is_private(self, tmp_path: Path) -> None:
        """A device's directory is made for the owner only."""
        async with watching(tmp_path) as watch:
            watch.sessions.start([B])
            assert await eventually((tmp_path / B).exists)
            assert stat.S_IMODE((tmp_path / B).stat().st_mode) == 0o700

    async def test_unsafe_device_id(self, tmp_path: Path) -> None:
        """An id that leads out of the directory is refused."""
        async with watching(tmp_path) as watch:
            with pytest.raises(ValueError, match="folder name"):
                watch.sessions.start([type(A)("../escape")])

    def test_uvloop(self, tmp_path: Path) -> None:
        """All of it works on the service's own event loop."""

        async def scenario() -> object:
            async with watching(tmp_path) as watch:
                await watch.connect(A)
                await ask(watch, Ask.DIE)
                assert await watch.reaches(DeviceState.CONNECTED)
                return await watch.sessions.roster(A, parse_group("120363039000000000@g.us"))

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            assert runner.run(scenario())
