"""Lists the people a device knows by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from wuts.domain.errors import ValidationFailed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from wuts.domain.caller import DeviceId
    from wuts.domain.contact import ContactPage

MAX_PAGE = 5000
"""The most contacts one page may hold."""

CHUNK = 500
"""The most contacts read at once of many: no statement holds up a writer, and no turn of the event
loop other callers, for more than a few milliseconds."""

_WHOLE_PAGE = 1000
# The largest page that is read as a whole: twice the time, but once.


class ConnectionGate(Protocol):
    """The part of the live sessions that the list needs."""

    async def require_connected(self, device: DeviceId) -> None:
        """Returns when the device is connected, else raises DeviceNotReady."""
        ...


class ContactPages(Protocol):
    """The part of a contact store that the list needs."""

    async def page(self, device: DeviceId, *, after: str, limit: int) -> ContactPage:
        """Gives at most `limit` contacts behind the cursor `after`."""
        ...


async def list_contacts(
    device: DeviceId,
    *,
    after: str,
    page_size: int | None,
    max_list: int,
    store: ContactPages,
    sessions: ConnectionGate,
) -> AsyncIterator[ContactPage]:
    """Yields the wanted contacts in chunks; the last chunk's cursor tells what follows.

    Without `page_size` everything behind `after` comes, up to `max_list`
    contacts. Raises ValidationFailed for a page size out of range or a list
    that is too long, and whatever the ports raise.
    """
    if page_size is not None:
        check_page_size(page_size)
    await sessions.require_connected(device)
    wanted = max_list if page_size is None else page_size
    chunk = wanted if wanted <= _WHOLE_PAGE else CHUNK
    while True:
        page = await store.page(device, after=after, limit=min(wanted, chunk))
        wanted -= len(page.contacts)
        after = page.cursor
        yield page
        if not after or wanted <= 0:
            break
    if page_size is None and after:
        message = f"is required: the list holds more than {max_list} contacts"
        raise ValidationFailed("page_size", f"{message}; ask for pages of at most {MAX_PAGE}")


def check_page_size(page_size: int) -> int:
    """Gives the page size back; raises ValidationFailed when it is out of range."""
    if not 1 <= page_size <= MAX_PAGE:
        raise ValidationFailed("page_size", f"must be from 1 to {MAX_PAGE}", str(page_size))
    return page_size
