"""Who a JID is: one identity out of rows, LID pairs and a group's roster."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from wuts.domain.contact import Names
from wuts.domain.jid import Jid, Server, lid_jid, pn_jid

if TYPE_CHECKING:
    from wuts.domain.group import Roster
    from wuts.domain.knowledge import Knowledge, Row


class Status(StrEnum):
    """Why an identity is less than complete."""

    UNKNOWN = "UNKNOWN"
    PHONE_HIDDEN = "PHONE_HIDDEN"
    NOT_IN_GROUP = "NOT_IN_GROUP"
    INVALID_IDENTIFIER = "INVALID_IDENTIFIER"


@dataclass(frozen=True, slots=True)
class Identity:
    """The best-known identity behind one JID.

    `pn` is None when the phone number is not known, `lid` when no LID is;
    `status` is None for a resolved identity.
    """

    asked: Jid
    pn: Jid | None
    lid: Jid | None
    names: Names
    status: Status | None

    @property
    def best(self) -> Jid:
        """The PN JID when known, else the JID that was asked for."""
        return self.pn or self.asked


def identify(asked: Jid, known: Knowledge, roster: Roster | None = None) -> Identity:
    """Finds the identity of a PN or LID JID in what is known."""
    pn, lid = _both_sides(asked, known)
    pn_row = known.pn_rows.get(pn) if pn else None
    lid_row = known.lid_rows.get(lid) if lid else None
    member = _Membership.of(roster, pn, lid)
    return Identity(
        asked=asked,
        pn=pn_jid(pn) if pn else None,
        lid=lid_jid(lid) if lid else None,
        names=_merged(pn_row, lid_row),
        status=_status(asked, (pn, lid), (pn_row, lid_row), member),
    )


def merge_roster(known: Knowledge, roster: Roster) -> Knowledge:
    """Adds the roster's LID pairs; they are fresher than the store's."""
    pairs = [(p.pn, p.lid) for p in roster.participants if p.pn and p.lid]
    return type(known)(
        pn_rows=known.pn_rows,
        lid_rows=known.lid_rows,
        lid_of_pn={**known.lid_of_pn, **dict(pairs)},
        pn_of_lid={**known.pn_of_lid, **{lid: pn for pn, lid in pairs}},
    )


@dataclass(frozen=True, slots=True)
class _Membership:
    """What a roster says of one person; without a roster, nothing."""

    asked: bool = False
    listed: bool = False
    redacted: bool = False

    @classmethod
    def of(cls, roster: Roster | None, pn: str, lid: str) -> _Membership:
        if roster is None:
            return cls()
        entry = roster.find(pn=pn, lid=lid)
        if entry is None:
            return cls(asked=True)
        return cls(asked=True, listed=True, redacted=bool(entry.redacted_phone))


def _both_sides(asked: Jid, known: Knowledge) -> tuple[str, str]:
    if asked.server is Server.LID:
        return known.pn_of_lid.get(asked.user, ""), asked.user
    return asked.user, known.lid_of_pn.get(asked.user, "")


def _merged(pn_row: Row | None, lid_row: Row | None) -> Names:
    first = pn_row.names if pn_row else Names()
    return first.filled_from(lid_row.names) if lid_row else first


def _status(
    asked: Jid,
    users: tuple[str, str],
    rows: tuple[Row | None, Row | None],
    member: _Membership,
) -> Status | None:
    if member.asked and not member.listed:
        return Status.NOT_IN_GROUP
    if asked.server is Server.PN:
        known = bool(users[1]) or any(rows) or member.listed
        return None if known else Status.UNKNOWN
    if users[0]:
        return None
    row = rows[1]
    proven = member.redacted or (row is not None and bool(row.names or row.redacted_phone))
    return Status.PHONE_HIDDEN if proven else Status.UNKNOWN
