"""Turns the engine's participants into ours.

A participant comes with up to three JIDs, and which of them is the phone
number depends on how the group is addressed: their servers decide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from wuts.domain.jid import Server
from wuts.session.jids import EngineJid, user_on
from wuts.session.v1 import session_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Iterable


class EngineParticipant(Protocol):
    """A participant as the engine gives it."""

    JID: EngineJid
    LID: EngineJid
    PhoneNumber: EngineJid
    DisplayName: str
    """The masked phone number of someone who hides the real one."""


def roster(participants: Iterable[EngineParticipant]) -> pb.Roster:
    """Gives the participants of whom a phone number or a LID is told."""
    told = (participant(each) for each in participants)
    return pb.Roster(participants=[each for each in told if each.pn or each.lid])


def participant(told: EngineParticipant) -> pb.Participant:
    """Sorts a participant's JIDs by their servers.

    The masked number is given only in place of a phone number that is hidden.
    """
    jids = (told.PhoneNumber, told.JID, told.LID)
    pn = _first_user(jids, Server.PN)
    return pb.Participant(
        pn=pn,
        lid=_first_user(jids, Server.LID),
        redacted_phone="" if pn else told.DisplayName,
    )


def _first_user(jids: Iterable[EngineJid], server: Server) -> str:
    """Finds the digits of the first JID on that server, or an empty string."""
    return next(filter(None, (user_on(jid, server) for jid in jids)), "")
