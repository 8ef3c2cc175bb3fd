"""Keeps one device's session process alive, and knows the device's state."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from contextvars import Context
from typing import TYPE_CHECKING

import structlog

from wuts.adapters.sessions.beacon import Beacon
from wuts.adapters.sessions.ends import End, How, end_of_start
from wuts.adapters.sessions.life import Life
from wuts.adapters.sessions.outlook import LASTING, Before, outlook
from wuts.adapters.sessions.restarts import Restarts
from wuts.adapters.sessions.standing import HOPEFUL, Standing
from wuts.adapters.sessions.syncing import FirstSync
from wuts.domain.state import SERVING, DeviceState

if TYPE_CHECKING:
    from wuts.adapters.sessions.calls import CallTable
    from wuts.adapters.sessions.linking import Linking
    from wuts.adapters.sessions.surroundings import Surroundings
    from wuts.domain.caller import DeviceId
    from wuts.domain.enquiry import Change
    from wuts.domain.errors import DomainError

_LOG = structlog.get_logger(__name__)

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
        self._loop = asyncio.get_running_loop()
        self._restarts = Restarts(around.limits, self._loop.time)
        self._first_sync = FirstSync(around, device, self._on_synced)
        self._unlinked = DeviceState.NEW
        self._logged_out_reason = ""
        self._wanted = False
        self._was_connected = False
        self._life: Life | None = None
        self._retry_at = 0.0
        self._hurry = asyncio.Event()
        self._gone = Beacon()
        self._task: asyncio.Task[None] | None = None
        self.standing = Standing(around.clock)
        self.is_linked: bool | None = None
        """Whether the store holds a device; None until a process has looked."""

    @property
    def state(self) -> DeviceState:
        """The state of the device now."""
        return self.standing.state

    @property
    def life(self) -> Life | None:
        """The life of the running process, if there is one."""
        return self._life

    @property
    def calls(self) -> CallTable | None:
        """The calls of the running process, if there is one."""
        return None if self._life is None else self._life.calls

    def recall(self, state: DeviceState, reason: str) -> None:
        """Takes over how the device stood before the service was restarted."""
        if self._task is not None or self.state != DeviceState.NEW:
            return
        if state == DeviceState.LOGGED_OUT:
            self._unlinked, self.is_linked = state, False
            self._logged_out_reason = reason
        elif state == DeviceState.DISCONNECTED:
            self.is_linked = True
        self.standing.enter(state, reason)

    def start(self) -> None:
        """Connects the device, and keeps it connected from now on."""
        self._wanted = True
        if self.state not in HOPEFUL | SERVING:
            self._was_connected = False
            self._enter(DeviceState.CONNECTING)
        self.run()

    def run(self) -> None:
        """Starts a process now, if there is none and one is needed."""
        self._retry_at = 0.0
        self._hurry.set()
        if self._task is None or self._task.done():
            # It outlives the call that began it, and takes nothing of its context along.
            self._task = asyncio.create_task(self._supervise(), context=Context())

    def finish(self, end: End) -> None:
        """Ends the process, if there is one, and goes on as that end demands."""
        if self._life is not None:
            self._life.finish(end)

    def disconnect(self) -> None:
        """Ends the connection, or linking, and tries nothing any more."""
        if self._lives:
            self.finish(End(How.DISCONNECTED))
        else:
            self.ended(End(How.DISCONNECTED))
        self._wanted = False
        self._hurry.set()

    async def quiet(self) -> None:
        """Waits until the process that runs now, if any, is gone."""
        life = self._life
        with suppress(TimeoutError):
            async with asyncio.timeout(self._end_seconds):
                while life is not None and self._life is life:
                    await self._gone.wait()

    async def stop(self) -> None:
        """Ends the process, if there is one, and starts no other."""
        self._wanted = False
        self._first_sync.pause()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=self._end_seconds)

    def end_linking(self, how: How) -> None:
        """Ends a process that only links; a linked device stays connected."""
        if self._wanted:
            return
        if self._lives:
            self.finish(End(how))
        else:
            self._enter(self._unlinked, End(how).reason)
            self._hurry.set()

    # What a life tells.

    def introduced(self, *, linked: bool) -> bool:
        """Hears whether the store holds a device; tells whether to go on."""
        self._wanted = self.is_linked = linked
        return linked or self._linking.is_under_way

    def entered(self, state: DeviceState, reason: str) -> None:
        """Hears of a new state of the connection."""
        if state == DeviceState.CONNECTED:
            self._on_connected()
            return
        self._first_sync.pause()
        if state == DeviceState.LINKING:
            self._linking.on_codes_lost()
        if state in HOPEFUL and self.state in LASTING:
            return
        if state == DeviceState.CONNECTING and self._was_connected:
            state = DeviceState.RECONNECTING
        if state == self.state:
            reason = reason or self.standing.reason
        self._enter(state, reason)

    def paired(self) -> None:
        """Hears that the device is linked now."""
        self._wanted = self.is_linked = True
        self._first_sync.start_over()
        self._linking.on_paired()

    def showed(self, qr_text: str) -> None:
        """Hears of a new QR code."""
        self._linking.on_code(qr_text)

    def changed(self, change: Change) -> None:
        """Hears that what is known of a chat is outdated."""
        self._around.changes.tell(self._device, change)

    def ended(self, end: End) -> None:
        """Hears how a process ended, and decides what comes next."""
        self._first_sync.pause()
        then = outlook(end, self._before(), self._around.limits, self._restarts)
        if then.pause is None:
            self._wanted = self._was_connected = False
        if end.how == How.LOGGED_OUT:
            self._unlinked, self.is_linked = DeviceState.LOGGED_OUT, False
            self._logged_out_reason = end.reason
            self._first_sync.start_over()
        self._retry_at = self._loop.time() + (then.pause or 0.0)
        self._enter(
            then.state,
            then.reason,
            retry_in=then.pause,
            ban_seconds=end.ban_seconds or None,
        )
        self._log_end(end, then.pause)
        self._tell_linking(end)

    def refuse(self) -> DomainError:
        """Gives what callers are told who need a connection."""
        return self.standing.refusal

    @property
    def _end_seconds(self) -> float:
        return self._around.limits.stop_seconds + _STOP_MARGIN_SECONDS

    @property
    def _lives(self) -> bool:
        """Whether there is a process that is not about to go."""
        return self._life is not None and not self._life.is_over

    def _before(self) -> Before:
        # A device that was to be connected is believed to be linked.
        is_linked = self._wanted or self.state == DeviceState.DISCONNECTED
        return Before(
            state=self.state,
            unlinked=self._unlinked,
            is_wanted=self._wanted,
            is_linked=is_linked if self.is_linked is None else self.is_linked,
            is_linking=self._linking.is_under_way,
            was_connected=self._was_connected,
            reason=self.standing.reason,
            logged_out_reason=self._logged_out_reason,
        )

    def _log_end(self, end: End, pause: float | None) -> None:
        self._around.tallies.ends[end.how] += 1
        if pause is not None:
            self._around.tallies.restarts[end.how] += 1
        details = {"code": end.code, "cause": end.cause, "holder": end.holder}
        if pause is not None:
            details["retry_in"] = round(pause)
        details = {name: value for name, value in details.items() if value}
        log = self._log.info if end.is_wanted else self._log.warning
        log("session ended", how=end.how.value, **details)

    def _tell_linking(self, end: End) -> None:
        if not end.links_on or self.state in LASTING:
            self._linking.on_failed(self.refuse())
        else:
            self._linking.on_codes_lost()
        if end.how == How.LOGGED_OUT:
            self._linking.on_logged_out()

    def _on_connected(self) -> None:
        self._was_connected = True
        self._restarts.note_connected()
        is_synced = self._first_sync.is_done
        self._enter(DeviceState.CONNECTED if is_synced else DeviceState.SYNCING)
        self._first_sync.start()
        self._linking.on_connected()

    def _on_synced(self) -> None:
        if self.state == DeviceState.SYNCING:
            self._enter(DeviceState.CONNECTED)

    async def _supervise(self) -> None:
        while self._wanted or self._linking.is_under_way:
            await self._live()
            await self._rest()

    async def _live(self) -> None:
        """Runs one process; whatever goes wrong with it ends that process only."""
        self.standing.try_now()
        directory = self._around.devices_directory / self._device
        self._life = Life(self._around, directory, self)
        try:
            await self._life.run()
        except Exception as error:  # noqa: BLE001 # this task must outlive every fault
            self._log.error("session could not run", error=type(error).__name__)  # texts hold paths
            self._life.finish(end_of_start(error))
        finally:
            self._life = None
            self._gone.flash()

    async def _rest(self) -> None:
        """Waits for the time of the next start, or until someone is in a hurry."""
        self._hurry.clear()
        if self._wanted or self._linking.is_under_way:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._retry_at):
                    await self._hurry.wait()

    def _enter(
        self,
        state: DeviceState,
        reason: str = "",
        *,
        retry_in: float | None = None,
        ban_seconds: float | None = None,
    ) -> None:
        if self.standing.enter(state, reason, retry_in=retry_in, ban_seconds=ban_seconds):
            why = {"reason": str(reason)} if reason else {}
            self._log.info("device state", state=state.value, **why)
