"""How a contact list is read for one answer."""

from __future__ import annotations

import pytest

from fakes_crowd import Crowd
from fakes_sessions import FakeSessions
from wuts.domain.caller import DeviceId
from wuts.domain.state import DeviceState
from wuts.usecases.list_contacts import list_contacts

DEVICE = DeviceId("one")


class TestReads:
    """How many contacts are read at once."""

    @pytest.mark.parametrize(
        ("page_size", "reads"),
        [(2, [2]), (1000, [1000]), (1001, [500, 500, 1]), (None, [500] * 5)],
    )
    async def test_of_a_page(self, page_size: int | None, reads: list[int]) -> None:
        """A page of up to a thousand is one read; of more, no read asks for more than 500."""
        crowd = Crowd(2500)
        pages = list_contacts(
            DEVICE,
            after="",
            page_size=page_size,
            max_list=10_000,
            store=crowd,
            sessions=FakeSessions(states={DEVICE: DeviceState.CONNECTED}),
        )
        listed = [page async for page in pages]
        assert (reads, page_size or 2500) == (
            crowd.reads,
            sum(len(page.contacts) for page in listed),
        )
