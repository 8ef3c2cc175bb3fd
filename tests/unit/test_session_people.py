"""Tests of what the engine's answers on people and on the blocklist become."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from fakes_engine import Spelled, jid
from wuts.session.people import blocklist, user_info
from wuts.session.v1 import session_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wuts.session.jids import EngineJid
    from wuts.session.people import EngineDevice


@dataclass
class Device(Spelled):
    """A device of an account."""

    Device: int = 0


@dataclass
class Info:
    """What the engine gives of one person."""

    Status: str = ""
    PictureID: str = ""
    Devices: Sequence[EngineDevice] = ()


@dataclass
class Blocked:
    """A blocklist as the engine gives it."""

    DHash: str
    JIDs: Sequence[EngineJid]


def device(user: str, server: str, number: int = 0) -> Device:
    """Makes the JID of a device."""
    return Device(user, server, number)


class TestUserInfo:
    """Reading one row."""

    def test_whole(self) -> None:
        """All that is told is kept; devices are printed as WhatsApp prints them."""
        devices = [device("5511", "s.whatsapp.net"), device("5511", "s.whatsapp.net", 3)]
        devices += [device("99", "lid", 12), device("5511", "hosted")]
        told = user_info([Info("Hi", "17", devices)], "99")
        names = ["5511@s.whatsapp.net", "5511:3@s.whatsapp.net", "99:12@lid"]
        expected = pb.UserInfo(status="Hi", picture_id="17", devices=names, lid="99")
        assert told == pb.Reply(user_info=expected)

    @pytest.mark.parametrize(
        "info", [Info("Hi"), Info(PictureID="17"), Info(Devices=[device("5511", "lid")])]
    )
    def test_somebody(self, info: Info) -> None:
        """Whoever tells anything is somebody."""
        assert user_info([info], "").HasField("user_info")

    def test_nobody(self) -> None:
        """A row in which nothing is told says that nobody is there."""
        failure = pb.Failure(kind=pb.FAILURE_KIND_NOT_ON_WHATSAPP)
        assert user_info([Info()], "99") == pb.Reply(failure=failure)

    def test_no_row(self) -> None:
        """Without a row nothing was said; that is not taken for an absence."""
        failure = pb.Failure(kind=pb.FAILURE_KIND_MALFORMED_ANSWER)
        assert user_info([], "") == pb.Reply(failure=failure)


class TestBlocklist:
    """Reading the list."""

    def test_people(self) -> None:
        """People are kept in their order, by either spelling; nobody else is."""
        told = Blocked("2:a", [jid("1@lid"), jid("2@s.whatsapp.net"), jid("3@g.us"), jid("@lid")])
        people = [
            pb.BlockedPerson(user="1", server="lid"),
            pb.BlockedPerson(user="2", server="s.whatsapp.net"),
        ]
        assert blocklist(told) == pb.Blocklist(people=people, dhash="2:a")

    def test_empty(self) -> None:
        """Nobody may be blocked."""
        assert blocklist(Blocked("none", [])) == pb.Blocklist(dhash="none")
