"""The inputs of a call as identifiers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wuts.domain.jid import Jid, JidError, Server, UnsupportedIdentifier, parse_user
from wuts.domain.spelling import variants

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wuts.domain.enquiry import NumberCheck
    from wuts.domain.group import Roster


@dataclass(frozen=True, slots=True)
class Invalid:
    """An input that is no identifier, and how to write one."""

    detail: str


@dataclass(frozen=True, slots=True)
class Unsupported:
    """An identifier of a kind that the engine cannot resolve, and what it can."""

    detail: str


def parse(text: str) -> Jid | Invalid | Unsupported:
    """Reads one input."""
    try:
        return parse_user(text)
    except UnsupportedIdentifier as error:
        return Unsupported(str(error))
    except JidError as error:
        return Invalid(str(error))


@dataclass(frozen=True, slots=True)
class Wanted:
    """The digits that the store is asked for.

    `numbers` are the phone numbers of the inputs, each once and in their order;
    `pns` and `lids` also hold what the same people may be known by.
    """

    numbers: Sequence[str]
    pns: set[str] = field(default_factory=set)
    lids: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, jids: Iterable[Jid], roster: Roster | None = None) -> Wanted:
        """Takes the inputs; a roster may pair them with digits that the store keeps."""
        people: dict[Server, dict[str, None]] = {Server.PN: {}, Server.LID: {}}
        for jid in jids:
            people[jid.server][jid.user] = None
        wanted = cls([*people[Server.PN]], {*people[Server.PN]}, {*people[Server.LID]})
        for number in wanted.numbers:
            wanted.pns.update(variants(number))
        if roster is not None:
            pairs = roster.pairs
            lids = {pairs.lid_of_pn[pn] for pn in wanted.pns & pairs.lid_of_pn.keys()}
            wanted.pns.update(pairs.pn_of_lid[lid] for lid in wanted.lids & pairs.pn_of_lid.keys())
            wanted.lids.update(lids)
        return wanted

    def learn(self, checks: Iterable[NumberCheck]) -> None:
        """Adds what WhatsApp said that the numbers are known by."""
        for check in checks:
            self.pns.update({check.pn} - {""})
            self.lids.update({check.lid} - {""})
