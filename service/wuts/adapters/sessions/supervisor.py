"""Keeps one device's session process alive, and knows the device's state."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import structlog

from wuts.adapters.sessions.beacon import Beacon
from wuts.adapters.sessions.life import End, How, Life
from wuts.adapters.sessions.restarts import Restarts
from wuts.domain.state import DeviceState

if TYPE_CHECKING:
    from wuts.adapters.sessions.calls import CallTable
    from wuts.adapters.sessions.linking import Linking
    from wuts.adapters.sessions.surroundings import Surroundings
    from wuts.domain.caller import DeviceId

_LOG = structlog.get_logger(__name__)

HOPEFUL: Final = frozenset({DeviceState.CONNECTING, DeviceState.RECONNECTING})
"""States that are expected to become CONNECTED soon."""

_LASTING: Final = frozenset({DeviceState.CRASH_LOOP, DeviceState.STORE_REFUSED, DeviceState.BANNED})
"""States that a mere new try does not end; a connection does."""

_FINAL: Final = {
    How.LOGGED_OUT: DeviceState.LOGGED_OUT,
    How.REPLACED: DeviceState.REPLACED,
    How.OUTDATED: DeviceState.OUTDATED,
    How.WRONG_ENGINE: DeviceState.CRASH_LOOP,
}
"""Ends after which nothing is tried until someone asks for it."""

_STOP_MARGIN_SECONDS = 5.0
"""Reaping and draining, on top of what the process itself gets."""


class Supervisor:
    """Runs a process whenever the device should be connected or is being linked.

    All methods belong to the event loop's thread. `linking` hears of what
    concerns it.
    """

    def __init__(self, around: Surroundings, device: DeviceId, linking: Linking) -> None:
        self._around = around
        self._device = device
        self._linking = linking
        self._log = _LOG.bind(device=device)
        self._restarts = Restarts(around.limits, asyncio.get_running_loop().time)
        self.state = DeviceState.NEW
        self.changed = Beacon()
        self._unlinked = DeviceState.NEW
        self._wanted = False
        self._was_connected = False
        self._life: Life | None = None
        self._pause = 0.0
        self._hurry = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def calls(self) -> CallTable | None:
        """The calls of the running process, if there is one."""
        return None if self._life is None else self._life.calls

    @property
    def pid(self) -> int | None:
        """The process id, if there is a process."""
        return None if self._life is None else self._life.pid

    def start(self) -> None:
        """Connects the device, and keeps it connected from now on."""
        self._wanted = True
        if self.state not in HOPEFUL and self.state != DeviceState.CONNECTED:
            self._enter(DeviceState.CONNECTING)
        self.run()

    def run(self) -> None:
        """Starts a process now, if there is none and one is needed."""
        self._pause = 0.0
        self._hurry.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._supervise())

    async def stop(self) -> None:
        """Ends the process, if there is one, and starts no other."""
        self._wanted = False
        if self._task is not None:
            self._task.cancel()
            seconds = self._around.limits.stop_seconds + _STOP_MARGIN_SECONDS
            await asyncio.wait({self._task}, timeout=seconds)

    def end_linking(self) -> None:
        """Ends a process that only links; a linked device stays connected."""
        if self._wanted:
            return
        if self._life is not None:
            self._life.finish(End(How.LINK_FAILED))
            return
        self._enter(self._unlinked)
        self._hurry.set()

    # What a life tells.

    def introduced(self, *, linked: bool) -> bool:
        """Hears whether the store holds a device; tells whether to go on."""
        self._wanted = linked
        return linked or self._linking.is_under_way

    def entered(self, state: DeviceState) -> None:
        """Hears of a new state of the connection."""
        if state in HOPEFUL and self.state in _LASTING:
            return
        again = state == DeviceState.CONNECTING and self._was_connected
        self._enter(DeviceState.RECONNECTING if again else state)
        if state == DeviceState.CONNECTED:
            self._was_connected = True
            self._restarts.note_connected()
            self._linking.on_connected()

    def paired(self) -> None:
        """Hears that the device is linked now."""
        self._wanted = True
        self._linking.on_paired()

    def showed(self, qr_text: str) -> None:
        """Hears of a new QR code."""
        self._linking.on_code(qr_text)

    def ended(self, end: End) -> DeviceState:
        """Hears how a process ended, and decides what comes next."""
        self._around.tallies.ends[end.how] += 1
        self._enter(self._state_after(end))
        self._log.warning(
            "session ended",
            how=end.how.value,
            code=end.code,
            cause=end.cause,
            retry_in=round(self._pause, 1) if self._wanted else None,
        )
        if end.how not in {How.CRASHED, How.HUNG} or self.state in _LASTING:
            self._linking.on_failed(self.state)
        if end.how == How.LOGGED_OUT:
            self._linking.on_logged_out()
        return self.state

    def _state_after(self, end: End) -> DeviceState:
        """Sets the pause before the next process, if there is to be one."""
        limits = self._around.limits
        self._pause = self._restarts.pause()
        if end.how in _FINAL:
            self._wanted = self._was_connected = False
            if end.how == How.LOGGED_OUT:
                self._unlinked = DeviceState.LOGGED_OUT
            return _FINAL[end.how]
        if end.how in {How.NOT_LINKED, How.LINK_FAILED}:
            return self._unlinked
        if end.how == How.BANNED:
            self._pause = min(end.ban_seconds or limits.ban_seconds, limits.ban_cap_seconds)
            return DeviceState.BANNED
        if end.how == How.STORE_REFUSED:
            self._pause = limits.slow_retry_seconds
            return DeviceState.STORE_REFUSED
        return self._state_after_loss(end)

    def _state_after_loss(self, end: End) -> DeviceState:
        loops = end.how == How.CRASHED and self._restarts.note_death()
        if loops or self.state == DeviceState.CRASH_LOOP:
            self._pause = self._around.limits.slow_retry_seconds
            return DeviceState.CRASH_LOOP
        if self.state in _LASTING:
            return self.state
        if self._wanted:
            lost = self._was_connected
            return DeviceState.RECONNECTING if lost else DeviceState.CONNECTING
        # A process that died while linking is replaced, and shows new codes.
        links_on = self._linking.is_under_way and end.how in {How.CRASHED, How.HUNG}
        return DeviceState.LINKING if links_on else self._unlinked

    async def _supervise(self) -> None:
        while self._wanted or self._linking.is_under_way:
            await self._live()
            await self._rest()

    async def _live(self) -> None:
        """Runs one process; whatever goes wrong with it ends that process only."""
        directory = self._around.devices_directory / self._device
        self._life = Life(self._around, directory, self)
        try:
            await self._life.run()
        except Exception as error:  # noqa: BLE001 # this task must outlive every fault
            self._log.error("session could not run", error=type(error).__name__)  # texts hold paths
            self._life.finish(End(How.CRASHED))
        finally:
            self._life = None

    async def _rest(self) -> None:
        """Waits for the time of the next start, or until someone is in a hurry."""
        self._hurry.clear()
        if self._pause and (self._wanted or self._linking.is_under_way):
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pause):
                    await self._hurry.wait()

    def _enter(self, state: DeviceState) -> None:
        if state != self.state:
            self.state = state
            self._log.info("device state", state=state.value)
            self.changed.flash()
