"""Quiet times, accounts, bans and removed devices."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from enquiries_office import (
    ACCOUNT,
    GROUP,
    MARIA,
    OTHER_ACCOUNT,
    PLENTY,
    START,
    A,
    Office,
    error_of,
    picture_of,
    reached,
)
from wuts.domain.enquiry import QueryClass
from wuts.domain.errors import ServiceUnavailable
from wuts.domain.group import Roster
from wuts.domain.jid import pn_jid
from wuts.domain.state import DeviceState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

DAY = timedelta(hours=24)
HOURS_OF_BAN = 2
BAN_ENDS = START + timedelta(hours=HOURS_OF_BAN)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """An office with the budgets as they are by default."""
    office = Office(tmp_path)
    yield office
    await office.enquirer.close()


async def left(office: Office) -> tuple[int, int, int]:
    """How many numbers may be checked now, after a rest, and in an hour."""
    told = await office.budget(QueryClass.NUMBER_CHECK)
    return told.remaining, told.burst, told.per_hour


async def quiet_until(office: Office) -> object:
    """Until when the device is in a quiet time."""
    return (await office.whole_budget()).quiet_until


class TestOnLinked:
    """A device was linked."""

    async def test_quiet_time(self, office: Office) -> None:
        """For 24 hours everything is a quarter; afterwards all of it comes back."""
        await office.enquirer.on_linked(A, ACCOUNT)
        assert (15, 15, 30) == await left(office)
        assert START + DAY == await quiet_until(office)
        office.clock.advance(hours=23.9)
        assert (15, 15, 30) == await left(office)
        office.clock.advance(hours=0.1)
        assert ((15, 60, 120), None) == (await left(office), await quiet_until(office))
        office.clock.advance(hours=1)
        assert (60, 60, 120) == await left(office)

    async def test_restart(self, office: Office) -> None:
        """A restart does not end the quiet time."""
        await office.enquirer.on_linked(A, ACCOUNT)
        await office.restart()
        office.enquirer.know(A, ACCOUNT)
        assert START + DAY == await quiet_until(office)

    async def test_none(self, tmp_path: Path) -> None:
        """Without quiet hours there is no quiet time, not even one that had begun."""
        office = Office(tmp_path)
        await office.enquirer.on_linked(A, ACCOUNT)
        office.policy = replace(office.policy, quiet=timedelta(0))
        await office.restart()
        assert ((60, 60, 120), None) == (await left(office), await quiet_until(office))
        await office.enquirer.close()

    async def test_told_again(self, office: Office) -> None:
        """A link that is known already begins nothing anew."""
        await office.enquirer.on_linked(A, ACCOUNT)
        office.clock.advance(hours=5)
        await office.enquirer.on_linked(A, ACCOUNT)
        assert START + DAY == await quiet_until(office)

    async def test_same_account_again(self, office: Office) -> None:
        """A new link to the same account begins a quiet time, and numbers stay remembered."""
        await office.enquirer.on_linked(A, ACCOUNT)
        await office.check(["5511911112222"])
        await office.enquirer.on_unlinked(A)
        office.clock.advance(hours=5)
        await office.enquirer.on_linked(A, ACCOUNT)
        assert office.clock.now + DAY == await quiet_until(office)
        assert {"5511911112222"} == {*await office.enquirer.recall_numbers(A, ["5511911112222"])}

    @pytest.mark.parametrize("restarts", [False, True])
    async def test_unseen_changes(self, office: Office, restarts: bool) -> None:
        """What nobody tells a device that is not linked of is asked again after that."""
        maria, joao, group = MARIA, pn_jid("5511888888888"), GROUP
        office.sessions.pictures[str(maria)] = picture_of("1")
        office.sessions.rosters[str(group)] = Roster([])
        await office.enquirer.on_linked(A, ACCOUNT)
        for chat in (maria, joao):
            await error_of(office.picture(chat))
        await office.enquirer.roster(A, group, fresh=False)
        await office.enquirer.on_unlinked(A)
        office.sessions.pictures[str(joao)] = picture_of("2")
        if restarts:
            await office.restart()
        await office.enquirer.on_linked(A, ACCOUNT)
        for chat in (maria, joao):
            assert not (await office.picture(chat)).remembered
        assert not (await office.enquirer.roster(A, group, fresh=False)).remembered

    @pytest.mark.parametrize("restarts", [False, True])
    async def test_another_account(self, office: Office, restarts: bool) -> None:
        """With another account nothing is remembered, neither in memory nor on disk."""
        await office.enquirer.on_linked(A, ACCOUNT)
        await error_of(office.picture())
        await office.check(["5511911112222"])
        await office.enquirer.on_linked(A, OTHER_ACCOUNT)
        if restarts:
            await office.restart()
        assert {} == await office.enquirer.recall_numbers(A, ["5511911112222"])
        await error_of(office.picture())
        assert 2 == len(office.sessions.asked)
        assert START + DAY == await quiet_until(office)

    async def test_under_way(self, office: Office) -> None:
        """What another account asked is answered to nobody, and not remembered."""
        await office.enquirer.on_linked(A, ACCOUNT)
        office.sessions.held = asyncio.Event()
        calls = [
            asyncio.create_task(office.picture()),
            asyncio.create_task(office.check(["5511911112222"])),
        ]
        assert await reached(lambda: bool(office.sessions.asked and office.sessions.asked_numbers))
        await office.enquirer.on_linked(A, OTHER_ACCOUNT)
        assert [ServiceUnavailable] * 2 == [type(await error_of(call)) for call in calls]
        office.sessions.held.set()
        await office.restart()
        assert {} == await office.enquirer.recall_numbers(A, ["5511911112222"])


class TestKnow:
    """A device that was linked before the service was started."""

    async def test_first_time(self, office: Office) -> None:
        """A device of which nothing is on disk is in no quiet time."""
        office.enquirer.know(A, ACCOUNT)
        assert ((60, 60, 120), None) == (await left(office), await quiet_until(office))
        await office.enquirer.on_linked(A, ACCOUNT)
        assert await quiet_until(office) is None

    async def test_another_account(self, office: Office) -> None:
        """What is on disk about another account is dropped, and the quiet time begins."""
        await office.enquirer.on_linked(A, ACCOUNT)
        await error_of(office.picture())
        await office.restart()
        office.clock.advance(hours=1)
        office.enquirer.know(A, OTHER_ACCOUNT)
        assert office.clock.now + DAY == await quiet_until(office)
        await error_of(office.picture())
        assert 2 == len(office.sessions.asked)

    async def test_linked_unnoticed(self, office: Office) -> None:
        """A link that could not be noted begins the quiet time at the restart."""
        await office.enquirer.on_linked(A, ACCOUNT)
        await office.enquirer.on_unlinked(A)
        await office.restart()
        office.clock.advance(hours=1)
        office.enquirer.know(A, ACCOUNT)
        assert office.clock.now + DAY == await quiet_until(office)


class TestBans:
    """WhatsApp bans the account for a time."""

    async def test_watched(self, office: Office) -> None:
        """After a ban that nobody asked anything in, the quiet time begins."""
        office.enquirer.know(A, ACCOUNT)
        assert await quiet_until(office) is None
        office.sessions.enter(A, DeviceState.BANNED, banned_until=BAN_ENDS)
        quiet = office.enquirer.budget

        async def is_quiet() -> bool:
            return (await quiet(A)).quiet_until is not None

        async with asyncio.timeout(5):
            while not await is_quiet():
                await asyncio.sleep(0)
        office.sessions.enter(A, DeviceState.CONNECTED)
        office.clock.advance(hours=HOURS_OF_BAN)
        assert BAN_ENDS + DAY == await quiet_until(office)
        assert (15, 15, 30) == await left(office)

    async def test_met(self, office: Office) -> None:
        """A ban that a question meets counts as well."""
        office.sessions.enter(A, DeviceState.BANNED, banned_until=BAN_ENDS)
        await error_of(office.picture())
        assert BAN_ENDS + DAY == await quiet_until(office)


class TestForget:
    """A device is removed."""

    async def test_nothing_is_left(self, office: Office) -> None:
        """Nothing is written any more once it is forgotten, and nothing is remembered."""
        await office.enquirer.on_linked(A, ACCOUNT)
        await office.check(["5511911112222"])
        await office.enquirer.forget(A)
        office.file().unlink(missing_ok=True)
        office.file().parent.rmdir()
        assert {} == await office.enquirer.recall_numbers(A, ["5511911112222"])
        await office.check(["5511911112222"])
        await office.enquirer.forget(A)
        await office.enquirer.close()
        assert not office.file().parent.exists()

    async def test_unknown(self, office: Office) -> None:
        """A device of which nothing is known can be forgotten, twice."""
        await office.enquirer.forget(A)
        await office.enquirer.forget(A)
        assert not office.file().exists()


class TestClose:
    """The service ends."""

    async def test_under_way(self, tmp_path: Path) -> None:
        """Whoever waits is told that the service ends."""
        office = Office(tmp_path, PLENTY)
        office.sessions.pictures[str(MARIA)] = picture_of("1")
        office.sessions.held = asyncio.Event()
        call = asyncio.create_task(office.picture())
        assert await reached(lambda: bool(office.sessions.asked))
        await office.enquirer.close()
        assert ServiceUnavailable is type(await error_of(call))
