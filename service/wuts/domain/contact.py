"""A contact: one person of whom a device knows a name."""

from __future__ import annotations

from typing import NamedTuple


class Names(NamedTuple):
    """The names of one row of the store; an empty string means none."""

    first: str = ""
    full: str = ""
    push: str = ""
    business: str = ""

    def __bool__(self) -> bool:
        """Tells whether any name is known."""
        return any(self[:])

    def filled_from(self, other: Names) -> Names:
        """Keeps these names and takes the missing ones from the other row.

        First and full name were saved together, so they are taken together: the
        first name of one row never stands beside the full name of another.
        """
        saved = self if self.first or self.full else other
        push, business = self.push or other.push, self.business or other.business
        return Names(saved.first, saved.full, push, business)


class Contact(NamedTuple):
    """One person of the contact list; an empty string means unknown.

    A plain tuple of texts that come from the store already canonical: a list
    may hold hundreds of thousands of them.
    """

    jid: str
    lid_jid: str
    first_name: str
    full_name: str
    push_name: str
    business_name: str


class ContactPage(NamedTuple):
    """Contacts in a stable order, and where the next page starts.

    `cursor` is opaque to everyone but the store that made it; empty means that
    nothing follows. `text` is the contacts as a JSON array without
    white space, spelled the same way each time: for whoever compares lists.
    """

    contacts: list[Contact]
    cursor: str
    text: bytes
