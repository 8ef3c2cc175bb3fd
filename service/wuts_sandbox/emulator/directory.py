"""Finds people and groups of one account by any spelling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wuts_sandbox.wire.node import GROUP_SERVER, LID_SERVER, PN_SERVER

if TYPE_CHECKING:
    from wuts_sandbox.wire.node import Jid
    from wuts_sandbox.world.document import Account, Group, Person


def lid_of(person: Person) -> str:
    """Returns a person's LID; who has none in the world is given `8` and the last digits of the PN.

    Everybody has a LID, but only questions about the person tell the given one: number checks,
    pairs and rosters do not.
    """
    return person.lid or f"8{(person.pn or '')[-14:]:0>14}"


class Directory:
    """An index over the people and groups of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.refresh()

    def refresh(self) -> None:
        """Reads the account again after people or groups were added."""
        people = self._account.people
        self._by_pn = {person.pn: person for person in people if person.pn}
        self._by_lid = {lid_of(person): person for person in people}
        self._by_other = {number: person for person in people for number in person.answers_to}
        self._groups = {group.jid: group for group in self._account.groups}

    def person(self, jid: Jid) -> Person | None:
        """Returns the person behind a PN or LID."""
        if jid.server == PN_SERVER:
            return self._by_pn.get(jid.user)
        return self._by_lid.get(jid.user) if jid.server == LID_SERVER else None

    def holder(self, number: str) -> Person | None:
        """Returns the person, registered or not, whom these digits name."""
        return self._by_pn.get(number) or self._by_other.get(number)

    def group(self, jid: Jid) -> Group | None:
        """Returns the group of that address."""
        return self._groups.get(str(jid)) if jid.server == GROUP_SERVER else None
