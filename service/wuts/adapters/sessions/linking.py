"""Linking a device, watched by any number of callers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from wuts.adapters.sessions.beacon import Beacon
from wuts.domain.errors import DeviceNotReady, DomainError, ServiceUnavailable
from wuts.ports import Linked, QrText

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine

    from wuts.adapters.sessions.surroundings import Surroundings
    from wuts.domain.caller import DeviceId
    from wuts.domain.state import DeviceState

_LOG = structlog.get_logger(__name__)


class Attempt:
    """Shows everyone the newest QR code, and at last the outcome.

    Nothing is queued: who reads slowly misses codes that are outdated anyway.
    """

    def __init__(self) -> None:
        self.watchers = 0
        self._code: QrText | None = None
        self._outcome: Linked | DomainError | None = None
        self._changed = Beacon()

    def show(self, text: str) -> None:
        """Replaces the code."""
        self._code = QrText(text)
        self._changed.flash()

    def finish(self, outcome: Linked | DomainError) -> None:
        """Ends the attempt."""
        self._outcome = outcome
        self._changed.flash()

    async def steps(self) -> AsyncGenerator[QrText | Linked]:
        """Yields the code that is shown, each that replaces it, and `Linked`.

        Raises the error that ended the attempt.
        """
        shown: QrText | None = None
        while self._outcome is None:
            if self._code is not None and self._code is not shown:
                shown = self._code
                yield shown
            else:
                await self._changed.wait()
        if not isinstance(self._outcome, Linked):
            raise self._outcome
        yield self._outcome


class Linking:
    """The attempts to link one device, at most one at a time.

    `give_up` is called when an attempt ends without its process having done so.
    """

    def __init__(self, around: Surroundings, device: DeviceId, give_up: Callable[[], None]) -> None:
        self._around = around
        self._device = device
        self._give_up = give_up
        self._loop = asyncio.get_running_loop()
        self._attempt: Attempt | None = None
        self._is_unrecorded = False
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._errands: set[asyncio.Task[None]] = set()

    @property
    def is_under_way(self) -> bool:
        """Tells whether someone wants the device linked."""
        return self._attempt is not None

    def join(self) -> Attempt:
        """Joins the attempt under way, or begins one."""
        if self._attempt is None:
            self._attempt = Attempt()
            self._set_timer("deadline", self._around.limits.link_seconds)
        self._attempt.watchers += 1
        self._cancel_timer("abandoned")
        return self._attempt

    def leave(self, attempt: Attempt) -> None:
        """Leaves an attempt; when all have left, it ends before long."""
        attempt.watchers -= 1
        if attempt is self._attempt and not attempt.watchers:
            self._set_timer("abandoned", self._around.limits.abandoned_link_seconds)

    def on_code(self, text: str) -> None:
        """Shows a new QR code."""
        if self._attempt is not None:
            self._attempt.show(text)

    def on_paired(self) -> None:
        """Notes that the device must be recorded, whatever becomes of the attempt."""
        self._is_unrecorded = True

    def on_connected(self) -> None:
        """Records a device just linked, and concludes the attempt, if there is one."""
        if self._attempt is not None or self._is_unrecorded:
            self._run(self._conclude(self._attempt))

    def on_failed(self, state: DeviceState) -> None:
        """Ends the attempt, if there is one; the device is left in that state."""
        self._finish(DeviceNotReady(state))

    def on_logged_out(self) -> None:
        """Passes on that WhatsApp has ended the link."""
        self._run(self._tell_logged_out())

    async def stop(self) -> None:
        """Ends everything that runs."""
        self._finish(ServiceUnavailable())
        errands = tuple(self._errands)
        for task in errands:
            task.cancel()
        await asyncio.gather(*errands, return_exceptions=True)

    async def _conclude(self, attempt: Attempt | None) -> None:
        outcome = await self._record()
        if attempt is not None and attempt is self._attempt:
            self._finish(outcome)

    async def _record(self) -> Linked | DomainError:
        """Reads and records the account of the device."""
        try:
            async with asyncio.timeout(self._around.limits.account_seconds):
                account = await self._around.account_of(self._device)
                await self._around.on_linked(self._device, account)
        except DomainError as error:
            return error
        except Exception as error:  # noqa: BLE001 # a watcher waits for an outcome
            self._complain("linked device was not recorded", error)
            return ServiceUnavailable()
        self._is_unrecorded = False
        return Linked(account)

    async def _tell_logged_out(self) -> None:
        try:
            await self._around.on_logged_out(self._device)
        except Exception as error:  # noqa: BLE001 # nobody else would see it
            self._complain("log-out was not recorded", error)

    def _complain(self, what: str, error: Exception) -> None:
        """Logs a fault without its text, which may hold a JID."""
        _LOG.error(what, device=self._device, error=type(error).__name__)

    def _finish(self, outcome: Linked | DomainError) -> None:
        attempt, self._attempt = self._attempt, None
        for name in tuple(self._timers):
            self._cancel_timer(name)
        if attempt is not None:
            attempt.finish(outcome)

    def _run(self, errand: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(errand)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    def _set_timer(self, name: str, seconds: float) -> None:
        self._cancel_timer(name)
        self._timers[name] = self._loop.call_later(seconds, self._give_up)

    def _cancel_timer(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()
