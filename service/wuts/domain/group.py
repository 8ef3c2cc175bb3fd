"""The roster of a group."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wuts.domain.pairs import Pairs

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
    """All participants of one group, as WhatsApp told them.

    `pairs` are the phone numbers and LIDs that it teaches.
    """

    participants: Sequence[Participant]
    pairs: Pairs = field(init=False, repr=False, compare=False)
    _by_pn: dict[str, Participant] = field(init=False, repr=False, compare=False)
    _by_lid: dict[str, Participant] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Indexes the participants once; a roster may hold a thousand."""
        # Sorted, so that somebody listed twice is the same in whatever order.
        people = sorted(self.participants, key=lambda p: (p.pn, p.lid, p.redacted_phone))
        object.__setattr__(self, "_by_pn", {p.pn: p for p in people if p.pn})
        object.__setattr__(self, "_by_lid", {p.lid: p for p in people if p.lid})
        object.__setattr__(self, "pairs", Pairs.of((p.pn, p.lid) for p in people))

    def find(self, *, pn: str = "", lid: str = "") -> Participant | None:
        """Finds the participant with that phone number or that LID."""
        return self._by_pn.get(pn) or self._by_lid.get(lid)
