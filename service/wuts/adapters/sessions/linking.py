"""Linking a device, watched by any number of callers."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from wuts.adapters.sessions.attempt import Attempt, Shown
from wuts.adapters.sessions.ends import How
from wuts.domain.device import PairCode
from wuts.domain.errors import DomainError, ServiceUnavailable
from wuts.ports import Linked

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from wuts.adapters.sessions.surroundings import Surroundings
    from wuts.domain.caller import DeviceId
    from wuts.domain.jid import Jid

_LOG = structlog.get_logger(__name__)


class Linking:
    """The attempts to link one device, at most one at a time.

    `give_up` is called with the reason when an attempt ends without its process
    having done so; `ask_pair_code` asks the process.
    """

    def __init__(
        self,
        around: Surroundings,
        device: DeviceId,
        *,
        give_up: Callable[[How], None],
        ask_pair_code: Callable[[Jid], Awaitable[str]],
    ) -> None:
        self._around = around
        self._device = device
        self._give_up = give_up
        self._ask_pair_code = ask_pair_code
        self._loop = asyncio.get_running_loop()
        self._codes_end = 0.0
        self._is_unrecorded = False
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._errands: set[asyncio.Task[None]] = set()
        self.attempt: Attempt | None = None

    @property
    def is_under_way(self) -> bool:
        """Tells whether someone wants the device linked."""
        return self.attempt is not None

    def join(self) -> Attempt:
        """Joins the attempt under way, or begins one."""
        if self.attempt is None:
            self.attempt = Attempt()
            self._set_timer("deadline", self._around.limits.link_seconds, How.QR_TIMEOUT)
        self.attempt.watchers += 1
        self._cancel_timer("abandoned")
        return self.attempt

    def leave(self, attempt: Attempt) -> None:
        """Leaves an attempt; when all have left, it ends before long."""
        attempt.watchers -= 1
        if attempt is self.attempt and not attempt.watchers and not attempt.is_kept:
            seconds = self._around.limits.abandoned_link_seconds
            self._set_timer("abandoned", seconds, How.LINK_ABANDONED)

    def want_pair_code(self, attempt: Attempt, phone: Jid) -> None:
        """Asks for a pair code, as soon as that can be asked."""
        attempt.begin_pair_code(phone)
        if attempt.code is not None:
            self._run(self._fetch_pair_code(attempt, phone))

    def on_codes_lost(self) -> None:
        """Notes that another process is to show codes; those shown are worth nothing."""
        self._codes_end = 0.0
        if self.attempt is not None:
            self.attempt.begin_codes()

    def on_code(self, text: str) -> None:
        """Shows a new QR code."""
        attempt, limits = self.attempt, self._around.limits
        if attempt is None:
            return
        is_first = attempt.code is None
        ttl = limits.first_code_seconds if is_first else limits.code_seconds
        if is_first:
            self._codes_end = self._loop.time() + limits.codes_seconds
        attempt.show(Shown(text, ttl, self._around.clock(), self._loop.time() + ttl))
        if is_first and attempt.phone is not None:
            self._run(self._fetch_pair_code(attempt, attempt.phone))

    def on_paired(self) -> None:
        """Notes that the device must be recorded, whatever becomes of the attempt."""
        self._is_unrecorded = True

    def on_connected(self) -> None:
        """Records a device just linked, and concludes the attempt, if there is one."""
        if self.attempt is not None or self._is_unrecorded:
            self._run(self._conclude(self.attempt))

    def on_failed(self, error: DomainError) -> None:
        """Ends the attempt, if there is one."""
        self._finish(error)

    def on_logged_out(self) -> None:
        """Passes on that the link has ended."""
        self._run(self._tell_logged_out())

    async def stop(self) -> None:
        """Ends everything that runs."""
        errands = tuple(self._errands)
        for task in errands:
            task.cancel()
        await asyncio.gather(*errands, return_exceptions=True)

    async def _fetch_pair_code(self, attempt: Attempt, phone: Jid) -> None:
        try:
            code = await self._ask_pair_code(phone)
        except DomainError as error:
            if attempt.phone == phone:
                attempt.fail_pair_code(error)
            return
        left = timedelta(seconds=max(0.0, self._codes_end - self._loop.time()))
        if attempt.phone == phone:
            attempt.show_pair_code(PairCode(code, phone, self._around.clock() + left))

    async def _conclude(self, attempt: Attempt | None) -> None:
        outcome = await self._record()
        if attempt is not None and attempt is self.attempt:
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
        attempt, self.attempt = self.attempt, None
        for name in tuple(self._timers):
            self._cancel_timer(name)
        if attempt is not None:
            attempt.finish(outcome)

    def _run(self, errand: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(errand)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    def _set_timer(self, name: str, seconds: float, how: How) -> None:
        self._cancel_timer(name)
        self._timers[name] = self._loop.call_later(seconds, self._give_up, how)

    def _cancel_timer(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()
