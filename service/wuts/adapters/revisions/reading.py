"""One caller's walk through a list, which tells on the way what the list is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wuts.domain.revision import Fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable

    from wuts.adapters.revisions.comparing import StampedStore
    from wuts.adapters.revisions.known import Known
    from wuts.adapters.sqlite import Stamp
    from wuts.domain.caller import DeviceId
    from wuts.domain.contact import ContactPage


class Reading:
    """Answers the port ListReading.

    A caller who reads the whole list has compared it, too, and needs nobody
    else to. `begun` is the event loop's time before the first page.
    """

    def __init__(
        self,
        store: StampedStore,
        known: Known,
        begun: float,
        *,
        on_whole: Callable[[], None],
        on_unknown: Callable[[], None],
    ) -> None:
        self._store = store
        self._known = known
        self._begun = begun
        self._on_whole = on_whole
        self._on_unknown = on_unknown
        self._fingerprint = Fingerprint()
        self._stamps: set[Stamp] = set()
        self._is_whole = True
        self._cursor = ""

    async def page(self, device: DeviceId, *, after: str, limit: int) -> ContactPage:
        """Reads a page."""
        stamp, page = await self._store.stamped_page(device, after=after, limit=limit)
        self._is_whole = self._is_whole and after == self._cursor
        self._cursor = page.cursor
        self._stamps.add(stamp)
        if self._is_whole:
            self._fingerprint.add(page.text)
        return page

    def content(self) -> str:
        """Names the content of the whole list that these pages are from, if it is known.

        A part of the list is from the list that is known only if the store has
        not been written to since that was read: a list that went and came back
        would otherwise lend its name to what was between.
        """
        if self._is_whole and not self._cursor:
            self._known.learn(self._fingerprint.text(), self._stamps, self._begun)
            self._on_whole()
            return self._fingerprint.text()
        if self._stamps == {self._known.stamp}:
            return self._known.content
        self._on_unknown()
        return ""
