"""How often WhatsApp is asked what people tell of themselves."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from enquiries_office import MARIA, A, Office, reached
from fakes import allowing
from wuts.domain.enquiry import QueryClass
from wuts.domain.errors import (
    BudgetExhausted,
    DeviceNotReady,
    NotOnWhatsapp,
    RateLimited,
    ServiceUnavailable,
)
from wuts.domain.profile import UserInfo
from wuts.domain.state import DeviceState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

INFO = UserInfo("Hello", "1", (str(MARIA),), "112233445566778")


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """Gives a device that may ask about three people."""
    office = Office(tmp_path, allowing(3))
    office.sessions.infos[str(MARIA)] = INFO
    # The allowances are whole once the disk is read.
    await office.enquirer.budget(A)
    yield office
    await office.enquirer.close()


class TestUserInfo:
    """Enquirer.user_info."""

    async def test_always_asked(self, office: Office) -> None:
        """Each answer is new, and costs one question."""
        answers = [await office.enquirer.user_info(A, MARIA) for _ in range(2)]
        assert answers == [INFO, INFO]
        assert office.sessions.asked_people == [str(MARIA)] * 2
        assert (await office.budget(QueryClass.USER_INFO)).remaining == 1

    async def test_shared(self, office: Office) -> None:
        """The same question at one time is asked once."""
        office.sessions.held = asyncio.Event()
        calls = [asyncio.create_task(office.enquirer.user_info(A, MARIA)) for _ in range(5)]
        assert await reached(lambda: len(office.sessions.asked_people) == 1)
        office.sessions.held.set()
        assert await asyncio.gather(*calls) == [INFO] * 5
        assert office.sessions.asked_people == [str(MARIA)]

    async def test_exhausted(self, office: Office) -> None:
        """Without budget nobody is asked about."""
        for _ in range(3):
            await office.enquirer.user_info(A, MARIA)
        with pytest.raises(BudgetExhausted) as caught:
            await office.enquirer.user_info(A, MARIA)
        assert caught.value.query_class is QueryClass.USER_INFO
        assert len(office.sessions.asked_people) == 3

    async def test_pause(self, office: Office) -> None:
        """After a wish to slow down nobody is asked about for a while."""
        office.sessions.infos[str(MARIA)] = RateLimited(60)
        for _ in range(2):
            with pytest.raises(RateLimited):
                await office.enquirer.user_info(A, MARIA)
        assert office.sessions.asked_people == [str(MARIA)]

    async def test_nobody_is_an_answer(self, office: Office) -> None:
        """That nobody is there ends a pause like any other answer."""
        office.sessions.infos[str(MARIA)] = RateLimited(60)
        with pytest.raises(RateLimited):
            await office.enquirer.user_info(A, MARIA)
        office.clock.advance(seconds=61)
        office.sessions.infos[str(MARIA)] = NotOnWhatsapp()
        with pytest.raises(NotOnWhatsapp):
            await office.enquirer.user_info(A, MARIA)
        office.sessions.infos[str(MARIA)] = RateLimited(60)
        with pytest.raises(RateLimited) as caught:
            await office.enquirer.user_info(A, MARIA)
        assert caught.value.retry_after == 60

    async def test_not_connected(self, office: Office) -> None:
        """A question that cannot be sent costs nothing."""
        office.sessions.enter(A, DeviceState.DISCONNECTED)
        with pytest.raises(DeviceNotReady):
            await office.enquirer.user_info(A, MARIA)
        assert (await office.budget(QueryClass.USER_INFO)).remaining == 3

    async def test_closed(self, office: Office) -> None:
        """Whoever waits at the end of the service is told so."""
        office.sessions.held = asyncio.Event()
        call = asyncio.create_task(office.enquirer.user_info(A, MARIA))
        assert await reached(lambda: len(office.sessions.asked_people) == 1)
        await office.enquirer.close()
        with pytest.raises(ServiceUnavailable):
            await call
