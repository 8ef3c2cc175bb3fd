"""How many calls are under way, and when no more are taken."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wuts.domain.errors import RateLimited, ServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from wuts.domain.caller import Caller

_RETRY_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most calls under way: in all, of one tenant, and streams of one user."""

    calls: int = 512
    calls_of_tenant: int = 256
    streams: int = 1024
    streams_of_user: int = 16


@dataclass(slots=True)
class Load:
    """Counts calls and streams; nobody can use up what belongs to others."""

    bounds: Bounds = field(default_factory=Bounds)
    draining: bool = False
    _calls: Counter[Hashable] = field(default_factory=Counter)
    _streams: Counter[Hashable] = field(default_factory=Counter)

    @contextmanager
    def call(self, caller: Caller) -> Iterator[None]:
        """Counts a call while it lasts; raises ServiceUnavailable and RateLimited."""
        of_tenant = self.bounds.calls_of_tenant
        with self._counted(self._calls, caller.tenant, self.bounds.calls, of_tenant):
            yield

    @contextmanager
    def stream(self, caller: Caller) -> Iterator[None]:
        """Counts a stream while it lasts; raises as `call` does."""
        user, of_user = (caller.tenant, caller.user), self.bounds.streams_of_user
        with self._counted(self._streams, user, self.bounds.streams, of_user):
            yield

    @contextmanager
    def _counted(
        self, counts: Counter[Hashable], owner: Hashable, limit: int, limit_of_owner: int
    ) -> Iterator[None]:
        if self.draining or counts.total() >= limit:
            raise ServiceUnavailable
        if counts[owner] >= limit_of_owner:
            raise RateLimited(_RETRY_SECONDS)
        counts[owner] += 1
        try:
            yield
        finally:
            counts[owner] -= 1
            if not counts[owner]:
                del counts[owner]
