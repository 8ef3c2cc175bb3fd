"""What callers are told of a device's connection, and those who watch it."""

from __future__ import annotations

import asyncio
import math
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from wuts.adapters.sessions.beacon import Beacon
from wuts.domain.device import DeviceStatus
from wuts.domain.errors import DeviceNotReady
from wuts.domain.state import SERVING, DeviceState

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from datetime import datetime

    from wuts.domain.errors import DomainError

HOPEFUL: Final = frozenset({DeviceState.CONNECTING, DeviceState.RECONNECTING})
"""States that are expected to become CONNECTED soon."""


class Standing:
    """One device's state with its circumstances.

    `clock` tells the time of day, for people. Waits are on the event loop's
    clock: the time of day may jump, and nothing comes sooner or later for it.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._retry_at: float | None = None
        self._banned_until: datetime | None = None
        self._last_connected: datetime | None = None
        self._since = clock()
        self._version = 0
        self._closed: DomainError | None = None
        self.state = DeviceState.NEW
        self.reason = ""
        self.changed = Beacon()

    @property
    def status(self) -> DeviceStatus:
        """The state, with times of day."""
        now, wait = self._clock(), self._retry_in
        return DeviceStatus(
            state=self.state,
            since=self._since,
            reason=self.reason,
            next_retry_at=None if wait is None else now + timedelta(seconds=wait),
            banned_until=self._banned_until,
            last_connected=now if self.state in SERVING else self._last_connected,
        )

    @property
    def refusal(self) -> DeviceNotReady:
        """What a caller is told who needs a connection."""
        seconds = 0
        if self.state in HOPEFUL:
            seconds = max(1, math.ceil(self._retry_in or 0))
        return DeviceNotReady(self.state, reason=self.reason, retry_after=seconds)

    def enter(
        self,
        state: DeviceState,
        reason: str = "",
        *,
        retry_in: float | None = None,
        ban_seconds: float | None = None,
    ) -> bool:
        """Changes the state, and tells whether it is another; times are in seconds from now."""
        is_other = state != self.state
        if is_other:
            now = self._clock()
            if self.state in SERVING:
                self._last_connected = now
            self._since = now
        is_news = is_other or reason != self.reason or retry_in is not None
        self.state, self.reason = state, reason
        self._retry_at = None if retry_in is None else self._loop.time() + retry_in
        self._note_ban(ban_seconds)
        if is_news:
            self._tell()
        return is_other

    def try_now(self) -> None:
        """Notes that the next attempt is being made."""
        if self._retry_at is not None:
            self._retry_at = None
            self._tell()

    def close(self, error: DomainError) -> None:
        """Ends everyone's watching with an error."""
        self._closed = error
        self._tell()

    async def watch(self) -> AsyncGenerator[DeviceStatus]:
        """Yields the status now, and after each change; slow readers miss some."""
        seen = -1
        while True:
            while seen == self._version and self._closed is None:
                await self.changed.wait()
            if self._closed is not None:
                raise self._closed
            seen = self._version
            yield self.status

    @property
    def _retry_in(self) -> float | None:
        """Seconds until the next attempt; None when none is planned."""
        return None if self._retry_at is None else max(0.0, self._retry_at - self._loop.time())

    def _note_ban(self, seconds: float | None) -> None:
        if self.state != DeviceState.BANNED:
            self._banned_until = None
        elif seconds is not None:
            self._banned_until = self._clock() + timedelta(seconds=seconds)

    def _tell(self) -> None:
        self._version += 1
        self.changed.flash()
