"""Telling one state of a contact list from another."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Revision:
    """The list as it is known to have been `age` seconds ago.

    `content` is a Fingerprint's text: the same text means the same list.
    """

    content: str
    age: float


class Fingerprint:
    """A running hash over the contacts of a list.

    However the list is cut into pages, the same contacts make the same text,
    and no other ones do.
    """

    def __init__(self) -> None:
        self._hash = hashlib.blake2b(digest_size=16)

    def add(self, contacts: bytes) -> None:
        """Takes the next contacts, as a JSON array; see ContactPage."""
        elements = memoryview(contacts)[1:-1]
        if elements:
            self._hash.update(elements)
            self._hash.update(b",")

    def text(self) -> str:
        """Writes the hash of what was taken so far, in hexadecimal digits."""
        return self._hash.hexdigest()
