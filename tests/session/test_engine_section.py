"""Tests of profiles and the blocklist, with the real engine."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from sandbox.mixed_world import OWN_PN, PEOPLE
from session.harness import A, Watch
from session.test_engine import Loopback, _misleading_environment, linked
from session.test_engine_identity import pairs
from wuts.domain.blocklist import Blocklist
from wuts.domain.errors import DomainError, NotOnWhatsapp, RateLimited, WhatsappTimeout
from wuts.domain.jid import lid_jid, pn_jid
from wuts.domain.profile import UserInfo

if TYPE_CHECKING:
    from pathlib import Path

    from wuts.domain.jid import Jid

__all__ = ["_misleading_environment", "linked"]

ABOUT = "Hey there! I am using WhatsApp."
MAPPED, UNMAPPED, GIVEN = (pn_jid(PEOPLE[place]["pn"]) for place in (0, 1, 3))
MAPPED_LID, UNMAPPED_LID = (lid_jid(PEOPLE[place]["lid"]) for place in (0, 1))
GIVEN_LID = "800551100000004"
UNREGISTERED, STRANGER = pn_jid(PEOPLE[4]["pn"]), pn_jid("5511000000099")


async def info(watch: Watch, person: Jid) -> object:
    """Asks about a person, and gives the answer or the error."""
    try:
        return await watch.sessions.user_info(A, person)
    except DomainError as error:
        return error


async def block(watch: Watch, person: Jid, *, blocked: bool = True) -> object:
    """Blocks or unblocks, and gives the list or the error."""
    try:
        return await watch.sessions.set_blocked(A, person, blocked=blocked)
    except DomainError as error:
        return error


class TestUserInfo:
    """What the engine's answers on people become."""

    async def test_told(self, linked: Loopback, tmp_path: Path) -> None:
        """Status, picture, the phone and the LID are told, by phone number and by LID."""
        by_pn = UserInfo(ABOUT, "42", (str(MAPPED),), MAPPED_LID.user)
        by_lid = UserInfo(ABOUT, "42", (str(MAPPED_LID),), MAPPED_LID.user)
        async with linked.sessions(linked.copy(tmp_path)) as watch:
            await watch.connect(A)
            assert await info(watch, MAPPED) == by_pn
            assert await info(watch, MAPPED_LID) == by_lid

    async def test_teaches(self, linked: Loopback, tmp_path: Path) -> None:
        """The LID is in the store when the answer is there, and a LID pairs nobody with itself."""
        devices = linked.copy(tmp_path)
        async with linked.sessions(devices) as watch:
            await watch.connect(A)
            before = pairs(devices)
            await info(watch, UNMAPPED_LID)
            assert pairs(devices) == before
            told = await info(watch, UNMAPPED)
            assert isinstance(told, UserInfo)
            assert told.lid == UNMAPPED_LID.user
            assert pairs(devices) == before | {(UNMAPPED_LID.user, UNMAPPED.user)}

    async def test_nobody(self, linked: Loopback, tmp_path: Path) -> None:
        """Who is not registered, or not known at all, is not on WhatsApp."""
        async with linked.sessions(linked.copy(tmp_path)) as watch:
            await watch.connect(A)
            kinds = {type(await info(watch, person)) for person in (UNREGISTERED, STRANGER)}
            assert kinds == {NotOnWhatsapp}

    async def test_verified_name(self, linked: Loopback, tmp_path: Path) -> None:
        """The engine keeps the name of a business' certificate in its store, and tells nothing."""
        devices = linked.copy(tmp_path)
        fields = {**PEOPLE[3], "verified_name": "Silva Comercio"}
        linked.emulator.ask("set-person", account=OWN_PN, fields=fields)
        async with linked.sessions(devices) as watch:
            await watch.connect(A)
            told = await info(watch, GIVEN)
            assert told == UserInfo(ABOUT, "", (str(GIVEN),), GIVEN_LID)
            store = f"file:{devices / A / 'store.db'}?mode=ro"
            with closing(sqlite3.connect(store, uri=True)) as connection:
                query = "SELECT business_name FROM whatsmeow_contacts WHERE their_jid = ?"
                names = connection.execute(query, (str(GIVEN),)).fetchall()
        assert names == [("Silva Comercio",)]
        linked.emulator.ask("set-person", account=OWN_PN, fields=PEOPLE[3])

    @pytest.mark.parametrize(
        ("fault", "kind"), [("refuse", RateLimited), ("drop", WhatsappTimeout)]
    )
    async def test_faults(
        self, linked: Loopback, tmp_path: Path, fault: str, kind: type[DomainError]
    ) -> None:
        """A refusal and silence stay apart."""
        async with linked.sessions(linked.copy(tmp_path)) as watch:
            await watch.connect(A)
            linked.emulator.ask(fault, kind="usync_info", times=1)
            assert isinstance(await info(watch, MAPPED), kind)


class TestBlocklist:
    """Reading and changing the list."""

    async def test_changes(self, linked: Loopback, tmp_path: Path) -> None:
        """People are blocked by LID, also when they are named by phone number, and once only."""
        async with linked.sessions(linked.copy(tmp_path)) as watch:
            await watch.connect(A)
            empty = await watch.sessions.blocklist(A)
            one = await block(watch, MAPPED)
            assert isinstance(one, Blocklist)
            assert (empty.people, one.people) == ((), (MAPPED_LID,))
            assert one == await block(watch, MAPPED_LID)
            both = await block(watch, lid_jid("100000000000003"))
            assert isinstance(both, Blocklist)
            assert both.people == (MAPPED_LID, lid_jid("100000000000003"))
            assert both == await watch.sessions.blocklist(A)
            assert len({empty.dhash, one.dhash, both.dhash}) == 3
            await block(watch, lid_jid("100000000000003"), blocked=False)
            assert empty == await block(watch, MAPPED, blocked=False)

    async def test_listed_by_number(self, linked: Loopback, tmp_path: Path) -> None:
        """An old entry by phone number is read and can be removed."""
        linked.emulator.ask("set-blocklist", account=OWN_PN, jids=[str(MAPPED), str(MAPPED_LID)])
        async with linked.sessions(linked.copy(tmp_path)) as watch:
            await watch.connect(A)
            assert (await watch.sessions.blocklist(A)).people == (MAPPED, MAPPED_LID)
            told = await block(watch, MAPPED, blocked=False)
            assert isinstance(told, Blocklist)
            assert told.people == ()

    async def test_unknown_lid(self, linked: Loopback, tmp_path: Path) -> None:
        """Who has no LID in the store is asked about; whom WhatsApp does not know is nobody."""
        async with linked.sessions(linked.copy(tmp_path)) as watch:
            await watch.connect(A)
            told = await block(watch, GIVEN)
            assert isinstance(told, Blocklist)
            assert told.people == (lid_jid(GIVEN_LID),)
            await block(watch, GIVEN, blocked=False)
            assert isinstance(await block(watch, STRANGER), NotOnWhatsapp)

    async def test_faults(self, linked: Loopback, tmp_path: Path) -> None:
        """A refused change changes nothing."""
        async with linked.sessions(linked.copy(tmp_path)) as watch:
            await watch.connect(A)
            linked.emulator.ask("refuse", kind="blocklist", times=1)
            assert isinstance(await block(watch, MAPPED), RateLimited)
            assert (await watch.sessions.blocklist(A)).people == ()
