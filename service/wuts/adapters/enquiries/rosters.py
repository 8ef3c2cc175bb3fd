"""The rosters of groups, remembered for a while."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from cachetools import LRUCache

from wuts.adapters.enquiries.single_flight import SingleFlight
from wuts.domain.enquiry import QueryClass
from wuts.domain.errors import BudgetExhausted, GroupForbidden, GroupNotFound

if TYPE_CHECKING:
    from wuts.adapters.enquiries.asking import Asking
    from wuts.domain.enquiry import Heard
    from wuts.domain.group import Roster
    from wuts.domain.jid import Jid


class Rosters:
    """The rosters that one device knows, in memory."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._known: LRUCache[Jid, Heard[Roster]] = LRUCache(asking.policy.rosters)
        joined = partial(asking.note, QueryClass.GROUP_INFO, "joined")
        self._flights: SingleFlight[Heard[Roster]] = SingleFlight(joined)
        self._changes = 0

    def recall(self, group: Jid) -> Heard[Roster] | None:
        """Gives the roster of a group if it is known and fresh."""
        known = self._known.get(group)
        if known is None or not self._asking.is_fresh(known.at, self._asking.policy.roster):
            return None
        return replace(known, remembered=True)

    async def ask(self, group: Jid, *, fresh: bool) -> Heard[Roster]:
        """Gives the roster of a group.

        One that is too old is better than none where there is no budget for a
        new one, unless `fresh`.
        """
        known = None if fresh else self.recall(group)
        if known is not None:
            self._asking.note(QueryClass.GROUP_INFO, "hit")
            return known
        try:
            return await self._flights.share((group, self._changes), lambda: self._ask(group))
        except BudgetExhausted:
            old = self._known.get(group)
            if fresh or old is None:
                raise
            return replace(old, remembered=True)

    def forget(self, group: Jid) -> None:
        """Forgets the roster of a group that has changed, whatever is under way."""
        self._changes += 1
        self._known.pop(group, None)

    def forget_all(self) -> None:
        """Forgets all groups: nothing may be told of what changes from now on."""
        self._changes += 1
        self._known.clear()

    async def close(self) -> None:
        """Ends the questions under way."""
        await self._flights.close()

    async def _ask(self, group: Jid) -> Heard[Roster]:
        asking, changes = self._asking, self._changes
        await asking.pay(QueryClass.GROUP_INFO)
        question = asking.sessions.roster(asking.device, group)
        try:
            heard = await asking.hear(QueryClass.GROUP_INFO, question)
        except (GroupForbidden, GroupNotFound):
            self._known.pop(group, None)
            raise
        if changes == self._changes:
            self._known[group] = heard
        return heard
