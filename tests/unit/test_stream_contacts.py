"""How a contact list is cut into messages."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes_crowd import Crowd
from fakes_sessions import FakeSessions
from wuts.domain.caller import DeviceId
from wuts.domain.errors import DeviceNotReady, ValidationFailed
from wuts.domain.state import DeviceState
from wuts.usecases.stream_contacts import stream_contacts

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from wuts.domain.contact import ContactPage

DEVICE = DeviceId("one")
ROOMY = 10**9


class Box:
    """A message with room for so many letters of names."""

    def __init__(self, room: int) -> None:
        self.names: list[str] = []
        self.cursor = ""
        self._room = room

    def __len__(self) -> int:
        """Counts the people in it."""
        return len(self.names)

    def take(self, page: ContactPage) -> bool:
        """Takes a page that fits, and any single person."""
        together = [*self.names, *(person.full_name for person in page.contacts)]
        if len(together) > 1 and sum(map(len, together)) > self._room:
            return False
        self.names, self.cursor = together, page.cursor
        return True


def boxes(
    crowd: Crowd, *, room: int = ROOMY, page_size: int | None = None, after: str = ""
) -> AsyncGenerator[Box]:
    """Streams a crowd over a connected device."""
    return stream_contacts(
        DEVICE,
        after=after,
        page_size=page_size,
        new_parcel=lambda: Box(room),
        store=crowd,
        sessions=FakeSessions(states={DEVICE: DeviceState.CONNECTED}),
    )


async def lengths(
    crowd: Crowd, *, room: int = ROOMY, page_size: int | None = None, after: str = ""
) -> list[int]:
    """Counts the people of each message."""
    streamed = boxes(crowd, room=room, page_size=page_size, after=after)
    return [len(box) async for box in streamed]


class TestMessages:
    """Messages by their number of contacts."""

    async def test_hold_what_was_asked_for(self) -> None:
        """Each message but the last holds page_size contacts."""
        assert [2, 2, 1] == await lengths(Crowd(5), page_size=2)

    async def test_hold_a_thousand(self) -> None:
        """Nobody asked: a thousand at a time."""
        assert [1000, 1000, 500] == await lengths(Crowd(2500))

    async def test_end(self) -> None:
        """Only the last message says that nothing follows, also when it is full."""
        found = [box.cursor async for box in boxes(Crowd(4), page_size=2)]
        assert ["2", ""] == found

    async def test_of_an_empty_list(self) -> None:
        """An empty list is one empty message."""
        assert [0] == await lengths(Crowd(0))

    async def test_begin_behind_a_cursor(self) -> None:
        """A stream that is resumed begins with the next person."""
        assert [2, 1] == await lengths(Crowd(5), page_size=2, after="2")

    async def test_are_read_in_chunks(self) -> None:
        """No single read asks for more than five hundred."""
        crowd = Crowd(6000)
        assert [2500, 2500, 1000] == await lengths(crowd, page_size=2500)
        assert [500] * 12 == crowd.reads

    async def test_are_read_when_they_are_wanted(self) -> None:
        """Nothing is read ahead: whoever stops listening ends the reading."""
        crowd = Crowd(10)
        streamed = boxes(crowd, page_size=2)
        await anext(streamed)
        await anext(streamed)
        await streamed.aclose()
        assert [2, 2] == crowd.reads


class TestSize:
    """Messages by their size."""

    async def test_halves(self) -> None:
        """A page that is too large is read again with half as many contacts, and so on."""
        crowd = Crowd(10, name=lambda _: "x" * 10)
        assert [2, 2, 2, 2, 2] == await lengths(crowd, room=25, page_size=10)
        assert [10, 5, 2, 2] == crowd.reads[:4]

    async def test_keeps_what_fits(self) -> None:
        """Long names come together: what is thrown away stays a small multiple of the list."""
        crowd = Crowd(4000, name=lambda _: "x" * 100)
        found = await lengths(crowd, room=1600)
        assert (4000, {15}) == (sum(found), {*found[:-3]})
        assert sum(crowd.reads) < 5 * 4000

    async def test_tries_the_full_size_again(self) -> None:
        """One crowded place makes one message short, not those behind it."""
        crowd = Crowd(12, name=lambda number: "x" * 20 if number < 4 else "x")
        assert [2, 4, 4, 2] == await lengths(crowd, room=50, page_size=4)

    async def test_leaves_a_chunk_to_the_next(self) -> None:
        """A later chunk that does not fit begins the next message, undivided."""
        crowd = Crowd(3000)
        assert [2000, 1000] == await lengths(crowd, room=11 * 2250, page_size=5000)
        assert [500] * 7 == crowd.reads

    async def test_never_splits_a_person(self) -> None:
        """A person who is too large alone comes alone."""
        crowd = Crowd(3, name=lambda number: "x" * 100 if number == 1 else "x")
        assert [1, 1, 1] == await lengths(crowd, room=10)

    @given(
        sizes=st.lists(st.integers(0, 40), max_size=40),
        room=st.integers(1, 120),
        page_size=st.integers(1, 12),
    )
    def test_loses_nobody(self, sizes: list[int], room: int, page_size: int) -> None:
        """Whatever the sizes, all come once, in order, and no message is too large."""
        crowd = Crowd(len(sizes), name=lambda number: f"{number},".ljust(sizes[number], "x"))

        async def streamed() -> list[list[str]]:
            return [box.names async for box in boxes(crowd, room=room, page_size=page_size)]

        found = asyncio.run(streamed())
        everybody = [crowd.person(number).full_name for number in range(len(sizes))]
        assert everybody == [name for names in found for name in names]
        assert all(len(names) <= page_size for names in found)
        assert all(len(names) == 1 or sum(map(len, names)) <= room for names in found if names)
        assert [[]] == found or all(found)


class TestRefusals:
    """What is refused before anything is read."""

    @pytest.mark.parametrize("page_size", [0, -1, 5001])
    async def test_page_size(self, page_size: int) -> None:
        """A page size out of range is refused by its name and value."""
        crowd = Crowd(1)
        with pytest.raises(ValidationFailed) as caught:
            await lengths(crowd, page_size=page_size)
        (violation,) = caught.value.violations
        assert ("page_size", str(page_size)) == (violation.field, violation.value)
        assert [] == crowd.reads

    async def test_not_connected(self) -> None:
        """A device that is not connected is not read."""
        crowd = Crowd(1)
        streamed = stream_contacts(
            DEVICE,
            after="",
            page_size=None,
            new_parcel=lambda: Box(ROOMY),
            store=crowd,
            sessions=FakeSessions(states={DEVICE: DeviceState.RECONNECTING}),
        )
        with pytest.raises(DeviceNotReady):
            await anext(streamed)
        assert [] == crowd.reads
