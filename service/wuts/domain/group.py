"""The roster of a group."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Participant:
    """One member of a group; an empty string means not told.

    `pn` and `lid` are digits; `redacted_phone` is the masked number that stands
    in for a hidden one, for example "+55 11 ****-**12".
    """

    pn: str = ""
    lid: str = ""
    redacted_phone: str = ""


@dataclass(frozen=True)
class Roster:
    """All participants of one group, as WhatsApp told them just now."""

    participants: Sequence[Participant]
    _by_pn: dict[str, Participant] = field(init=False, repr=False, compare=False)
    _by_lid: dict[str, Participant] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Indexes the participants once; a roster may hold a thousand."""
        object.__setattr__(self, "_by_pn", {p.pn: p for p in self.participants if p.pn})
        object.__setattr__(self, "_by_lid", {p.lid: p for p in self.participants if p.lid})

    def find(self, *, pn: str, lid: str) -> Participant | None:
        """Finds the participant with that phone number or that LID."""
        return self._by_pn.get(pn) or self._by_lid.get(lid)
