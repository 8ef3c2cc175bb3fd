"""Gives all the people a device knows by name in messages of bounded size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from wuts.usecases.list_contacts import CHUNK, check_page_size

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from wuts.domain.caller import DeviceId
    from wuts.domain.contact import ContactPage
    from wuts.usecases.list_contacts import ConnectionGate, ContactPages

USUAL_PAGE = 1000
"""The most contacts of a message whose size nobody asked for."""


class Parcel(Protocol):
    """One message that is being filled."""

    def take(self, page: ContactPage) -> bool:
        """Adds a page as a whole, or nothing of it: False when it does not fit any more.

        What the message says of its continuation is then the cursor of the last page it
        took. A page of one contact fits into an empty message whatever its size.
        """
        ...

    def __len__(self) -> int:
        """Counts the contacts it holds."""
        ...


P = TypeVar("P", bound=Parcel)


async def stream_contacts(
    device: DeviceId,
    *,
    after: str,
    page_size: int | None,
    new_parcel: Callable[[], P],
    store: ContactPages,
    sessions: ConnectionGate,
) -> AsyncGenerator[P]:
    """Yields messages of at most `page_size` contacts until nothing follows; at least one.

    Nothing of the store is held open between them. Raises ValidationFailed for a page size
    out of range, and whatever the ports raise.
    """
    limit = check_page_size(USUAL_PAGE if page_size is None else page_size)
    await sessions.require_connected(device)
    reader = _Reader(device, store)
    is_first = True
    while after or is_first:
        is_first = False
        parcel = new_parcel()
        after = await reader.fill(parcel, after=after, limit=limit)
        yield parcel


class _Reader:
    """Reads as many contacts at a time as fit into a message."""

    def __init__(self, device: DeviceId, store: ContactPages) -> None:
        self._device = device
        self._store = store
        self._chunk = CHUNK

    async def fill(self, parcel: Parcel, *, after: str, limit: int) -> str:
        """Puts at most `limit` contacts into a message; gives the cursor behind them."""
        # Where names are long, so are those behind them: to begin with a whole chunk each time
        # would read, and throw away, a multiple of what is sent.
        self._chunk = min(2 * self._chunk, CHUNK)
        while True:
            size = min(limit, self._chunk)
            page = await self._store.page(self._device, after=after, limit=size)
            if parcel.take(page):
                after, limit = page.cursor, limit - len(page.contacts)
                if not after or limit <= 0:
                    return after
            elif len(parcel):
                return after  # the page is the beginning of the next message
            else:
                self._chunk = len(page.contacts) // 2
