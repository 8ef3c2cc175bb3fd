"""Tests of how the engine's participants become ours."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from fakes_engine import Spelled, jid
from wuts.session.roster import participant, roster
from wuts.session.v1 import session_pb2 as pb

if TYPE_CHECKING:
    from wuts.session.jids import EngineJid

MASKED = "+55 11 ****-**12"


@dataclass
class Told:
    """A participant as the engine spells it."""

    JID: EngineJid = field(default_factory=Spelled)
    LID: EngineJid = field(default_factory=Spelled)
    PhoneNumber: EngineJid = field(default_factory=Spelled)
    DisplayName: str = ""


def told(own: str, lid: str, phone: str, name: str = "") -> Told:
    """Makes a participant."""
    return Told(jid(own), jid(lid), jid(phone), name)


class TestParticipant:
    """Which JID is the phone number."""

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            (told("123456@lid", "123456@lid", "5511@s.whatsapp.net"), ("5511", "123456", "")),
            (told("5511@s.whatsapp.net", "123456@lid", ""), ("5511", "123456", "")),
            (told("5511@s.whatsapp.net", "", ""), ("5511", "", "")),
            (told("123456@lid", "", "", MASKED), ("", "123456", MASKED)),
            (told("123456@lid", "", "5511@s.whatsapp.net", MASKED), ("5511", "123456", "")),
            (told("5511:7@s.whatsapp.net", "123456:7@lid", ""), ("5511", "123456", "")),
            (told("5511@hosted", "x@lid", ""), ("", "", "")),
        ],
        ids=["lid-group", "pn-group", "pn-only", "hidden", "not-hidden", "device-part", "neither"],
    )
    def test_sorted_by_server(self, given: Told, expected: tuple[str, str, str]) -> None:
        """The server decides; a masked number stands only for a hidden one."""
        sorted_out = participant(given)
        assert (sorted_out.pn, sorted_out.lid, sorted_out.redacted_phone) == expected


class TestRoster:
    """All participants of a group."""

    def test_order_and_gaps(self) -> None:
        """The order is kept; who has neither number is left out."""
        given = [told("5512@s.whatsapp.net", "", ""), told("", "", ""), told("123456@lid", "", "")]
        expected = [pb.Participant(pn="5512"), pb.Participant(lid="123456")]
        assert list(roster(given).participants) == expected
