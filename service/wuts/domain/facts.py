"""All that is known while one call is answered, and where it comes from."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from wuts.domain.pairs import Pairs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from wuts.domain.enquiry import Heard, NumberCheck
    from wuts.domain.group import Participant, Roster
    from wuts.domain.knowledge import Knowledge
    from wuts.domain.pairs import PairSource


class Source(StrEnum):
    """Where an identity comes from; of several the first one is told."""

    SERVER = "SERVER"
    CACHE = "CACHE"
    GROUP = "GROUP"
    LID_MAP = "LID_MAP"
    STORE = "STORE"


class Evidence(NamedTuple):
    """A source, and when it said so."""

    source: Source
    at: datetime

    @classmethod
    def of(cls, heard: Heard[NumberCheck]) -> Evidence:
        """Takes WhatsApp's word on a number, given now or earlier."""
        return cls(Source.CACHE if heard.remembered else Source.SERVER, heard.at)


_STRENGTH = {source: place for place, source in enumerate(Source)}


class _Layer(NamedTuple):
    """Pairs of one source."""

    pairs: PairSource
    evidence: Evidence

    def agrees(self, pn: str, lid: str) -> bool:
        """Tells whether nothing here pairs one of them with somebody else."""
        pairs = self.pairs
        return pairs.lid_of_pn.get(pn, lid) == lid and pairs.pn_of_lid.get(lid, pn) == pn


class Facts:
    """What store, roster and WhatsApp's answers say, in one order of trust.

    Of pairs that contradict each other counts the one that WhatsApp told in
    this call, then the roster's, then the store's, which the engine keeps up
    to date, and last what WhatsApp told earlier, or without its own spelling.
    """

    def __init__(
        self,
        store: Knowledge,
        read_at: datetime,
        *,
        roster: Heard[Roster] | None = None,
        checks: Iterable[Heard[NumberCheck]] = (),
    ) -> None:
        """Takes what is known; `checks` are the answers about numbers."""
        self.store = store
        self._read_at = read_at
        self._roster = roster
        self._layers = [_Layer(store, Evidence(Source.LID_MAP, read_at))]
        if roster is not None:
            group = _Layer(roster.answer.pairs, Evidence(Source.GROUP, roster.at))
            self._layers.insert(0, group)
        certain, vague = _parted(checks)
        self._layers = [*_layer_of(certain), *self._layers, *_layer_of(vague)]

    def membership(self, pn: str, lid: str) -> tuple[Participant | None, bool]:
        """Finds the person in the roster; tells also whether there is one that lacks them."""
        if self._roster is None:
            return None, False
        member = self._roster.answer.find(pn=pn, lid=lid)
        return member, member is None

    def lid_of(self, pn: str) -> str:
        """Gives the LID of a phone number; empty when unknown."""
        for place, (pairs, _) in enumerate(self._layers):
            lid = pairs.lid_of_pn.get(pn)
            if lid:
                above = self._layers[:place]
                return lid if all(each.agrees(pn, lid) for each in above) else ""
        return ""

    def pn_of(self, lid: str) -> str:
        """Gives the phone number of a LID; empty when unknown."""
        for place, (pairs, _) in enumerate(self._layers):
            pn = pairs.pn_of_lid.get(lid)
            if pn:
                above = self._layers[:place]
                return pn if all(each.agrees(pn, lid) for each in above) else ""
        return ""

    def evidence(
        self, pn: str, lid: str, heard: Heard[NumberCheck] | None = None
    ) -> Evidence | None:
        """Gives the best evidence of a person; `heard` is WhatsApp's word on the number."""
        found = [Evidence.of(heard)] if heard is not None else []
        for pairs, evidence in self._layers:
            if lid and pairs.lid_of_pn.get(pn) == lid:
                found.append(evidence)
                break  # the others were not needed
        if self._roster is not None and self.membership(pn, lid)[0] is not None:
            found.append(Evidence(Source.GROUP, self._roster.at))
        if not found:
            is_kept = pn in self.store.pn_rows or lid in self.store.lid_rows
            return Evidence(Source.STORE, self._read_at) if is_kept else None
        return min(found, key=_strength) if found[1:] else found[0]


def _strength(evidence: Evidence) -> int:
    return _STRENGTH[evidence.source]


def _parted(
    checks: Iterable[Heard[NumberCheck]],
) -> tuple[list[Heard[NumberCheck]], list[Heard[NumberCheck]]]:
    """Parts what WhatsApp said just now, in its own spelling, from the rest."""
    certain: list[Heard[NumberCheck]] = []
    vague: list[Heard[NumberCheck]] = []
    for check in checks:
        is_certain = check.answer.pn and not check.remembered
        (certain if is_certain else vague).append(check)
    return certain, vague


def _layer_of(checks: Sequence[Heard[NumberCheck]]) -> Iterator[_Layer]:
    """Makes one layer of answers, dated by the latest; none of no answers."""
    if checks:
        answers = (check.answer for check in checks)
        pairs = Pairs.of((answer.pn or answer.asked, answer.lid) for answer in answers)
        yield _Layer(pairs, Evidence.of(max(checks, key=lambda check: check.at)))
