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
    is_first = True
    while after or is_first:
        is_first = False
        parcel = new_parcel()
        after = await _fill(parcel, device, after=after, limit=limit, store=store)
        yield parcel


async def _fill(
    parcel: Parcel, device: DeviceId, *, after: str, limit: int, store: ContactPages
) -> str:
    """Puts at most `limit` contacts into a message; gives the cursor behind them."""
    while True:
        page = await store.page(device, after=after, limit=min(limit, CHUNK))
        if parcel.take(page):
            after, limit = page.cursor, limit - len(page.contacts)
            if not after or limit <= 0:
                return after
        elif len(parcel):
            return after  # the page is the beginning of the next message
        else:
            limit = len(page.contacts) // 2
