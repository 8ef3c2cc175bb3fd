"""A contact store of as many invented people as a test wants, made up as they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fakes import OWN
from fakes_store import page_of
from wuts.domain.contact import Contact
from wuts.domain.jid import Jid, pn_jid
from wuts.domain.knowledge import Knowledge

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from wuts.domain.caller import DeviceId
    from wuts.domain.contact import ContactPage

ENDLESS = 10**9
"""More people than any test reads to the end."""


def _usual_name(_number: int) -> str:
    return "Maria Silva"


async def _go_on(_number: int) -> None:
    return


class Crowd:
    """Answers the port ContactStore for every device alike.

    `name` tells the full name of a person by their number, from 0; `before` is awaited ahead
    of each read, with the number of its first person. `reads` lists how many people each read
    asked for.
    """

    def __init__(
        self,
        count: int,
        name: Callable[[int], str] = _usual_name,
        before: Callable[[int], Awaitable[None]] = _go_on,
    ) -> None:
        self.count = count
        self.before = before
        self.reads: list[int] = []
        self._name = name

    def person(self, number: int) -> Contact:
        """Makes up one person."""
        return Contact(f"55119{number:08}@s.whatsapp.net", "", "", self._name(number), "", "")

    async def page(self, device: DeviceId, *, after: str, limit: int) -> ContactPage:
        """Gives a page; the cursor is the number of the next person."""
        start = int(after or 0)
        self.reads.append(limit)
        await self.before(start)
        end = min(start + limit, self.count)
        people = [self.person(number) for number in range(start, end)]
        return page_of(people, str(end) if end < self.count else "")

    async def lookup(
        self, device: DeviceId, *, pns: Collection[str], lids: Collection[str]
    ) -> Knowledge:
        """Knows nothing of anybody."""
        return Knowledge(pn_rows={}, lid_rows={}, lid_of_pn={}, pn_of_lid={})

    async def account(self, device: DeviceId) -> Jid:
        """Gives the account of all devices."""
        return pn_jid(OWN)

    def forget(self, device: DeviceId) -> None:
        """Holds nothing."""
