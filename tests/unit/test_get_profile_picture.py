"""Whose picture is asked for, and when nobody is asked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from fakes import enquiries_over
from fakes_sessions import FakeSessions
from fakes_store import InMemoryContactStore
from wuts.domain import errors
from wuts.domain.caller import DeviceId
from wuts.domain.contact import Names
from wuts.domain.enquiry import NumberCheck
from wuts.domain.picture import Picture, Unchanged
from wuts.domain.state import DeviceState
from wuts.usecases.get_profile_picture import PictureQuestion, get_profile_picture

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from wuts.ports import Enquiries
    from wuts.usecases.get_profile_picture import FoundPicture

DEVICE = DeviceId("device")
LONG, SHORT = "5511987654321", "551187654321"
LONG_JID, SHORT_JID = f"{LONG}@s.whatsapp.net", f"{SHORT}@s.whatsapp.net"
LID, GROUP = "112233445566778@lid", "120363039000000000@g.us"
PICTURE = Picture("https://pps.whatsapp.net/v/a.jpg?oe=7FFFFFFF", "1700000000", "preview", "/v/a")


class Unreadable(InMemoryContactStore):
    """A store that cannot be read."""

    async def lookup(self, *_: object, **__: object) -> NoReturn:
        """Fails."""
        raise errors.StoreUnavailable


class World:
    """A connected device; everybody has the same picture."""

    def __init__(self, enquiries: Enquiries, sessions: FakeSessions) -> None:
        self.enquiries, self.sessions = enquiries, sessions
        self.store = InMemoryContactStore()
        self.store.link(DEVICE, "5511900000000")
        sessions.states[DEVICE] = DeviceState.CONNECTED
        sessions.pictures |= dict.fromkeys((LONG_JID, SHORT_JID, LID, GROUP), PICTURE)

    async def find(self, **question: Any) -> FoundPicture:
        """Asks for a picture."""
        return await get_profile_picture(
            DEVICE,
            PictureQuestion(**question),
            store=self.store,
            sessions=self.sessions,
            enquiries=self.enquiries,
        )


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Gives a world whose enquiries remember nothing yet."""
    sessions = FakeSessions()
    async with enquiries_over(sessions) as enquiries:
        yield World(enquiries, sessions)


class TestSpelling:
    """A number is asked about as it is proven to be spelled."""

    @pytest.mark.parametrize(
        ("question", "row", "pair", "asked", "told"),
        [
            ({"number": LONG}, "", "", LONG_JID, LONG_JID),
            ({"number": f"+{LONG}"}, LONG, "", LONG_JID, LONG_JID),
            ({"number": LONG}, SHORT, "", SHORT_JID, SHORT_JID),
            ({"number": SHORT}, "", LONG, LONG_JID, LONG_JID),
            ({"jid": LONG_JID}, SHORT, "", SHORT_JID, LONG_JID),
            ({"jid": SHORT}, "", LONG, LONG_JID, SHORT_JID),
            ({"jid": f"{LONG}@c.us"}, LONG, "", LONG_JID, LONG_JID),
            ({"jid": LID}, "", LONG, LID, LID),
            ({"jid": GROUP}, SHORT, "", GROUP, GROUP),
        ],
    )
    async def test_store(
        self, world: World, question: dict[str, str], row: str, pair: str, asked: str, told: str
    ) -> None:
        """By number the proven JID is told, by JID the one that was asked for."""
        if row:
            world.store.add_row(DEVICE, f"{row}@s.whatsapp.net", Names(full="Ana"))
        if pair:
            world.store.pair(DEVICE, pair, LID.removesuffix("@lid"))
        found = await world.find(**question)
        assert (told, PICTURE, [asked]) == (
            str(found.chat),
            found.heard.answer,
            world.sessions.asked,
        )

    async def test_memory(self, world: World) -> None:
        """A spelling that WhatsApp once confirmed is asked for; no number is checked for it."""
        world.sessions.registered[LONG] = NumberCheck(LONG, True, SHORT)
        await world.enquiries.check_numbers(DEVICE, [LONG], fresh=False)
        await world.find(number=LONG)
        asked = (world.sessions.asked, world.sessions.asked_numbers)
        assert ([SHORT_JID], [[LONG]]) == asked


class TestMemory:
    """A picture that is known already."""

    async def test_one_person(self, world: World) -> None:
        """The LID and the phone number of one person share the picture."""
        world.store.pair(DEVICE, LONG, LID.removesuffix("@lid"))
        found = [await world.find(**one) for one in ({"jid": LID}, {"number": LONG})]
        told = [(str(each.chat), each.heard.remembered) for each in found]
        assert ([LID], [(LID, False), (LONG_JID, True)]) == (world.sessions.asked, told)

    async def test_strangers(self, world: World) -> None:
        """A LID whose phone number is not known stands for itself."""
        await world.find(jid=LID)
        await world.find(number=LONG)
        assert [LID, LONG_JID] == world.sessions.asked

    async def test_existing_id(self, world: World) -> None:
        """Who holds the picture is told so without a question."""
        await world.find(number=LONG)
        found = await world.find(number=LONG, existing_id=PICTURE.id)
        assert (Unchanged(PICTURE.id), [LONG_JID]) == (found.heard.answer, world.sessions.asked)

    @pytest.mark.parametrize("question", [{"number": LONG}, {"jid": LID}, {"jid": GROUP}])
    async def test_without_the_store(self, world: World, question: dict[str, str]) -> None:
        """A picture of which it is proven whose it is is told while the store cannot be read."""
        world.store.pair(DEVICE, LONG, LID.removesuffix("@lid"))
        shown = await world.find(**question)
        world.store = Unreadable()
        found = await world.find(**question)
        told = (found.chat, found.heard.answer, found.heard.remembered)
        assert (shown.chat, PICTURE, True) == told

    @pytest.mark.parametrize("question", [{"number": LONG}, {"jid": LID}])
    async def test_unproven(self, world: World, question: dict[str, str]) -> None:
        """Without a proof the store is asked again: it may have learnt who that is."""
        await world.find(**question)
        world.store = Unreadable()
        with pytest.raises(errors.StoreUnavailable):
            await world.find(**question)

    async def test_picture_of_the_spelling_proven_later(self, world: World) -> None:
        """What was shown of an unproven spelling is not told once another one is proven."""
        await world.find(number=SHORT)
        world.store.add_row(DEVICE, LONG_JID, Names(full="Ana"))
        world.sessions.pictures[LONG_JID] = replace(PICTURE, id="2")
        found = await world.find(number=SHORT)
        assert (LONG_JID, "2") == (str(found.chat), found.heard.answer.id)

    async def test_lid_paired_later(self, world: World) -> None:
        """What was shown of a lone LID is not told once its number is known to hide it."""
        await world.find(jid=LID)
        world.store.pair(DEVICE, LONG, LID.removesuffix("@lid"))
        world.sessions.pictures[LONG_JID] = errors.PictureHidden()
        with pytest.raises(errors.PictureHidden):
            await world.find(number=LONG)
        with pytest.raises(errors.PictureHidden):
            await world.find(jid=LID)

    async def test_spelling_proven_later(self, world: World) -> None:
        """That one spelling has no picture keeps nobody from the one that is proven since."""
        world.sessions.pictures[LONG_JID] = errors.PictureNotSet()
        with pytest.raises(errors.PictureNotSet):
            await world.find(number=LONG)
        world.store.add_row(DEVICE, SHORT_JID, Names(full="Ana"))
        found = await world.find(number=LONG)
        assert (SHORT_JID, PICTURE) == (str(found.chat), found.heard.answer)

    async def test_refresh(self, world: World) -> None:
        """Who wants to be sure has WhatsApp asked."""
        await world.find(number=LONG)
        found = await world.find(number=LONG, refresh=True)
        assert (False, 2) == (found.heard.remembered, len(world.sessions.asked))

    @pytest.mark.parametrize("error", [errors.PictureHidden(), errors.PictureNotSet()])
    async def test_no_picture(self, world: World, error: errors.DomainError) -> None:
        """That there is nothing to see is remembered, each reason apart."""
        world.sessions.pictures[LONG_JID] = error
        for _ in range(2):
            with pytest.raises(type(error)):
                await world.find(number=LONG)
        assert [LONG_JID] == world.sessions.asked

    @pytest.mark.parametrize("state", [DeviceState.DISCONNECTED, DeviceState.LOGGED_OUT])
    async def test_not_connected(self, world: World, state: DeviceState) -> None:
        """A device that is not connected tells no picture, not even a remembered one."""
        await world.find(number=LONG)
        world.sessions.states[DEVICE] = state
        with pytest.raises(errors.DeviceNotReady):
            await world.find(number=LONG)


class TestQuestion:
    """What is no question."""

    @pytest.mark.parametrize(
        ("question", "field", "message"),
        [
            ({}, "jid", "jid or number is required"),
            ({"jid": "@joao"}, "jid", "usernames cannot be resolved"),
            ({"jid": "BR.1502576394655843"}, "jid", "business-scoped user ids cannot be resolved"),
            ({"jid": "1@newsletter"}, "jid", "write the JID of a contact"),
            ({"number": "@joao"}, "number", "write a phone number"),
            ({"number": LID}, "number", "write a phone number"),
            ({"number": LONG, "existing_id": "a b"}, "existing_id", "must be the id"),
            ({"number": LONG, "existing_id": "1" * 65}, "existing_id", "must be the id"),
        ],
    )
    async def test_refused(
        self, world: World, question: dict[str, str], field: str, message: str
    ) -> None:
        """Each malformed field is named, and what to write instead."""
        with pytest.raises(errors.ValidationFailed) as refused:
            await world.find(**question)
        (violation,) = refused.value.violations
        assert (field, True) == (violation.field, violation.message.startswith(message))
        assert [] == world.sessions.asked
