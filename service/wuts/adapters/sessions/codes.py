"""Codes for callers who ask for one, rather than watch a device being linked."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

from wuts.adapters.sessions import answers, observed
from wuts.adapters.sessions.ends import End, How
from wuts.domain.errors import AlreadyLinked, QrTimeout, WhatsappTimeout
from wuts.domain.state import DeviceState
from wuts.session.v1 import session_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from wuts.adapters.sessions.attempt import Attempt
    from wuts.adapters.sessions.linking import Linking
    from wuts.adapters.sessions.supervisor import Supervisor
    from wuts.adapters.sessions.surroundings import Surroundings
    from wuts.domain.device import PairCode, QrCode
    from wuts.domain.jid import Jid


class Codes:
    """Gives codes of one device.

    Once a code is given away, the attempt it belongs to goes on without anyone
    watching. `join` joins the attempt under way, or begins one.
    """

    def __init__(
        self,
        around: Surroundings,
        supervisor: Supervisor,
        linking: Linking,
        join: Callable[[], Attempt],
    ) -> None:
        self._around = around
        self._supervisor = supervisor
        self._linking = linking
        self._join = join

    def qr_status(self) -> QrCode | None:
        """Gives the valid QR code being shown, if any."""
        attempt = self._linking.attempt
        shown = None if attempt is None else attempt.valid_code
        return None if shown is None else shown.as_code(cached=True)

    async def qr_code(self, *, reuse: bool, refresh: bool) -> QrCode:
        """Gives a QR code, which the attempt under way shows, or a new attempt."""
        with self._attempt() as attempt:
            shown = attempt.valid_code
            if shown is not None and reuse and not refresh:
                return shown.as_code(cached=True)
            before = attempt.code
            if before is not None:
                self._renew()
            async with asyncio.timeout(self._around.limits.code_wait_seconds):
                return (await attempt.next_code(before)).as_code(cached=False)

    async def pair_code(self, phone: Jid, *, reuse: bool, refresh: bool) -> PairCode:
        """Gives a pair code, which the attempt under way has, or a new attempt."""
        with self._attempt() as attempt:
            known = attempt.pair_code_for(phone)
            if known is not None and reuse and not refresh:
                return known
            if refresh and attempt.code is not None:
                self._renew()
            self._linking.want_pair_code(attempt, phone)
            async with asyncio.timeout(self._around.limits.code_wait_seconds):
                return await attempt.next_pair_code(phone)

    async def ask_pair_code(self, phone: Jid) -> str:
        """Asks the process, which must be showing QR codes."""
        calls = self._supervisor.calls
        if calls is None:
            raise self._supervisor.standing.refusal
        limits = self._around.limits
        request = pb.Request(pair_phone=pb.PairPhoneRequest(user=phone.user))
        with observed.observed(self._around.instruments, request) as question:
            try:
                async with asyncio.timeout(limits.call_seconds):
                    await calls.reserve()
                    reply = observed.told(question, request, await calls.ask(request))
            except TimeoutError:
                raise WhatsappTimeout from None
        return answers.pair_code(reply, slow_down_seconds=limits.rate_limit_seconds)

    @contextmanager
    def _attempt(self) -> Iterator[Attempt]:
        if self._supervisor.is_linked:
            raise AlreadyLinked
        attempt = self._join()
        try:
            yield attempt
            attempt.is_kept = True
        except TimeoutError:
            raise QrTimeout from None
        finally:
            self._linking.leave(attempt)

    def _renew(self) -> None:
        """Has another process show new codes."""
        if self._supervisor.state == DeviceState.LINKING:
            self._supervisor.finish(End(How.RENEWED))
