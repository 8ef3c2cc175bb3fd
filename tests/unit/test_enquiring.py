"""How the enquirer is put together with registry, store and sessions."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from enquiries_office import ACCOUNT, MARIA, MARIA_LID, Sessions, picture_of
from fakes_store import InMemoryContactStore
from wuts.adapters.registry import Registry
from wuts.domain.caller import DeviceId
from wuts.domain.enquiry import Change, ChangeKind
from wuts.domain.jid import pn_jid
from wuts.domain.state import DeviceState
from wuts.enquiring import Links, make_enquirer
from wuts.settings import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from wuts.adapters.enquiries import Enquirer
    from wuts.domain.jid import Jid

DEVICE = DeviceId("phone-1")


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    """A registry with one device."""
    registry = Registry(tmp_path)
    registry.add_tenant("acme")
    registry.add_user("acme", "ana")
    registry.create_device("acme", "ana", device_id=DEVICE)
    yield registry
    registry.close()


@pytest.fixture
def sessions() -> Sessions:
    """Sessions whose device is connected."""
    sessions = Sessions()
    sessions.states[DEVICE] = DeviceState.CONNECTED
    return sessions


@pytest.fixture
def store() -> InMemoryContactStore:
    """A store that knows Maria's LID."""
    store = InMemoryContactStore()
    store.link(DEVICE, ACCOUNT.user)
    store.pair(DEVICE, MARIA.user, MARIA_LID.user)
    return store


@pytest.fixture
async def enquirer(
    tmp_path: Path, sessions: Sessions, store: InMemoryContactStore
) -> AsyncIterator[Enquirer]:
    """An enquirer as the service makes it."""
    enquirer = make_enquirer(Settings(), tmp_path, sessions, store)
    yield enquirer
    await enquirer.close()


async def is_remembered(enquirer: Enquirer, person: Jid) -> bool:
    """Tells whether a picture is answered from memory; it is from then on."""
    heard = await enquirer.picture(
        DEVICE,
        person,
        person=person,
        is_proven=True,
        preview=True,
        existing_id="",
        refresh=False,
    )
    return heard.remembered


async def is_quiet(enquirer: Enquirer) -> bool:
    """Tells whether the device is in a quiet time."""
    return (await enquirer.budget(DEVICE)).quiet_until is not None


class TestMakeEnquirer:
    """What the enquirer is told."""

    @pytest.mark.parametrize(("asked", "told"), [(MARIA, MARIA_LID), (MARIA_LID, MARIA)])
    async def test_events(
        self, enquirer: Enquirer, sessions: Sessions, asked: Jid, told: Jid
    ) -> None:
        """It hears of changes, by either JID of a person."""
        sessions.pictures[str(asked)] = picture_of("1")
        await is_remembered(enquirer, asked)
        assert await is_remembered(enquirer, asked)
        sessions.change(DEVICE, Change(ChangeKind.PICTURE, told))
        async with asyncio.timeout(5):
            while await is_remembered(enquirer, asked):
                await asyncio.sleep(0)
        assert 2 == len(sessions.asked)

    async def test_store_fails(
        self, enquirer: Enquirer, sessions: Sessions, store: InMemoryContactStore
    ) -> None:
        """A store that cannot be read harms no event; the JID itself is forgotten."""
        store.unlink(DEVICE)
        for chat in (MARIA, MARIA_LID):
            sessions.pictures[str(chat)] = picture_of("1")
            await is_remembered(enquirer, chat)
        for chat in (pn_jid("5511911112222"), MARIA):
            sessions.change(DEVICE, Change(ChangeKind.PICTURE, chat))
        await asyncio.sleep(0)
        assert not await is_remembered(enquirer, MARIA)
        assert await is_remembered(enquirer, MARIA_LID)


class TestLinks:
    """Who is linked to what."""

    async def test_linked(self, registry: Registry, enquirer: Enquirer) -> None:
        """A link is recorded, and the quiet time begins."""
        links = Links(registry)
        links.enquirer = enquirer
        await links.on_linked(DEVICE, ACCOUNT)
        assert ([ACCOUNT], True) == (
            [device.account for device in registry.devices()],
            await is_quiet(enquirer),
        )

    async def test_recalled(self, registry: Registry, enquirer: Enquirer) -> None:
        """A device that was linked before begins no quiet time, not even when told again."""
        registry.record_linked(DEVICE, ACCOUNT)
        links = Links(registry)
        links.enquirer = enquirer
        links.recall()
        await links.on_linked(DEVICE, ACCOUNT)
        assert not await is_quiet(enquirer)

    async def test_logged_out(self, registry: Registry, enquirer: Enquirer) -> None:
        """After a log-out the next link begins a quiet time, also to the same account."""
        registry.record_linked(DEVICE, ACCOUNT)
        links = Links(registry)
        links.enquirer = enquirer
        links.recall()
        await links.on_logged_out(DEVICE)
        assert [None] == [device.account for device in registry.devices()]
        await links.on_linked(DEVICE, ACCOUNT)
        assert await is_quiet(enquirer)

    async def test_removed(self, registry: Registry, enquirer: Enquirer) -> None:
        """A device that is removed may be logged out afterwards."""
        registry.remove_device(DEVICE)
        links = Links(registry)
        links.enquirer = enquirer
        await links.on_logged_out(DEVICE)
        assert [] == registry.devices()
