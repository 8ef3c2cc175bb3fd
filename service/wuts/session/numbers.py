"""Turns the engine's answers on phone numbers into ours.

The rows come in any order and may be fewer or more than the numbers that were
asked: only the number that a row repeats tells which question it answers.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from wuts.domain.jid import Server
from wuts.session.jids import EngineJid, user_on
from wuts.session.v1 import session_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

NUMBER = re.compile(r"[0-9]{1,20}")
"""What may be asked: the engine would make two questions of a number with a space."""

_NO_DIGIT = re.compile(r"[^0-9]")


class EngineRow(Protocol):
    """An answer on one number as the engine gives it."""

    Query: str
    """The number that was asked."""
    JID: EngineJid
    """Whoever has the number: by LID, by phone number, or not told."""
    IsIn: bool


def checks(
    rows: Iterable[EngineRow], asked: Collection[str], pn_of_lid: Callable[[str], str]
) -> pb.NumberChecks:
    """Gives one answer for each number that was asked and has any.

    `pn_of_lid` gives the digits of the phone number behind a LID, or an empty
    text. Where rows contradict each other the one that tells most counts.
    """
    told: dict[str, pb.NumberCheck] = {}
    for row in rows:
        number = _NO_DIGIT.sub("", row.Query.partition("@")[0])
        if number in asked:
            check = _check(number, row, pn_of_lid)
            told[number] = max(told.get(number, check), check, key=_weight)
    return pb.NumberChecks(checks=told.values())


def _check(number: str, row: EngineRow, pn_of_lid: Callable[[str], str]) -> pb.NumberCheck:
    if not row.IsIn:
        return pb.NumberCheck(asked=number, registered=False)
    lid = user_on(row.JID, Server.LID)
    pn = pn_of_lid(lid) if lid else user_on(row.JID, Server.PN)
    return pb.NumberCheck(asked=number, registered=True, pn=pn, lid=lid)


def _weight(check: pb.NumberCheck) -> tuple[bool, bool, bool, str, str]:
    # The texts make the choice the same in whatever order the rows come.
    return check.registered, bool(check.pn), bool(check.lid), check.pn, check.lid
