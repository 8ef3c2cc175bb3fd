"""Tests of linking, with real processes that stand in for the engine's."""

from __future__ import annotations

import asyncio
import signal
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from session.harness import ACCOUNT, FAST, A, Watch, eventually, watching
from session.stand_in import PAIR_CODE, Ask, Behaviour
from wuts.domain.device import PairCode
from wuts.domain.errors import (
    DeviceNotReady,
    DomainError,
    RateLimited,
    ServiceUnavailable,
    StoreUnavailable,
    WhatsappError,
    WhatsappTimeout,
)
from wuts.domain.jid import pn_jid
from wuts.domain.state import DeviceState
from wuts.ports import Linked, QrText

if TYPE_CHECKING:
    from pathlib import Path

    from wuts.domain.caller import DeviceId
    from wuts.domain.jid import Jid

UNLINKED = Behaviour(linked=False, codes=["code-1", "code-2"])


class Viewer:
    """Someone who watches the device being linked."""

    def __init__(self, watch: Watch) -> None:
        self.steps: list[QrText | PairCode | Linked] = []
        self.task = asyncio.create_task(self._follow(watch))

    async def _follow(self, watch: Watch) -> DomainError | None:
        steps = watch.sessions.link(A)
        try:
            async with aclosing(steps):
                async for step in steps:
                    self.steps.append(step)
        except DomainError as error:
            return error
        return None

    async def sees_code(self) -> bool:
        """Waits for the last code."""
        return await eventually(lambda: QrText("code-2") in self.steps)


class TestLink:
    """Linking a device."""

    async def test_scanned(self, tmp_path: Path) -> None:
        """Codes are shown, and the device is linked once it is connected and recorded."""
        async with watching(tmp_path, UNLINKED) as watch:
            viewer = Viewer(watch)
            assert await viewer.sees_code()
            assert watch.sessions.state(A) == DeviceState.LINKING
            watch.signal(signal.SIGUSR1)
            assert await viewer.task is None
            assert viewer.steps[-1] == Linked(ACCOUNT)
            assert watch.linked == [(A, ACCOUNT)]
            assert watch.sessions.state(A) == DeviceState.CONNECTED

    async def test_stays_connected(self, tmp_path: Path) -> None:
        """A device just linked is kept connected like any other."""
        async with watching(tmp_path, UNLINKED) as watch:
            viewer = Viewer(watch)
            assert await viewer.sees_code()
            watch.signal(signal.SIGUSR1)
            assert await viewer.task is None
            first = watch.sessions.pids()[A]
            watch.signal(signal.SIGKILL)
            assert await eventually(lambda: watch.sessions.pids().get(A, first) != first)
            assert await watch.reaches(DeviceState.CONNECTED)

    async def test_linked_already(self, tmp_path: Path) -> None:
        """A connected device is linked at once."""
        async with watching(tmp_path) as watch:
            await watch.connect(A)
            viewer = Viewer(watch)
            assert await viewer.task is None
            assert viewer.steps == [Linked(ACCOUNT)]

    async def test_linked_but_idle(self, tmp_path: Path) -> None:
        """A device that is linked but not connected is connected."""
        async with watching(tmp_path) as watch:
            viewer = Viewer(watch)
            assert await viewer.task is None
            assert viewer.steps == [Linked(ACCOUNT)]

    async def test_again_after_log_out(self, tmp_path: Path) -> None:
        """A device that was logged out can be linked again."""
        async with watching(tmp_path, Behaviour(), UNLINKED) as watch:
            await watch.connect(A)
            with pytest.raises(DeviceNotReady):
                await watch.sessions.picture(
                    A, pn_jid(Ask.LOGGED_OUT), preview=False, existing_id=""
                )
            viewer = Viewer(watch)
            assert await viewer.sees_code()
            watch.signal(signal.SIGUSR1)
            assert await viewer.task is None

    async def test_pairing_fails(self, tmp_path: Path) -> None:
        """A pairing that fails, which only a line of output tells, ends the attempt."""
        async with watching(tmp_path, UNLINKED) as watch:
            viewer = Viewer(watch)
            assert await viewer.sees_code()
            watch.signal(signal.SIGUSR2)
            error = await viewer.task
            assert isinstance(error, DeviceNotReady)
            assert error.state == DeviceState.NEW
            assert watch.sessions.state(A) == DeviceState.NEW
            assert await eventually(lambda: not watch.sessions.pids())

    async def test_nobody_scans(self, tmp_path: Path) -> None:
        """An attempt ends at its deadline, and its process with it."""
        limits = replace(FAST, link_seconds=0.6)
        async with watching(tmp_path, UNLINKED, limits=limits) as watch:
            error = await Viewer(watch).task
            assert isinstance(error, DeviceNotReady)
            assert error.state == DeviceState.NEW
            assert await eventually(lambda: not watch.sessions.pids())

    async def test_late_connection_is_recorded(self, tmp_path: Path) -> None:
        """A device that is paired in time is recorded even when it connects too late."""
        paired = replace(UNLINKED, states=("LINKING", "PAIRED"))
        limits = replace(FAST, link_seconds=2.0, connect_seconds=30)
        async with watching(tmp_path, paired, limits=limits) as watch:
            error = await Viewer(watch).task
            assert isinstance(error, DeviceNotReady)
            assert error.state == DeviceState.CONNECTING
            watch.signal(signal.SIGUSR1)
            assert await eventually(lambda: watch.linked == [(A, ACCOUNT)])
            assert watch.sessions.state(A) == DeviceState.CONNECTED

    async def test_shared(self, tmp_path: Path) -> None:
        """Two callers watch one attempt; the later one sees the present code first."""
        async with watching(tmp_path, UNLINKED) as watch:
            early = Viewer(watch)
            assert await early.sees_code()
            late = Viewer(watch)
            assert await late.sees_code()
            watch.signal(signal.SIGUSR1)
            assert [await early.task, await late.task] == [None, None]
            assert late.steps == [QrText("code-2"), Linked(ACCOUNT)]
            assert watch.sessions.tallies.starts == {"started": 1}

    async def test_abandoned(self, tmp_path: Path) -> None:
        """When the last viewer goes, the process ends soon."""
        async with watching(tmp_path, UNLINKED) as watch:
            viewer = Viewer(watch)
            assert await viewer.sees_code()
            viewer.task.cancel()
            assert await eventually(lambda: not watch.sessions.pids())
            assert watch.sessions.state(A) == DeviceState.NEW

    async def test_one_viewer_stays(self, tmp_path: Path) -> None:
        """An attempt goes on while anybody watches."""
        async with watching(tmp_path, UNLINKED) as watch:
            first, second = Viewer(watch), Viewer(watch)
            assert await first.sees_code()
            assert await second.sees_code()
            first.task.cancel()
            await asyncio.wait({first.task})
            third = Viewer(watch)
            assert await third.sees_code()
            watch.signal(signal.SIGUSR1)
            assert [await second.task, await third.task] == [None, None]

    async def test_killed_while_linking(self, tmp_path: Path) -> None:
        """A process that dies while linking is replaced, and shows its own codes."""
        async with watching(tmp_path, UNLINKED, replace(UNLINKED, codes=["code-3"])) as watch:
            viewer = Viewer(watch)
            assert await viewer.sees_code()
            watch.signal(signal.SIGKILL)
            assert await eventually(lambda: QrText("code-3", 60) in viewer.steps)
            assert watch.sessions.state(A) == DeviceState.LINKING

    async def test_crash_loop_ends_it(self, tmp_path: Path) -> None:
        """Processes that keep dying end the attempt."""
        async with watching(tmp_path, Behaviour(hello="nonsense")) as watch:
            error = await Viewer(watch).task
            assert isinstance(error, DeviceNotReady)
            assert error.state == DeviceState.CRASH_LOOP
            assert await eventually(lambda: not watch.sessions.pids())

    async def test_no_network(self, tmp_path: Path) -> None:
        """An engine that cannot reach WhatsApp ends the attempt at once."""
        async with watching(tmp_path, Behaviour(states=("CONNECTING", "FAILED"))) as watch:
            error = await Viewer(watch).task
            assert isinstance(error, DeviceNotReady)
            assert error.state == DeviceState.CONNECTING

    async def test_banned(self, tmp_path: Path) -> None:
        """A banned account is not linked."""
        async with watching(tmp_path) as watch:
            await watch.connect(A)
            with pytest.raises(DeviceNotReady):
                await watch.sessions.picture(A, pn_jid(Ask.BANNED), preview=False, existing_id="")
            error = await Viewer(watch).task
            assert isinstance(error, DeviceNotReady)
            assert error.state == DeviceState.BANNED

    async def test_stop(self, tmp_path: Path) -> None:
        """Viewers are told when the service stops."""
        async with watching(tmp_path, UNLINKED) as watch:
            viewer = Viewer(watch)
            assert await viewer.sees_code()
            await watch.sessions.stop()
            assert isinstance(await viewer.task, ServiceUnavailable)

    @pytest.mark.parametrize(
        ("fault", "expected"),
        [(StoreUnavailable(), StoreUnavailable), (RuntimeError("x"), ServiceUnavailable)],
    )
    async def test_account_not_recorded(
        self, tmp_path: Path, fault: Exception, expected: type[DomainError]
    ) -> None:
        """A device that cannot be recorded is not told to be linked, and can be tried again."""

        class Failing(Watch):
            async def account_of(self, _: DeviceId) -> Jid:
                raise fault

        async with watching(tmp_path, kind=Failing) as watch:
            assert isinstance(await Viewer(watch).task, expected)
            assert watch.linked == []
            assert watch.sessions.state(A) == DeviceState.CONNECTED


class TestCodes:
    """Codes for those who ask for one and go."""

    async def test_goes_on_unwatched(self, tmp_path: Path) -> None:
        """A code that was given away can be scanned long after everyone has gone."""
        async with watching(tmp_path, UNLINKED) as watch:
            await watch.sessions.qr_code(A, reuse=True, refresh=False)
            started = asyncio.get_running_loop().time()
            watched_for = FAST.abandoned_link_seconds * 5
            assert await eventually(
                lambda: asyncio.get_running_loop().time() - started > watched_for
            )
            assert watch.sessions.state(A) == DeviceState.LINKING
            watch.signal(signal.SIGUSR1)
            assert await eventually(lambda: watch.linked == [(A, ACCOUNT)])

    @pytest.mark.parametrize(
        ("phone", "error"), [(Ask.RATE_LIMITED, RateLimited), (Ask.SERVER_ERROR, WhatsappError)]
    )
    async def test_refused_number(
        self, tmp_path: Path, phone: Ask, error: type[DomainError]
    ) -> None:
        """What WhatsApp says of a number is passed on; another may be tried at once."""
        async with watching(tmp_path, UNLINKED) as watch:
            with pytest.raises(error):
                await watch.sessions.pair_code(A, pn_jid(phone), reuse=True, refresh=False)
            code = await watch.sessions.pair_code(A, ACCOUNT, reuse=True, refresh=False)
            assert code.code == PAIR_CODE

    async def test_unanswered_number(self, tmp_path: Path) -> None:
        """A question for a pair code that is never answered ends in time."""
        async with watching(tmp_path, UNLINKED, limits=replace(FAST, call_seconds=0.3)) as watch:
            with pytest.raises(WhatsappTimeout):
                await watch.sessions.pair_code(A, pn_jid(Ask.SILENT), reuse=True, refresh=False)

    async def test_refreshed_pair_code(self, tmp_path: Path) -> None:
        """A refreshed pair code is another process's."""
        async with watching(tmp_path, UNLINKED) as watch:
            await watch.sessions.pair_code(A, ACCOUNT, reuse=True, refresh=False)
            code = await watch.sessions.pair_code(A, ACCOUNT, reuse=True, refresh=True)
            assert not code.cached
            assert watch.sessions.tallies.starts == {"started": 2}

    async def test_killed_while_pairing(self, tmp_path: Path) -> None:
        """A process that dies is replaced, and those who wait see its own pair code."""
        async with watching(tmp_path, UNLINKED) as watch:
            async with aclosing(watch.sessions.link(A, phone=ACCOUNT)) as steps:
                first = await anext(steps)
                watch.signal(signal.SIGKILL)
                second = await anext(steps)
            assert isinstance(first, PairCode)
            assert isinstance(second, PairCode)
            assert second.expires_at > first.expires_at

    async def test_no_code_in_a_ban(self, tmp_path: Path) -> None:
        """A banned device is not linked anew before its ban ends."""
        async with watching(tmp_path) as watch:
            await watch.connect(A)
            with pytest.raises(DeviceNotReady):
                await watch.sessions.picture(A, pn_jid(Ask.BANNED), preview=False, existing_id="")
            with pytest.raises(DeviceNotReady) as caught:
                await anext(watch.sessions.link(A))
            assert caught.value.reason == "BANNED"
