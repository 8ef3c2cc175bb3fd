"""How many calls are under way, and when no more are taken."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wuts.domain.errors import RateLimited, ServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from wuts.domain.caller import Caller

_RETRY_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most calls and streams under way, in all and of one tenant.

    Streams last for hours, so they have places of their own.
    """

    calls: int = 512
    calls_of_tenant: int = 256
    streams: int = 128
    streams_of_tenant: int = 32


class Load:
    """Counts calls and streams; nobody can use up what belongs to others.

    Once `draining` is set, no new ones are taken; once `cutting` is, those that go on for
    longer must come to an end.
    """

    def __init__(self, bounds: Bounds | None = None) -> None:
        self.draining = asyncio.Event()
        self.cutting = asyncio.Event()
        self.calls_taken = 0
        """How many calls there have been so far; streams do not count."""
        self._bounds = bounds or Bounds()
        self._calls: Counter[str] = Counter()
        self._streams: Counter[str] = Counter()
        self._idle = asyncio.Event()
        self._idle.set()

    def call(self, caller: Caller) -> AbstractContextManager[None]:
        """Counts a call while it lasts; raises ServiceUnavailable and RateLimited."""
        bounds = self._bounds
        self.calls_taken += 1
        return self._counted(self._calls, caller.tenant, bounds.calls, bounds.calls_of_tenant)

    def stream(self, caller: Caller) -> AbstractContextManager[None]:
        """Counts a stream while it lasts; raises as `call` does."""
        bounds = self._bounds
        return self._counted(self._streams, caller.tenant, bounds.streams, bounds.streams_of_tenant)

    def under_way(self) -> dict[str, int]:
        """Counts calls and streams of all tenants."""
        return {"calls": self._calls.total(), "streams": self._streams.total()}

    async def wait_until_idle(self, seconds: float) -> None:
        """Returns once nothing is under way; raises TimeoutError."""
        async with asyncio.timeout(seconds):
            await self._idle.wait()

    @contextmanager
    def _counted(
        self, counts: Counter[str], tenant: str, limit: int, limit_of_tenant: int
    ) -> Iterator[None]:
        if self.draining.is_set() or counts.total() >= limit:
            raise ServiceUnavailable
        if counts[tenant] >= limit_of_tenant:
            raise RateLimited(_RETRY_SECONDS)
        counts[tenant] += 1
        self._idle.clear()
        try:
            yield
        finally:
            counts[tenant] -= 1
            if not counts[tenant]:
                del counts[tenant]
            if not self._calls and not self._streams:
                self._idle.set()
