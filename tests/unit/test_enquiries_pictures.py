"""Pictures: asked for once, believed for a while, forgotten when they change."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from enquiries_office import (
    GROUP,
    MARIA,
    MARIA_LID,
    PLENTY,
    START,
    A,
    B,
    Office,
    error_of,
    picture_of,
    reached,
)
from wuts.domain.enquiry import Change, ChangeKind, Heard
from wuts.domain.errors import PictureHidden, PictureNotSet, WhatsappTimeout
from wuts.domain.jid import pn_jid
from wuts.domain.picture import Unchanged

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from wuts.domain.jid import Jid

ONE, TWO = picture_of("1"), picture_of("2")


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """An office whose device sees Maria's picture."""
    office = Office(tmp_path, PLENTY)
    office.sessions.pictures[str(MARIA)] = ONE
    yield office
    await office.enquirer.close()


def changed(office: Office, chat: Jid) -> None:
    """WhatsApp tells that a picture has changed."""
    office.enquirer.on_change(A, Change(ChangeKind.PICTURE, chat))


def show(office: Office, chat: Jid, answer: object) -> None:
    """What WhatsApp shows from now on."""
    office.sessions.pictures[str(chat)] = answer  # type: ignore[assignment] # errors, too


class TestFresh:
    """While an answer is fresh nothing is asked."""

    async def test_remembered(self, office: Office) -> None:
        """The picture is given again for 15 minutes, and says when it was heard."""
        assert Heard(ONE, START) == await office.picture()
        office.clock.advance(minutes=14.9)
        assert Heard(ONE, START, remembered=True) == await office.picture()
        assert [str(MARIA)] == office.sessions.asked

    async def test_existing_id(self, office: Office) -> None:
        """Who holds the picture is told "unchanged", who holds another gets it."""
        await office.picture()
        same = await office.picture(existing_id="1")
        other = await office.picture(existing_id="7")
        assert (Unchanged("1"), ONE) == (same.answer, other.answer)
        assert 1 == len(office.sessions.asked)

    async def test_sizes_are_apart(self, office: Office) -> None:
        """Preview and full picture are two questions."""
        kinds = [(await office.picture(preview=preview)).answer for preview in (True, False)]
        assert [ONE, replace(ONE, kind="image")] == kinds
        assert 2 == len(office.sessions.asked)

    async def test_end_of_address(self, office: Office) -> None:
        """A minute before its address ends, a picture is asked for without an id."""
        show(office, MARIA, picture_of("1", ends=START + timedelta(minutes=5)))
        await office.picture()
        office.clock.advance(minutes=3, seconds=59)
        assert (await office.picture()).remembered
        office.clock.advance(seconds=1)
        assert not (await office.picture()).remembered
        assert ["", ""] == office.sessions.asked_ids

    async def test_id_only(self, office: Office) -> None:
        """An id that was confirmed is confirmed again without a packet, and nothing else."""
        assert Heard(Unchanged("1"), START) == await office.picture(existing_id="1")
        again = await office.picture(existing_id="1")
        assert Heard(Unchanged("1"), START, remembered=True) == again
        assert ONE == (await office.picture()).answer
        assert TWO.id != (await office.picture(existing_id="2")).answer.id
        assert ["1", ""] == office.sessions.asked_ids

    async def test_refresh(self, office: Office) -> None:
        """A refresh asks, and what it hears is remembered."""
        await office.picture()
        show(office, MARIA, TWO)
        assert TWO == (await office.picture(refresh=True)).answer
        assert TWO == (await office.picture()).answer
        assert 2 == len(office.sessions.asked)

    async def test_refresh_unchanged(self, office: Office) -> None:
        """A refresh with the id of the picture keeps the picture, and makes it fresh."""
        await office.picture()
        office.clock.advance(minutes=14)
        await office.picture(existing_id="1", refresh=True)
        office.clock.advance(minutes=14)
        assert ONE == (await office.picture()).answer
        assert ["", "1"] == office.sessions.asked_ids


class TestRecall:
    """What is known of a chat without a question."""

    async def test_shown(self, office: Office) -> None:
        """A picture is recalled by the JID it was asked for by, in the size that was shown."""
        shown = await office.picture()
        recalled = [
            office.enquirer.recall_picture(A, chat, preview=preview, existing_id="")
            for chat, preview in ((MARIA, True), (MARIA, False), (MARIA_LID, True))
        ]
        assert [replace(shown, remembered=True), None, None] == recalled

    async def test_unproven(self, office: Office) -> None:
        """Where it is not proven whose chat it is, nothing is recalled."""
        await office.picture(is_proven=False)
        assert office.enquirer.recall_picture(A, MARIA, preview=True, existing_id="") is None

    async def test_held(self, office: Office) -> None:
        """Who holds the picture is told that it is unchanged."""
        await office.picture()
        heard = office.enquirer.recall_picture(A, MARIA, preview=True, existing_id="1")
        assert heard is not None
        assert Unchanged("1") == heard.answer

    async def test_old(self, office: Office) -> None:
        """What is no longer good is not recalled."""
        await office.picture()
        office.clock.advance(minutes=15)
        assert office.enquirer.recall_picture(A, MARIA, preview=True, existing_id="") is None

    async def test_refused(self, office: Office) -> None:
        """That there is nothing to see is not told here."""
        show(office, MARIA, PictureHidden())
        await error_of(office.picture())
        assert office.enquirer.recall_picture(A, MARIA, preview=True, existing_id="") is None

    async def test_changed(self, office: Office) -> None:
        """A picture that has changed is forgotten."""
        await office.picture()
        changed(office, MARIA)
        assert office.enquirer.recall_picture(A, MARIA, preview=True, existing_id="") is None

    async def test_other_device(self, office: Office) -> None:
        """No device tells what another one was shown."""
        await office.picture()
        assert office.enquirer.recall_picture(B, MARIA, preview=True, existing_id="") is None


class TestStale:
    """Afterwards WhatsApp is asked whether the picture still is the same."""

    async def test_unchanged(self, office: Office) -> None:
        """A confirmed picture is given, and fresh for another 15 minutes."""
        await office.picture()
        office.clock.advance(minutes=15)
        later = office.clock.now
        assert Heard(ONE, later) == await office.picture()
        office.clock.advance(minutes=14)
        assert Heard(ONE, later, remembered=True) == await office.picture()
        assert ["", "1"] == office.sessions.asked_ids

    async def test_changed(self, office: Office) -> None:
        """Another picture takes its place."""
        await office.picture()
        show(office, MARIA, TWO)
        office.clock.advance(minutes=15)
        assert TWO == (await office.picture(existing_id="1")).answer
        assert ["", "1"] == office.sessions.asked_ids

    @pytest.mark.parametrize(("held", "expected"), [("1", Unchanged("1")), ("9", ONE)])
    async def test_existing_id(self, office: Office, held: str, expected: object) -> None:
        """WhatsApp is asked with the known id; callers are answered by the id they hold."""
        await office.picture()
        office.clock.advance(minutes=15)
        assert expected == (await office.picture(existing_id=held)).answer
        assert ["", "1"] == office.sessions.asked_ids

    async def test_held_picture_is_the_new_one(self, office: Office) -> None:
        """Who holds the new picture already is told "unchanged"."""
        await office.picture()
        show(office, MARIA, TWO)
        office.clock.advance(minutes=15)
        assert Unchanged("2") == (await office.picture(existing_id="2")).answer

    async def test_ended_address(self, office: Office) -> None:
        """With an address that has ended, the id that the caller holds is asked with."""
        show(office, MARIA, picture_of("1", ends=START + timedelta(minutes=5)))
        await office.picture()
        office.clock.advance(minutes=20)
        assert Unchanged("1") == (await office.picture(existing_id="1")).answer
        assert (await office.picture(existing_id="1")).remembered
        await office.picture()
        assert ["", "1", ""] == office.sessions.asked_ids

    async def test_address_without_end(self, office: Office) -> None:
        """An address that does not tell its end is believed for a day."""
        await office.picture()
        office.clock.advance(hours=24)
        await office.picture()
        assert ["", ""] == office.sessions.asked_ids


class TestNone:
    """There is no picture to see."""

    @pytest.mark.parametrize(("error", "hours"), [(PictureHidden, 6), (PictureNotSet, 24)])
    async def test_remembered(
        self, office: Office, error: type[PictureHidden | PictureNotSet], hours: int
    ) -> None:
        """The reason is remembered for both sizes, as long as it is likely to hold."""
        show(office, MARIA, error())
        outcomes = [await error_of(office.picture(preview=size)) for size in (True, False)]
        office.clock.advance(hours=hours, seconds=-1)
        outcomes.append(await error_of(office.picture()))
        assert [error] * 3 == [type(outcome) for outcome in outcomes]
        assert 1 == len(office.sessions.asked)
        office.clock.advance(seconds=1)
        await error_of(office.picture())
        assert 2 == len(office.sessions.asked)

    async def test_restart(self, office: Office) -> None:
        """A restart does not forget it."""
        show(office, MARIA, PictureHidden())
        await error_of(office.picture())
        await office.restart()
        assert PictureHidden is type(await error_of(office.picture()))
        assert 1 == len(office.sessions.asked)

    async def test_refresh(self, office: Office) -> None:
        """A refresh asks all the same; a picture ends it."""
        show(office, MARIA, PictureNotSet())
        await error_of(office.picture())
        show(office, MARIA, ONE)
        assert ONE == (await office.picture(refresh=True)).answer
        assert ONE == (await office.picture()).answer

    async def test_picture_is_gone(self, office: Office) -> None:
        """A picture that is hidden from now on is not shown from memory, in no size."""
        for preview in (True, False):
            await office.picture(preview=preview)
        show(office, MARIA, PictureHidden())
        await error_of(office.picture(refresh=True))
        for preview in (True, False):
            assert PictureHidden is type(await error_of(office.picture(preview=preview)))

    async def test_other_errors(self, office: Office) -> None:
        """A timeout is no answer: it is not remembered."""
        show(office, MARIA, WhatsappTimeout())
        for _ in range(2):
            assert WhatsappTimeout is type(await error_of(office.picture()))
        assert 2 == len(office.sessions.asked)


class TestOnePerson:
    """The LID and the PN of one person."""

    async def test_shared(self, office: Office) -> None:
        """What was heard under one JID is known under the other."""
        await office.picture(MARIA, person=MARIA)
        assert ONE == (await office.picture(MARIA_LID, person=MARIA)).answer
        assert [str(MARIA)] == office.sessions.asked

    async def test_shared_question(self, office: Office) -> None:
        """Ten callers by either JID at a time ask once."""
        office.sessions.held = asyncio.Event()
        chats = [MARIA, MARIA_LID] * 5
        calls = [asyncio.create_task(office.picture(chat, person=MARIA)) for chat in chats]
        assert await reached(lambda: bool(office.sessions.asked))
        calls[0].cancel()
        office.sessions.held.set()
        assert [Heard(ONE, START)] * 9 == await asyncio.gather(*calls[1:])
        assert 1 == len(office.sessions.asked)

    async def test_refresh_joins(self, office: Office) -> None:
        """A refresh joins the question that is under way."""
        office.sessions.held = asyncio.Event()
        calls = [asyncio.create_task(office.picture(refresh=again)) for again in (False, True)]
        assert await reached(lambda: bool(office.sessions.asked))
        office.sessions.held.set()
        await asyncio.gather(*calls)
        assert 1 == len(office.sessions.asked)

    async def test_everyone_leaves(self, office: Office) -> None:
        """A question that nobody waits for any more is paid for, and its answer remembered."""
        office.sessions.held = asyncio.Event()
        call = asyncio.create_task(office.picture())
        assert await reached(lambda: bool(office.sessions.asked))
        call.cancel()
        await asyncio.wait({call})
        office.sessions.held.set()
        assert ONE == (await office.picture()).answer
        assert 1 == len(office.sessions.asked)

    async def test_errors_are_shared(self, office: Office) -> None:
        """An error reaches everyone who asked."""
        office.sessions.held = asyncio.Event()
        show(office, MARIA, WhatsappTimeout())
        calls = [asyncio.create_task(office.picture()) for _ in range(2)]
        assert await reached(lambda: bool(office.sessions.asked))
        office.sessions.held.set()
        assert [WhatsappTimeout] * 2 == [type(await error_of(call)) for call in calls]


class TestEvents:
    """WhatsApp tells that a picture has changed."""

    async def test_both_sizes(self, office: Office) -> None:
        """Both sizes are asked for again."""
        for preview in (True, False):
            await office.picture(preview=preview)
        changed(office, MARIA)
        for preview in (True, False):
            assert not (await office.picture(preview=preview)).remembered

    async def test_refusal(self, office: Office) -> None:
        """Whoever had no picture may have one now, also after a restart."""
        show(office, MARIA, PictureNotSet())
        await error_of(office.picture())
        show(office, MARIA, ONE)
        changed(office, MARIA)
        await office.restart()
        assert ONE == (await office.picture()).answer

    @pytest.mark.parametrize("told", [MARIA, MARIA_LID])
    async def test_either_jid(self, office: Office, told: Jid) -> None:
        """The event may name the person by the JID that was asked about, or the other one."""
        show(office, MARIA_LID, PictureNotSet())
        await error_of(office.picture(MARIA_LID, person=MARIA))
        show(office, MARIA_LID, ONE)
        changed(office, told)
        assert ONE == (await office.picture(MARIA_LID, person=MARIA)).answer

    async def test_jid_never_asked_about(self, office: Office) -> None:
        """An event by a JID that nobody asked about is traced to the person."""
        office.kin[MARIA_LID] = MARIA
        await office.picture()
        show(office, MARIA, TWO)
        changed(office, MARIA_LID)
        async with asyncio.timeout(5):
            while (await office.picture()).answer != TWO:
                await asyncio.sleep(0)
        assert 2 == len(office.sessions.asked)

    async def test_unread_disk(self, office: Office) -> None:
        """An event that comes before anybody asks is not lost on what is on disk."""
        show(office, MARIA, PictureNotSet())
        await error_of(office.picture(MARIA_LID, person=MARIA))
        await error_of(office.picture(MARIA, person=MARIA, refresh=True))
        await office.restart()
        show(office, MARIA, ONE)
        changed(office, MARIA_LID)
        assert ONE == (await office.picture()).answer

    async def test_under_way(self, office: Office) -> None:
        """An answer that an event overtakes is neither remembered nor shared from then on."""
        office.sessions.held = asyncio.Event()
        early = asyncio.create_task(office.picture())
        assert await reached(lambda: bool(office.sessions.asked))
        changed(office, MARIA)
        late = asyncio.create_task(office.picture())
        assert await reached(lambda: len(office.sessions.asked) == 2)
        office.sessions.held.set()
        await asyncio.gather(early, late)
        assert (await office.picture()).remembered

    async def test_group(self, office: Office) -> None:
        """A group's picture is forgotten by its own event only."""
        show(office, GROUP, ONE)
        await office.picture(GROUP)
        office.enquirer.on_change(A, Change(ChangeKind.GROUP, GROUP))
        office.enquirer.on_change(B, Change(ChangeKind.PICTURE, GROUP))
        assert (await office.picture(GROUP)).remembered
        changed(office, GROUP)
        assert not (await office.picture(GROUP)).remembered


class TestBounds:
    """Memory is bounded."""

    async def test_least_used_go(self, tmp_path: Path) -> None:
        """So many pictures are remembered; the one used least recently goes first."""
        office = Office(tmp_path, replace(PLENTY, pictures=2))
        chats = [pn_jid(f"55119000000{index:02}") for index in range(3)]
        for chat in chats:
            show(office, chat, ONE)
        for index in (0, 1, 0, 2, 0):
            await office.picture(chats[index])
        office.sessions.asked.clear()
        for chat in (chats[0], chats[2], chats[1]):
            await office.picture(chat)
        assert [str(chats[1])] == office.sessions.asked
        await office.enquirer.close()
