"""Reads whole lists for comparison, taking no more than a share of the time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from wuts.domain.revision import Fingerprint

if TYPE_CHECKING:
    from wuts.adapters.revisions.limits import Limits
    from wuts.adapters.sqlite import Stamp
    from wuts.domain.caller import DeviceId
    from wuts.domain.contact import ContactPage


class StampedStore(Protocol):
    """A contact store that tells its states apart; raises what ContactStore raises."""

    async def stamped_page(
        self, device: DeviceId, *, after: str, limit: int
    ) -> tuple[Stamp, ContactPage]:
        """Gives a page together with the state of the store that it is from."""
        ...

    async def stamp(self, device: DeviceId) -> Stamp:
        """Names the state of the store; equal stamps mean that nothing was written between."""
        ...


@dataclass(slots=True)
class Compared:
    """A list that is read whole.

    `begun` is the event loop's time before the first page, `worked` the seconds
    that reading took without the pauses, `stamps` the states of the store that
    the pages are from.
    """

    begun: float
    worked: float = 0.0
    content: str = ""
    stamps: set[Stamp] = field(default_factory=set)


class Comparer:
    """Reads the lists of all devices, one page at a time in all.

    Devices take turns page by page, so that a long list holds up no short one,
    and after each page comes a pause: however many devices are being compared,
    the service serves its callers.
    """

    def __init__(self, store: StampedStore, limits: Limits) -> None:
        self._store = store
        self._limits = limits
        self._turn = asyncio.Lock()

    async def begin(self) -> Compared:
        """Waits for a turn."""
        async with self._turn:
            return Compared(_now())

    async def read(self, device: DeviceId, compared: Compared) -> None:
        """Reads a list from its beginning to its end; what was read so far is always noted."""
        fingerprint, after = Fingerprint(), ""
        while True:
            stamp, page = await self._page(device, after, compared)
            compared.stamps.add(stamp)
            fingerprint.add(page.text)
            after = page.cursor
            if not after:
                compared.content = fingerprint.text()
                return

    async def _page(
        self, device: DeviceId, after: str, compared: Compared
    ) -> tuple[Stamp, ContactPage]:
        limits = self._limits
        async with self._turn:
            begun = _now()
            try:
                answer = await self._store.stamped_page(device, after=after, limit=limits.page)
            finally:
                seconds = _now() - begun
                compared.worked += seconds
            if answer[1].cursor:
                await asyncio.sleep(seconds * limits.pause_factor)
        return answer


def _now() -> float:
    return asyncio.get_running_loop().time()
