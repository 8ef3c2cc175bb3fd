"""Telling one state of a contact list from another."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from wuts.domain.contact import Contact

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True)
class Revision:
    """The list as it is known to have been `age` seconds ago.

    `content` is a Fingerprint's text: the same text means the same list.
    """

    content: str
    age: float


_SEPARATOR, _ESCAPE = "\x1f", "\x1b"
_FIELDS = len(Contact._fields)


class Fingerprint:
    """A running hash over contacts in the order of the list.

    However the list is cut into pages, the same contacts make the same text,
    and no other ones do.
    """

    def __init__(self) -> None:
        self._hash = hashlib.blake2b(digest_size=16)

    def add(self, contacts: Sequence[Contact]) -> None:
        """Takes the next contacts."""
        if not contacts:
            return
        text = _SEPARATOR.join(chain.from_iterable(contacts))
        separators = _FIELDS * len(contacts) - 1
        # A name may hold anything; only then is each field looked at.
        if text.count(_SEPARATOR) != separators or _ESCAPE in text:
            text = _SEPARATOR.join(_escaped(chain.from_iterable(contacts)))
        self._hash.update(text.encode("utf-8", "surrogatepass"))
        self._hash.update(_SEPARATOR.encode())

    def text(self) -> str:
        """Writes the hash of what was taken so far, in hexadecimal digits."""
        return self._hash.hexdigest()


def _escaped(fields: Iterable[str]) -> Iterable[str]:
    for field in fields:
        yield field.replace(_ESCAPE, _ESCAPE * 2).replace(_SEPARATOR, _ESCAPE + "s")
