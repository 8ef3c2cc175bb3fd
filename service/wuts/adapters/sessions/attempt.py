"""One attempt to link a device: the codes it shows, and its outcome."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from wuts.adapters.sessions.beacon import Beacon
from wuts.domain.device import QrCode
from wuts.domain.errors import AlreadyLinked, DomainError
from wuts.ports import Linked, QrText

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from datetime import datetime

    from wuts.domain.device import PairCode
    from wuts.domain.jid import Jid


C = TypeVar("C")


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A QR code being shown; `until` is on the event loop's clock."""

    text: str
    ttl: int
    made_at: datetime
    until: float

    @property
    def seconds_left(self) -> float:
        """For how long it is valid."""
        return self.until - asyncio.get_running_loop().time()

    def as_text(self) -> QrText:
        """Gives it to someone who watches."""
        return QrText(self.text, max(1, math.ceil(self.seconds_left)))

    def as_code(self, *, cached: bool) -> QrCode:
        """Gives it to someone who asked for it."""
        expires_at = self.made_at + timedelta(seconds=self.ttl)
        return QrCode(self.text, self.made_at, expires_at, cached)


class Attempt:
    """Shows everyone the newest code, and at last the outcome.

    Nothing is queued: who reads slowly misses codes that are outdated anyway.
    """

    def __init__(self) -> None:
        self.watchers = 0
        self.is_kept = False
        """Whether it goes on without watchers: a code was given away to be scanned."""
        self.phone: Jid | None = None
        """Whom a pair code is wanted for."""
        self.code: Shown | None = None
        self.pair_code: PairCode | None = None
        self._pair_error: DomainError | None = None
        self._outcome: Linked | DomainError | None = None
        self._changed = Beacon()

    @property
    def valid_code(self) -> Shown | None:
        """The QR code, unless its time is over."""
        code = self.code
        return code if code is not None and code.seconds_left > 0 else None

    def show(self, code: Shown) -> None:
        """Replaces the QR code."""
        self.code = code
        self._changed.flash()

    def show_pair_code(self, code: PairCode) -> None:
        """Replaces the pair code."""
        self.pair_code, self._pair_error = code, None
        self._changed.flash()

    def fail_pair_code(self, error: DomainError) -> None:
        """Tells those who wait for a pair code that there is none."""
        self.pair_code, self._pair_error = None, error
        self._changed.flash()

    def begin_pair_code(self, phone: Jid) -> None:
        """Notes that a pair code is wanted; the one before is worth nothing."""
        self.phone, self.pair_code, self._pair_error = phone, None, None

    def begin_codes(self) -> None:
        """Forgets all codes: another process is about to show its own."""
        self.code = self.pair_code = None

    def finish(self, outcome: Linked | DomainError) -> None:
        """Ends the attempt."""
        self._outcome = outcome
        self._changed.flash()

    async def steps(self, phone: Jid | None) -> AsyncGenerator[QrText | PairCode | Linked]:
        """Yields the code that is shown, each that replaces it, and `Linked`.

        With `phone` these are its pair codes. Raises the error that ended the
        attempt.
        """
        shown: Shown | PairCode | None = None
        while self._outcome is None:
            code = self.code if phone is None else self._fresh_pair_code(phone)
            if code is None or code is shown:
                await self._changed.wait()
                continue
            shown = code
            yield code.as_text() if isinstance(code, Shown) else code
        if not isinstance(self._outcome, Linked):
            raise self._outcome
        yield self._outcome

    async def next_code(self, before: Shown | None) -> Shown:
        """Waits for a QR code other than that one; raises AlreadyLinked when it is linked."""
        return await self._next(lambda: None if self.code is before else self.valid_code)

    async def next_pair_code(self, phone: Jid) -> PairCode:
        """Waits for the pair code for a phone; raises AlreadyLinked when it is linked."""
        return await self._next(lambda: self._fresh_pair_code(phone))

    async def _next(self, look: Callable[[], C | None]) -> C:
        while self._outcome is None:
            found = look()
            if found is not None:
                return found
            await self._changed.wait()
        if isinstance(self._outcome, Linked):
            raise AlreadyLinked
        raise self._outcome

    def pair_code_for(self, phone: Jid) -> PairCode | None:
        """Gives the pair code being valid for a phone, if there is one."""
        code = self.pair_code
        if code is None or code.phone != phone:
            return None
        return replace(code, cached=True)

    def _fresh_pair_code(self, phone: Jid) -> PairCode | None:
        if self._pair_error is not None and self.phone == phone:
            raise self._pair_error
        code = self.pair_code
        return code if code is not None and code.phone == phone else None
