"""Finds the roster that helps to resolve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wuts.domain.enquiry import Lookup
from wuts.domain.errors import BudgetExhausted, ValidationFailed
from wuts.domain.jid import Jid, JidError, parse_group

if TYPE_CHECKING:
    from wuts.domain.caller import DeviceId
    from wuts.domain.enquiry import Heard
    from wuts.domain.group import Roster
    from wuts.ports import Enquiries


@dataclass(frozen=True, slots=True)
class FoundRoster:
    """A roster, if there is one.

    `error` says that there should be one. `questions` is how many a dry run
    would have asked.
    """

    heard: Heard[Roster] | None = None
    error: BudgetExhausted | None = None
    questions: int = 0

    @property
    def roster(self) -> Roster | None:
        """The roster itself."""
        return self.heard.answer if self.heard else None


def parse_group_field(text: str) -> Jid | None:
    """Reads `group_jid`, None when it is empty; raises ValidationFailed."""
    if not text:
        return None
    try:
        return parse_group(text)
    except JidError as error:
        raise ValidationFailed("group_jid", str(error), text) from None


async def find_roster(
    device: DeviceId, group: Jid | None, lookup: Lookup, *, dry_run: bool, enquiries: Enquiries
) -> FoundRoster:
    """Finds the roster of a group, if one is wanted.

    A budget that is used up is no failure: a roster that is known serves all
    the same. Raises whatever else the question raises.
    """
    if group is None:
        return FoundRoster()
    fresh = lookup is Lookup.FORCE
    if dry_run:
        known = enquiries.recall_roster(device, group)
        return FoundRoster(known, questions=1 if fresh or known is None else 0)
    try:
        return FoundRoster(await _ask(device, group, enquiries, fresh=fresh))
    except BudgetExhausted as error:
        return FoundRoster(error=error)


async def _ask(device: DeviceId, group: Jid, enquiries: Enquiries, *, fresh: bool) -> Heard[Roster]:
    try:
        return await enquiries.roster(device, group, fresh=fresh)
    except BudgetExhausted:
        if not fresh:
            raise
    # An older one, which tells its age, is better than none.
    return await enquiries.roster(device, group, fresh=False)
