"""Tests of number checks and notices of changes, with the real engine."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from sandbox.mixed_world import GROUP, OWN_LID, OWN_PN, PICTURE
from session.harness import A, Watch, eventually
from session.test_engine import (
    HIDDEN,
    LIMITS,
    WITH_PICTURE,
    Loopback,
    _misleading_environment,
    ask,
    fresh,
    linked,
)
from wuts.domain.enquiry import Change, ChangeKind, NumberCheck
from wuts.domain.errors import DomainError, RateLimited, WhatsappError, WhatsappTimeout
from wuts.domain.jid import parse_chat
from wuts.domain.picture import Picture
from wuts.domain.state import DeviceState

if TYPE_CHECKING:
    from pathlib import Path

    from wuts.domain.jid import Jid

__all__ = ["_misleading_environment", "fresh", "linked"]

MAPPED = NumberCheck("5511000000001", registered=True, pn="5511000000001", lid="100000000000001")
WITHOUT_LID = NumberCheck("5511900000004", registered=True, pn="551100000004")
RESPELT = NumberCheck("5511900000009", registered=True, pn="551100000009", lid="100000000000009")
OWN = NumberCheck(OWN_PN, registered=True, pn=OWN_PN, lid=OWN_LID)
UNREGISTERED = NumberCheck("5511000000005", registered=False)
STRANGER = NumberCheck("5511000000099", registered=False)
SILENT = "5511000000008"

TOLD = [UNREGISTERED, RESPELT, MAPPED, OWN, STRANGER, WITHOUT_LID]


def counts(loopback: Loopback) -> tuple[int, int]:
    """Counts the number checks, and the numbers in them."""
    told = loopback.emulator.counts()
    return told.get("usync_contact", 0), told.get("numbers_checked", 0)


def pairs(devices: Path) -> set[tuple[str, str]]:
    """Reads the LID map of the device's store."""
    store = f"file:{devices / A / 'store.db'}?mode=ro"
    with closing(sqlite3.connect(store, uri=True)) as connection:
        return set(connection.execute("SELECT lid, pn FROM whatsmeow_lid_map"))


async def check(watch: Watch, *numbers: str) -> object:
    """Asks about numbers, and gives the answer or the error."""
    try:
        return await watch.sessions.check_numbers(A, numbers)
    except DomainError as error:
        return error


def hear(watch: Watch, *chats: Jid) -> list[Change]:
    """Listens to what is told of those chats; of others there may be news of another test."""
    heard: list[Change] = []

    def listen(_: str, change: Change) -> None:
        if change.chat in chats:
            heard.append(change)

    watch.sessions.listen(listen)
    return heard


class TestNumbers:
    """What the engine's answers on numbers become."""

    async def test_one_query(self, linked: Loopback, tmp_path: Path) -> None:
        """Each number of a query has its own answer, with the number as WhatsApp spells it."""
        async with linked.sessions(linked.copy(tmp_path)) as watch:
            await watch.connect(A)
            queries, numbers = counts(linked)
            answer = await check(watch, SILENT, *(told.asked for told in TOLD))
            assert answer == {told.asked: told for told in TOLD}
            assert counts(linked) == (queries + 1, numbers + 7)

    async def test_teaches(self, linked: Loopback, tmp_path: Path) -> None:
        """The pair of the answer is in the store when the answer is there."""
        devices = linked.copy(tmp_path)
        pair = (RESPELT.lid, RESPELT.pn)
        async with linked.sessions(devices) as watch:
            await watch.connect(A)
            before = pairs(devices)
            assert await check(watch, RESPELT.asked) == {RESPELT.asked: RESPELT}
            assert pairs(devices) == before | {pair}
            assert pair not in before

    async def test_fifty(self, linked: Loopback, tmp_path: Path) -> None:
        """Fifty numbers are one query."""
        asked = [f"55119876{number:05}" for number in range(50)]
        async with linked.sessions(linked.copy(tmp_path)) as watch:
            await watch.connect(A)
            queries, numbers = counts(linked)
            answer = await check(watch, *asked)
            assert answer == {each: NumberCheck(each, registered=False) for each in asked}
            assert counts(linked) == (queries + 1, numbers + 50)

    async def test_nothing_said(self, linked: Loopback, tmp_path: Path) -> None:
        """A number on which WhatsApp says nothing is missing, also when it is the only one."""
        async with linked.sessions(linked.copy(tmp_path)) as watch:
            await watch.connect(A)
            assert await check(watch, SILENT) == {}

    async def test_faults(self, linked: Loopback, tmp_path: Path) -> None:
        """Refusals, silence and delay stay apart, and leave nothing behind."""
        limits = replace(LIMITS, call_seconds=1)
        async with linked.sessions(linked.copy(tmp_path), limits) as watch:
            await watch.connect(A)
            linked.emulator.ask("refuse", kind="usync_contact", times=1)
            limited = await check(watch, MAPPED.asked)
            linked.emulator.ask("refuse", kind="usync_contact", times=1, code=503, text="x")
            refused = await check(watch, MAPPED.asked)
            linked.emulator.ask("drop", kind="usync_contact", times=1)
            dropped = await check(watch, MAPPED.asked)
            linked.emulator.ask("slow", kind="usync_contact", times=1, delay=0.1)
            late = await check(watch, MAPPED.asked)
            assert isinstance(limited, RateLimited)
            assert limited.retry_after == 60
            assert isinstance(refused, WhatsappError)
            assert refused.code == 503
            assert isinstance(dropped, WhatsappTimeout)
            assert late == {MAPPED.asked: MAPPED}

    async def test_connection_lost(self, linked: Loopback, tmp_path: Path) -> None:
        """A check whose connection is lost is answered over the next one."""
        async with linked.sessions(linked.copy(tmp_path)) as watch:
            await watch.connect(A)
            linked.emulator.ask("drop", kind="usync_contact", times=1)
            queries, _ = counts(linked)
            call = check(watch, MAPPED.asked)
            answer, _ = await asyncio.gather(call, lose(linked, queries))
            assert answer == {MAPPED.asked: MAPPED}


class TestChanges:
    """Hearing of what changes."""

    async def test_heard(self, linked: Loopback, tmp_path: Path) -> None:
        """Pictures of people and groups, members, and new groups are heard of in order."""
        person, lid, group, new = map(
            parse_chat,
            (
                "5511000000005@s.whatsapp.net",
                "100000000000006@lid",
                GROUP,
                "12036377777777777@g.us",
            ),
        )
        async with linked.sessions(linked.copy(tmp_path)) as watch:
            heard = hear(watch, person, lid, group, new)
            await watch.connect(A)
            tell(linked, "set-picture", jid=person, picture=PICTURE)
            tell(linked, "set-picture", jid=lid, picture=PICTURE)
            tell(linked, "set-picture", jid=group, picture="none")
            tell(linked, "set-picture", jid=group, picture=PICTURE)
            tell(linked, "set-group", jid=new, fields={"subject": "New"})
            tell(linked, "set-group", jid=new, fields={"subject": "Renamed"})
            expected = [
                *(Change(ChangeKind.PICTURE, chat) for chat in (person, lid, group, group)),
                *(Change(ChangeKind.GROUP, chat) for chat in (new, new)),
            ]
            assert await eventually(lambda: heard == expected)

    async def test_heard_later(self, linked: Loopback, tmp_path: Path) -> None:
        """What changed while the device was away is heard of when it is back."""
        async with linked.sessions(linked.copy(tmp_path)) as watch:
            heard = hear(watch, WITH_PICTURE)
            for picture in ("none", PICTURE):
                tell(linked, "set-picture", jid=WITH_PICTURE, picture=picture)
            await watch.connect(A)
            expected = Change(ChangeKind.PICTURE, WITH_PICTURE)
            # It may be told again at the same login.
            assert await eventually(lambda: heard.count(expected) >= 2)

    async def test_many(self, linked: Loopback, tmp_path: Path) -> None:
        """Hundreds of changes at once are all heard, and calls are answered meanwhile."""
        async with linked.sessions(linked.copy(tmp_path)) as watch:
            heard = hear(watch, HIDDEN)
            for number in range(300):
                tell(linked, "set-picture", jid=HIDDEN, picture={**PICTURE, "id": f"{number}"})
            await watch.connect(A)
            assert await check(watch, MAPPED.asked) == {MAPPED.asked: MAPPED}
            assert await eventually(lambda: len(heard) >= 300)
            assert watch.sessions.tallies.starts == {"started": 1}

    async def test_listener_that_fails(self, linked: Loopback, tmp_path: Path) -> None:
        """A listener that fails harms neither the session nor later changes."""
        heard: list[Change] = []

        def fail(_: str, change: Change) -> None:
            heard.append(change)
            raise ZeroDivisionError

        async with linked.sessions(linked.copy(tmp_path)) as watch:
            watch.sessions.listen(fail)
            await watch.connect(A)
            for picture in ("none", PICTURE):
                tell(linked, "set-picture", jid=WITH_PICTURE, picture=picture)
            expected = Change(ChangeKind.PICTURE, WITH_PICTURE)
            assert await eventually(lambda: heard.count(expected) >= 2)
            assert isinstance(await ask(watch, WITH_PICTURE), Picture)
            assert watch.sessions.state(A) == DeviceState.CONNECTED


def tell(loopback: Loopback, command: str, *, jid: object, **fields: object) -> None:
    """Changes the world of the device's account."""
    loopback.emulator.ask(command, account=OWN_PN, jid=str(jid), **fields)


async def lose(loopback: Loopback, queries: int) -> None:
    """Breaks the connection once a number check is under way."""
    assert await eventually(lambda: counts(loopback)[0] > queries)
    loopback.emulator.ask("kill", account=OWN_PN)
