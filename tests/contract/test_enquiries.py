"""The port Enquiries: numbers, rosters and budgets; what is asked, and what is remembered."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from enquiries_office import (
    GROUP,
    MARIA,
    PLENTY,
    START,
    A,
    B,
    Office,
    error_of,
    picture_of,
    reached,
)
from wuts.domain.budget import Allowance
from wuts.domain.enquiry import Change, ChangeKind, Heard, NumberCheck, QueryClass
from wuts.domain.errors import (
    BudgetExhausted,
    Busy,
    DeviceNotReady,
    DomainError,
    GroupForbidden,
    GroupNotFound,
    RateLimited,
    WhatsappTimeout,
)
from wuts.domain.group import Participant, Roster
from wuts.domain.state import DeviceState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

NUMBERS = [f"55119{index:08}" for index in range(160)]
ONE = NUMBERS[0]
ROSTER = Roster([Participant(pn="5511999999999")])


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """An office with plenty of budget."""
    office = Office(tmp_path, PLENTY)
    yield office
    await office.enquirer.close()


@pytest.fixture
async def thrifty(tmp_path: Path) -> AsyncIterator[Office]:
    """An office with the budgets as they are by default."""
    office = Office(tmp_path)
    yield office
    await office.enquirer.close()


def exhausted(outcomes: Mapping[str, Heard[NumberCheck] | DomainError]) -> dict[str, int]:
    """Which numbers there was no budget for, and how long to wait."""
    return {
        number: outcome.retry_after
        for number, outcome in outcomes.items()
        if isinstance(outcome, BudgetExhausted)
    }


class TestCheckNumbers:
    """Asking about phone numbers."""

    async def test_answer(self, office: Office) -> None:
        """Both words of WhatsApp are given as they were said, and when."""
        known = NumberCheck(ONE, registered=True, pn="551100000000", lid="210000000000001")
        office.sessions.registered[ONE] = known
        expected = {
            ONE: Heard(known, START),
            NUMBERS[1]: Heard(NumberCheck(NUMBERS[1], registered=False), START),
        }
        assert expected == await office.check(NUMBERS[:2])

    async def test_chunks(self, office: Office) -> None:
        """160 numbers take four queries of at most 50, each number once."""
        outcomes = await office.check([*NUMBERS, *NUMBERS])
        asked = office.sessions.asked_numbers
        assert [50, 50, 50, 10] == [len(query) for query in asked]
        assert NUMBERS == [number for query in asked for number in query] == list(outcomes)

    async def test_two_callers(self, office: Office) -> None:
        """Two callers with 160 numbers at the same time ask each number once."""
        office.sessions.held = asyncio.Event()
        first = asyncio.create_task(office.check(NUMBERS))
        second = asyncio.create_task(office.check([*reversed(NUMBERS)], fresh=True))
        assert await reached(lambda: len(office.sessions.asked_numbers) == 4)
        office.sessions.held.set()
        assert await first == await second
        asked = [number for query in office.sessions.asked_numbers for number in query]
        assert NUMBERS == sorted(asked)

    async def test_overlap(self, office: Office) -> None:
        """A caller who wants more waits for what is asked already, and asks the rest."""
        office.sessions.held = asyncio.Event()
        first = asyncio.create_task(office.check(NUMBERS[:2]))
        assert await reached(lambda: bool(office.sessions.asked_numbers))
        second = asyncio.create_task(office.check(NUMBERS[:3]))
        assert await reached(lambda: len(office.sessions.asked_numbers) == 2)
        office.sessions.held.set()
        assert [2, 3] == [len(await first), len(await second)]
        assert [NUMBERS[:2], NUMBERS[2:3]] == office.sessions.asked_numbers

    async def test_one_caller_leaves(self, office: Office) -> None:
        """A caller who leaves takes the answer away from nobody, not even from memory."""
        office.sessions.held = asyncio.Event()
        first = asyncio.create_task(office.check([ONE]))
        second = asyncio.create_task(office.check([ONE]))
        assert await reached(lambda: bool(office.sessions.asked_numbers))
        first.cancel()
        office.sessions.held.set()
        assert [ONE] == list(await second)
        assert first.cancelled()
        assert [ONE] == list(await office.enquirer.recall_numbers(A, [ONE]))

    async def test_silent(self, office: Office) -> None:
        """A number on which WhatsApp says nothing is missing, and not remembered."""
        office.sessions.silent = {ONE}
        assert [NUMBERS[1]] == list(await office.check(NUMBERS[:2]))
        assert [NUMBERS[1]] == list(await office.check(NUMBERS[:2]))
        assert [NUMBERS[:2], [ONE]] == office.sessions.asked_numbers

    async def test_one_query_fails(self, office: Office) -> None:
        """A query that fails fails its own numbers only."""
        office.sessions.number_errors[NUMBERS[60]] = WhatsappTimeout()
        outcomes = await office.check(NUMBERS)
        failed = [number for number, told in outcomes.items() if isinstance(told, DomainError)]
        assert NUMBERS[50:100] == failed
        assert {WhatsappTimeout} == {type(outcomes[number]) for number in failed}

    async def test_not_connected(self, office: Office) -> None:
        """A device that is not connected is asked nothing, and pays nothing."""
        office.sessions.states[A] = DeviceState.DISCONNECTED
        outcomes = await office.check([ONE])
        assert DeviceNotReady is type(outcomes[ONE])
        assert 5_000 == (await office.budget(QueryClass.NUMBER_CHECK)).remaining
        assert [] == office.sessions.asked_numbers


class TestRememberedNumbers:
    """What was said of a number once."""

    async def test_not_asked_again(self, office: Office) -> None:
        """Who has a number, and that nobody has it, is asked once in 24 hours."""
        office.sessions.registered[ONE] = NumberCheck(ONE, registered=True)
        await office.check(NUMBERS[:2])
        office.clock.advance(hours=23.9)
        outcomes = await office.check(NUMBERS[:2])
        assert [(START, True)] * 2 == [
            (each.at, each.remembered) for each in outcomes.values() if isinstance(each, Heard)
        ]
        office.clock.advance(hours=0.2)
        assert {} == await office.enquirer.recall_numbers(A, NUMBERS[:2])
        await office.check(NUMBERS[:2])
        assert [NUMBERS[:2]] * 2 == office.sessions.asked_numbers

    async def test_recall_asks_nothing(self, office: Office) -> None:
        """Recalling sends no query, whatever is known."""
        await office.check([ONE])
        recalled = await office.enquirer.recall_numbers(A, NUMBERS[:2])
        assert {ONE: Heard(NumberCheck(ONE, registered=False), START, remembered=True)} == recalled
        assert [[ONE]] == office.sessions.asked_numbers

    async def test_fresh(self, office: Office) -> None:
        """A fresh check asks again, and replaces what was remembered."""
        await office.check([ONE])
        office.sessions.registered[ONE] = NumberCheck(ONE, registered=True)
        office.clock.advance(hours=1)
        outcomes = await office.check([ONE], fresh=True)
        expected = Heard(NumberCheck(ONE, registered=True), office.clock.now)
        assert {ONE: expected} == outcomes
        recalled = await office.enquirer.recall_numbers(A, [ONE])
        assert {ONE: replace(expected, remembered=True)} == recalled

    async def test_own_time(self, tmp_path: Path) -> None:
        """How long nobody is believed to have a number is a setting of its own."""
        office = Office(tmp_path, replace(PLENTY, not_registered=timedelta(seconds=10)))
        office.sessions.registered[ONE] = NumberCheck(ONE, registered=True)
        await office.check(NUMBERS[:2])
        office.clock.advance(seconds=10)
        assert [ONE] == list(await office.enquirer.recall_numbers(A, NUMBERS[:2]))
        await office.enquirer.close()

    async def test_restart(self, office: Office) -> None:
        """A restart forgets nothing."""
        known = NumberCheck(ONE, registered=True, pn="551100000000", lid="210000000000001")
        office.sessions.registered[ONE] = known
        await office.check(NUMBERS)
        await office.restart()
        outcomes = await office.check(NUMBERS)
        assert Heard(known, START, remembered=True) == outcomes[ONE]
        assert 4 == len(office.sessions.asked_numbers)

    async def test_devices_are_apart(self, office: Office) -> None:
        """What one device was told another does not know."""
        await office.check([ONE])
        assert {} == await office.enquirer.recall_numbers(B, [ONE])

    async def test_oldest_go(self, tmp_path: Path) -> None:
        """The memory is bounded, also on disk: the oldest answers go first."""
        office = Office(tmp_path, replace(PLENTY, answers=100))
        for start in (0, 50, 100):
            await office.check(NUMBERS[start : start + 50])
            office.clock.advance(seconds=1)
        assert NUMBERS[50:150] == list(await office.enquirer.recall_numbers(A, NUMBERS))
        await office.restart()
        assert NUMBERS[50:150] == list(await office.enquirer.recall_numbers(A, NUMBERS))
        await office.enquirer.close()

    async def test_clock_put_back(self, office: Office) -> None:
        """An answer from the future is not believed."""
        await office.check([ONE])
        office.clock.advance(hours=-1)
        assert {} == await office.enquirer.recall_numbers(A, [ONE])


class TestRoster:
    """Asking for rosters."""

    @pytest.fixture(autouse=True)
    def _group(self, office: Office) -> None:
        office.sessions.rosters[str(GROUP)] = ROSTER

    async def test_remembered(self, office: Office) -> None:
        """A roster is asked for once in 15 minutes."""
        assert office.enquirer.recall_roster(A, GROUP) is None
        assert Heard(ROSTER, START) == await office.enquirer.roster(A, GROUP, fresh=False)
        office.clock.advance(minutes=14)
        known = Heard(ROSTER, START, remembered=True)
        assert known == office.enquirer.recall_roster(A, GROUP)
        assert known == await office.enquirer.roster(A, GROUP, fresh=False)
        office.clock.advance(minutes=1)
        assert office.enquirer.recall_roster(A, GROUP) is None
        await office.enquirer.roster(A, GROUP, fresh=False)
        assert [str(GROUP)] * 2 == office.sessions.asked

    async def test_fresh(self, office: Office) -> None:
        """A fresh one is asked for whatever is known."""
        await office.enquirer.roster(A, GROUP, fresh=False)
        heard = await office.enquirer.roster(A, GROUP, fresh=True)
        assert (False, 2) == (heard.remembered, len(office.sessions.asked))

    async def test_shared(self, office: Office) -> None:
        """Ten callers at a time ask once; one who leaves ends nothing."""
        office.sessions.held = asyncio.Event()
        calls = [
            asyncio.create_task(office.enquirer.roster(A, GROUP, fresh=False)) for _ in range(10)
        ]
        assert await reached(lambda: bool(office.sessions.asked))
        calls[0].cancel()
        office.sessions.held.set()
        assert [Heard(ROSTER, START)] * 9 == await asyncio.gather(*calls[1:])
        assert 1 == len(office.sessions.asked)

    async def test_group_event(self, office: Office) -> None:
        """After a change of the group its roster is asked for again."""
        await office.enquirer.roster(A, GROUP, fresh=False)
        office.enquirer.on_change(B, Change(ChangeKind.GROUP, GROUP))
        assert office.enquirer.recall_roster(A, GROUP) is not None
        office.enquirer.on_change(A, Change(ChangeKind.GROUP, GROUP))
        assert office.enquirer.recall_roster(A, GROUP) is None

    async def test_event_under_way(self, office: Office) -> None:
        """An answer that a change overtakes is not remembered, nor shared from then on."""
        office.sessions.held = asyncio.Event()
        early = asyncio.create_task(office.enquirer.roster(A, GROUP, fresh=False))
        assert await reached(lambda: bool(office.sessions.asked))
        office.enquirer.on_change(A, Change(ChangeKind.GROUP, GROUP))
        late = asyncio.create_task(office.enquirer.roster(A, GROUP, fresh=False))
        assert await reached(lambda: len(office.sessions.asked) == 2)
        office.sessions.held.set()
        await asyncio.gather(early, late)
        assert office.enquirer.recall_roster(A, GROUP) is not None

    async def test_failures(self, office: Office) -> None:
        """Errors come through, and are not remembered."""
        for error in (GroupForbidden(), GroupNotFound(), WhatsappTimeout()):
            office.sessions.rosters[str(GROUP)] = error
            assert error is await error_of(office.enquirer.roster(A, GROUP, fresh=False))
        assert 3 == len(office.sessions.asked)

    async def test_old_roster(self, tmp_path: Path) -> None:
        """Without budget an old roster is better than none, unless a fresh one is wanted."""
        once = {name: Allowance(per_hour=1, burst=1) for name in QueryClass}
        office = Office(tmp_path, replace(PLENTY, allowances=once))
        office.sessions.rosters[str(GROUP)] = ROSTER
        await office.enquirer.roster(A, GROUP, fresh=False)
        office.clock.advance(minutes=20)
        heard = await office.enquirer.roster(A, GROUP, fresh=False)
        assert Heard(ROSTER, START, remembered=True) == heard
        other = GROUP._replace(user="12345")
        for call in (
            office.enquirer.roster(A, GROUP, fresh=True),
            office.enquirer.roster(A, other, fresh=False),
        ):
            error = await error_of(call)
            assert isinstance(error, BudgetExhausted)
            assert (QueryClass.GROUP_INFO, 2400) == (error.query_class, error.retry_after)
        await office.enquirer.close()

    async def test_least_used_go(self, tmp_path: Path) -> None:
        """So many rosters are remembered; the one used least recently goes first."""
        office = Office(tmp_path, replace(PLENTY, rosters=2))
        groups = [GROUP._replace(user=str(12345 + index)) for index in range(3)]
        for group in groups:
            office.sessions.rosters[str(group)] = ROSTER
        for index in (0, 1, 0, 2):
            await office.enquirer.roster(A, groups[index], fresh=False)
        known = [office.enquirer.recall_roster(A, group) is not None for group in groups]
        assert [True, False, True] == known
        await office.enquirer.close()


class TestBudget:
    """What a device may ask."""

    async def test_untouched(self, thrifty: Office) -> None:
        """A device that has asked nothing has the whole of each class."""
        told = await thrifty.whole_budget()
        expected = [
            (QueryClass.NUMBER_CHECK, 60, 60, 120, 0),
            (QueryClass.USER_INFO, 60, 60, 240, 0),
            (QueryClass.PICTURE, 120, 120, 600, 0),
            (QueryClass.GROUP_INFO, 30, 30, 120, 0),
        ]
        assert expected == [
            (each.query_class, each.remaining, each.burst, each.per_hour, each.retry_after)
            for each in told.queries
        ]
        assert told.quiet_until is None

    async def test_cut(self, thrifty: Office) -> None:
        """A chunk is cut to what there is budget for; the rest is told when to come back."""
        outcomes = await thrifty.check(NUMBERS)
        assert [NUMBERS[:50], NUMBERS[50:60]] == thrifty.sessions.asked_numbers
        assert dict.fromkeys(NUMBERS[60:], 30) == exhausted(outcomes)

    async def test_memory_is_free(self, thrifty: Office) -> None:
        """Remembered numbers are answered when nothing is left."""
        await thrifty.check(NUMBERS)
        again = await thrifty.check(NUMBERS)
        assert NUMBERS[60:] == list(exhausted(again))
        assert 60 == sum(isinstance(each, Heard) and each.remembered for each in again.values())

    async def test_comes_back(self, thrifty: Office) -> None:
        """After the time that was told one more may be asked."""
        await thrifty.check(NUMBERS[:60])
        thrifty.clock.advance(seconds=30)
        await thrifty.check(NUMBERS[60:62])
        assert NUMBERS[60:61] == thrifty.sessions.asked_numbers[-1]

    async def test_restart(self, thrifty: Office) -> None:
        """A restart refills nothing."""
        await thrifty.check(NUMBERS[:60])
        await thrifty.restart()
        thrifty.clock.advance(seconds=60)
        assert 2 == (await thrifty.budget(QueryClass.NUMBER_CHECK)).remaining

    async def test_classes_and_devices_are_apart(self, thrifty: Office) -> None:
        """What one device spends on one class is taken from nothing else."""
        await thrifty.check(NUMBERS)
        left = [each.remaining for each in (await thrifty.whole_budget()).queries]
        assert [0, 60, 120, 30] == left
        assert 60 == (await thrifty.budget(QueryClass.NUMBER_CHECK, B)).remaining

    async def test_errors_cost(self, thrifty: Office) -> None:
        """A question that WhatsApp does not answer is paid for all the same."""
        thrifty.sessions.number_errors[ONE] = WhatsappTimeout()
        await thrifty.check([ONE])
        assert 59 == (await thrifty.budget(QueryClass.NUMBER_CHECK)).remaining


class TestSlowDown:
    """What a 429 of WhatsApp's changes."""

    async def test_pause(self, office: Office) -> None:
        """After a 429 the class is paused, without a packet; each further one doubles that."""
        office.sessions.pictures[str(MARIA)] = RateLimited(7)
        waits = []
        for _ in range(8):
            error = await error_of(office.picture())
            again = await error_of(office.picture())
            assert isinstance(error, RateLimited)
            assert isinstance(again, RateLimited)
            assert error.retry_after == again.retry_after
            waits.append(error.retry_after)
            office.clock.advance(seconds=waits[-1])
        assert [60, 120, 240, 480, 960, 1920, 3600, 3600] == waits
        assert 8 == len(office.sessions.asked)

    async def test_success(self, office: Office) -> None:
        """A success, or an answer such as "no picture", begins anew."""
        for _ in range(2):
            office.sessions.pictures[str(MARIA)] = RateLimited(7)
            error = await error_of(office.picture(refresh=True))
            assert isinstance(error, RateLimited)
            assert 60 == error.retry_after
            office.clock.advance(seconds=60)
            del office.sessions.pictures[str(MARIA)]
            await error_of(office.picture(refresh=True))

    async def test_other_classes(self, office: Office) -> None:
        """Other classes and other devices go on."""
        office.sessions.pictures[str(MARIA)] = RateLimited(7)
        await error_of(office.picture())
        office.sessions.pictures[str(MARIA)] = picture_of("1")
        assert isinstance((await office.check([ONE]))[ONE], Heard)
        assert (await office.picture(device=B)).answer == picture_of("1")

    async def test_numbers(self, office: Office) -> None:
        """Numbers whose query was refused say so; in the pause none is asked."""
        office.sessions.number_errors[ONE] = RateLimited(7)
        first = await office.check([ONE])
        second = await office.check(NUMBERS[1:3])
        waits = [
            error.retry_after
            for error in (*first.values(), *second.values())
            if isinstance(error, RateLimited)
        ]
        assert ([60, 60, 60], [[ONE]]) == (waits, office.sessions.asked_numbers)

    async def test_our_own_bound(self, office: Office) -> None:
        """Too many calls of our own are no word of WhatsApp's: no pause."""
        office.sessions.pictures[str(MARIA)] = Busy(1)
        errors = [await error_of(office.picture()) for _ in range(2)]
        assert [(Busy, 1)] * 2 == [(type(e), getattr(e, "retry_after", 0)) for e in errors]
        assert 2 == len(office.sessions.asked)

    async def test_told_in_the_budget(self, office: Office) -> None:
        """The budget shows the pause: nothing may be asked until it ends."""
        office.sessions.pictures[str(MARIA)] = RateLimited(7)
        await error_of(office.picture())
        told = await office.budget(QueryClass.PICTURE)
        assert (0, 60) == (told.remaining, told.retry_after)

    async def test_restart(self, office: Office) -> None:
        """A restart does not end a pause."""
        office.sessions.pictures[str(MARIA)] = RateLimited(7)
        await error_of(office.picture())
        await office.restart()
        office.clock.advance(seconds=10)
        error = await error_of(office.picture())
        assert isinstance(error, RateLimited)
        assert (50, 1) == (error.retry_after, len(office.sessions.asked))
