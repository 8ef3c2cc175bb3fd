"""Whether WhatsApp had to be asked is counted."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from enquiries_office import GROUP, MARIA, A, Office, error_of, picture_of
from fakes import allowing
from wuts.adapters.enquiries import Enquirer
from wuts.domain.errors import BudgetExhausted, PictureHidden
from wuts.domain.group import Roster
from wuts.instruments import NoMetrics

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

NUMBERS = ("5511900000011", "5511900000012", "5511900000013")


class Counted(NoMetrics):
    """Counts lookups."""

    def __init__(self) -> None:
        self.lookups: Counter[tuple[str, str]] = Counter()

    def recalled(self, query: str, outcome: str, number: int = 1) -> None:
        """Counts some."""
        self.lookups[query, outcome] += number


class CountedOffice(Office):
    """An office whose enquirer is counted."""

    def __post_init__(self) -> None:
        """Gives the enquirer its metrics."""
        self.counted = Counted()
        super().__post_init__()
        self.enquirer = Enquirer(
            sessions=self.sessions,
            directory=self.directory,
            policy=self.policy,
            clock=self.clock,
            metrics=self.counted,
        )
        self.sessions.pictures[str(MARIA)] = picture_of("1")
        self.sessions.rosters[str(GROUP)] = Roster([])


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[CountedOffice]:
    """An office that may ask two questions of each class."""
    office = CountedOffice(tmp_path, allowing(2))
    yield office
    await office.enquirer.close()


class TestPictures:
    """Questions for pictures."""

    async def test_remembered(self, office: CountedOffice) -> None:
        """The first is a miss, the next a hit."""
        for _ in range(3):
            await office.picture()
        expected = {("PICTURE", "miss"): 1, ("PICTURE", "hit"): 2}
        assert expected == office.counted.lookups

    async def test_remembered_refusal(self, office: CountedOffice) -> None:
        """A refusal that is remembered is a hit, too."""
        office.sessions.pictures[str(MARIA)] = PictureHidden()
        for _ in range(2):
            assert isinstance(await error_of(office.picture()), PictureHidden)
        expected = {("PICTURE", "miss"): 1, ("PICTURE", "hit"): 1}
        assert expected == office.counted.lookups

    async def test_shared(self, office: CountedOffice) -> None:
        """Whoever joins a question under way is told apart."""
        await asyncio.gather(office.picture(), office.picture(), office.picture())
        expected = {("PICTURE", "miss"): 1, ("PICTURE", "joined"): 2}
        assert expected == office.counted.lookups

    async def test_no_budget(self, office: CountedOffice) -> None:
        """So is a question that may not be asked."""
        for _ in range(2):
            await office.picture(refresh=True)
        assert isinstance(await error_of(office.picture(refresh=True)), BudgetExhausted)
        expected = {("PICTURE", "miss"): 2, ("PICTURE", "refused"): 1}
        assert expected == office.counted.lookups


class TestRosters:
    """Questions for rosters."""

    async def test_remembered(self, office: CountedOffice) -> None:
        """The first is a miss, the next a hit."""
        for _ in range(2):
            await office.enquirer.roster(A, GROUP, fresh=False)
        expected = {("GROUP_INFO", "miss"): 1, ("GROUP_INFO", "hit"): 1}
        assert expected == office.counted.lookups


class TestNumbers:
    """Questions about numbers: each number counts."""

    async def test_partly(self, office: CountedOffice) -> None:
        """Of three numbers two may be asked about; these are remembered afterwards."""
        await office.check(NUMBERS)
        await office.check(NUMBERS[:2])
        expected = {
            ("NUMBER_CHECK", "miss"): 2,
            ("NUMBER_CHECK", "refused"): 1,
            ("NUMBER_CHECK", "hit"): 2,
        }
        assert expected == office.counted.lookups

    async def test_shared(self, office: CountedOffice) -> None:
        """Two callers ask about the same number together."""
        await asyncio.gather(office.check(NUMBERS[:1]), office.check(NUMBERS[:1]))
        expected = {("NUMBER_CHECK", "miss"): 1, ("NUMBER_CHECK", "joined"): 1}
        assert expected == {key: n for key, n in office.counted.lookups.items() if n}
