"""Which phone number and which LID are one person."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class PairSource(Protocol):
    """Whatever knows pairs, one to one and in both directions; all are digits."""

    @property
    def lid_of_pn(self) -> Mapping[str, str]:
        """The LIDs by phone number."""
        ...

    @property
    def pn_of_lid(self) -> Mapping[str, str]:
        """The phone numbers by LID."""
        ...


@dataclass(frozen=True, slots=True)
class Pairs:
    """Phone numbers and LIDs that belong together, one to one."""

    lid_of_pn: Mapping[str, str] = field(default_factory=dict)
    pn_of_lid: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> Pairs:
        """Takes pairs of phone number and LID, in any order.

        Where they contradict each other, which ones are kept does not depend on
        the order; a pair with an empty side is left out.
        """
        lid_of_pn: dict[str, str] = {}
        pn_of_lid: dict[str, str] = {}
        for pn, lid in sorted(pairs):
            if pn and lid and pn not in lid_of_pn and lid not in pn_of_lid:
                lid_of_pn[pn] = lid
                pn_of_lid[lid] = pn
        return cls(lid_of_pn, pn_of_lid)
