"""The fingerprint of a contact list."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given

from fakes_store import page_of
from wuts.domain.contact import Contact
from wuts.domain.revision import Fingerprint

# Few letters, among them those that JSON puts between texts and arrays.
_TEXT = st.text('a",[]\\', max_size=3)
_CONTACTS = st.lists(st.builds(Contact, *[_TEXT] * 6), max_size=4)


def of(*pages: list[Contact]) -> str:
    """The fingerprint of a list in pages."""
    fingerprint = Fingerprint()
    for page in pages:
        fingerprint.add(page_of(page).text)
    return fingerprint.text()


class TestFingerprint:
    """Fingerprint."""

    @given(_CONTACTS, st.integers(0, 4))
    def test_pages_do_not_matter(self, contacts: list[Contact], cut: int) -> None:
        """The same list has one fingerprint, wherever it is cut."""
        assert of(contacts) == of(contacts[:cut], contacts[cut:])

    @given(_CONTACTS, _CONTACTS)
    def test_lists_differ(self, one: list[Contact], other: list[Contact]) -> None:
        """Two lists share a fingerprint only when they are equal, whatever the names hold."""
        assert (one == other) == (of(one) == of(other))

    def test_order_matters(self) -> None:
        """The list in another order is another list."""
        one, other = Contact("a", "", "", "", "", ""), Contact("b", "", "", "", "", "")
        assert of([one, other]) != of([other, one])
