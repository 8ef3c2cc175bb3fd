"""What every ContactStore does, in memory and on the engine's own files."""

from __future__ import annotations

import json
from itertools import permutations
from typing import TYPE_CHECKING, Protocol

import pytest

from fakes_store import InMemoryContactStore
from whatsmeow_files import WhatsmeowFiles
from wuts.adapters.whatsmeow_store import WhatsmeowStore
from wuts.domain.caller import DeviceId
from wuts.domain.contact import Contact, Names
from wuts.domain.errors import DeviceNotReady
from wuts.domain.jid import pn_jid
from wuts.domain.knowledge import Knowledge, Row
from wuts.domain.state import DeviceState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from wuts.ports import ContactStore

A, B = DeviceId("device-a"), DeviceId("device-b")
OWN_PN, OWN_LID = "5511900000000", "900000000000001"
MARIA, JOAO = "5511999999999", "5511888888888"
JOAO_LID, HIDDEN_LID = "112233445566778", "112233445566779"
ONE_NAME = [Names(first="N"), Names(full="N"), Names(push="N"), Names(business="N")]
FULL, PUSH = Names(full="Full"), Names(push="Push")


class Filler(Protocol):
    """Puts into a store what the engine would have synced."""

    def link(self, device: DeviceId, pn: str, lid: str = "") -> None:
        """Links a device."""

    def unlink(self, device: DeviceId) -> None:
        """Ends the link."""

    def add_row(
        self, device: DeviceId, their_jid: str, names: Names, redacted_phone: str = ""
    ) -> None:
        """Stores a row."""

    def pair(self, device: DeviceId, pn: str, lid: str) -> None:
        """Stores a pair."""


class Subject:
    """A store under test and the way to fill it; device A is linked."""

    def __init__(self, store: ContactStore, filler: Filler) -> None:
        self.store = store
        self.fill = filler
        filler.link(A, OWN_PN, OWN_LID)

    async def all(self, device: DeviceId = A, limit: int = 100) -> list[Contact]:
        """Reads page after page to the end."""
        contacts, cursor = [], ""
        while True:
            page, cursor, _ = await self.store.page(device, after=cursor, limit=limit)
            contacts += page
            if not cursor:
                return contacts


@pytest.fixture(params=["memory", "sqlite"])
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    """Gives each of the stores in turn."""
    if request.param == "memory":
        memory = InMemoryContactStore()
        yield Subject(memory, memory)
        return
    store = WhatsmeowStore(tmp_path)
    yield Subject(store, WhatsmeowFiles(tmp_path))
    store.close()


def pn(user: str) -> str:
    """Writes a PN JID."""
    return f"{user}@s.whatsapp.net"


def lid(user: str) -> str:
    """Writes a LID JID."""
    return f"{user}@lid"


class TestPage:
    """ContactStore.page."""

    async def test_text(self, subject: Subject) -> None:
        """The text of a page holds its contacts, and nothing of those that follow."""
        for number in range(3):
            names = Names(full=f'"{number}], [')
            subject.fill.add_row(A, pn(f"55110000{number:04}"), names)
        page = await subject.store.page(A, after="", limit=2)
        assert page.contacts == [Contact(*fields) for fields in json.loads(page.text)]
        assert 2 == len(page.contacts)

    async def test_empty(self, subject: Subject) -> None:
        """A store without rows has one empty page."""
        page = await subject.store.page(A, after="", limit=10)
        assert page == ([], "", b"[]")

    @pytest.mark.parametrize("names", ONE_NAME)
    async def test_any_name(self, subject: Subject, names: Names) -> None:
        """Any single name makes a contact."""
        subject.fill.add_row(A, pn(MARIA), names)
        assert await subject.all() == [Contact(pn(MARIA), "", *names)]

    async def test_pn_row(self, subject: Subject) -> None:
        """A PN row alone is a contact without LID."""
        subject.fill.add_row(A, pn(MARIA), Names("Maria", "Maria Silva", "mary", "Shop"))
        expected = [Contact(pn(MARIA), "", "Maria", "Maria Silva", "mary", "Shop")]
        assert expected == await subject.all()

    async def test_lid_row(self, subject: Subject) -> None:
        """A LID row without a pair is a contact under its LID."""
        subject.fill.add_row(A, lid(HIDDEN_LID), PUSH)
        expected = [Contact(lid(HIDDEN_LID), lid(HIDDEN_LID), "", "", "Push", "")]
        assert expected == await subject.all()

    @pytest.mark.parametrize(
        ("pn_names", "lid_names", "expected"),
        [
            (Names("", "Pn Full"), Names("Lid", "Lid Full"), Names("", "Pn Full")),
            (Names("Pn", ""), Names("Lid", "Lid Full"), Names("Pn", "")),
            (Names(push="Pn"), Names("Lid", "", "Lid"), Names("Lid", "", "Pn")),
            (Names(), Names("Lid", "Lid Full", "", "Shop"), Names("Lid", "Lid Full", "", "Shop")),
            (Names(business="Pn"), Names("", "", "Lid", "Lid"), Names("", "", "Lid", "Pn")),
        ],
    )
    async def test_merge(
        self, subject: Subject, pn_names: Names, lid_names: Names, expected: Names
    ) -> None:
        """The saved names are taken together from one row, the others one by one; PN wins."""
        subject.fill.pair(A, JOAO, JOAO_LID)
        subject.fill.add_row(A, pn(JOAO), pn_names)
        subject.fill.add_row(A, lid(JOAO_LID), lid_names)
        assert [Contact(pn(JOAO), lid(JOAO_LID), *expected)] == await subject.all()

    @pytest.mark.parametrize("names", ONE_NAME)
    async def test_names_only_in_the_lid_row(self, subject: Subject, names: Names) -> None:
        """A nameless PN row with a named LID row is one contact under its PN."""
        subject.fill.pair(A, JOAO, JOAO_LID)
        subject.fill.add_row(A, pn(JOAO), Names())
        subject.fill.add_row(A, lid(JOAO_LID), names)
        expected = [Contact(pn(JOAO), lid(JOAO_LID), *names)]
        assert expected == await subject.all()

    async def test_names_only_in_the_pn_row(self, subject: Subject) -> None:
        """A nameless LID row adds no second contact."""
        subject.fill.pair(A, JOAO, JOAO_LID)
        subject.fill.add_row(A, pn(JOAO), FULL)
        subject.fill.add_row(A, lid(JOAO_LID), Names())
        expected = [Contact(pn(JOAO), lid(JOAO_LID), "", "Full", "", "")]
        assert expected == await subject.all()

    async def test_pair_without_pn_row(self, subject: Subject) -> None:
        """A LID row whose PN only the map knows is a contact under that PN."""
        subject.fill.pair(A, JOAO, JOAO_LID)
        subject.fill.add_row(A, lid(JOAO_LID), PUSH)
        expected = [Contact(pn(JOAO), lid(JOAO_LID), "", "", "Push", "")]
        assert expected == await subject.all()

    async def test_pair_without_lid_row(self, subject: Subject) -> None:
        """A PN row whose LID only the map knows carries that LID."""
        subject.fill.pair(A, JOAO, JOAO_LID)
        subject.fill.add_row(A, pn(JOAO), FULL)
        expected = [Contact(pn(JOAO), lid(JOAO_LID), "", "Full", "", "")]
        assert expected == await subject.all()

    async def test_nameless(self, subject: Subject) -> None:
        """Who has no name under either JID is no contact."""
        subject.fill.pair(A, JOAO, JOAO_LID)
        subject.fill.add_row(A, pn(JOAO), Names())
        subject.fill.add_row(A, lid(JOAO_LID), Names(), "+55 11 ****-**12")
        assert await subject.all() == []

    @pytest.mark.parametrize(
        "jid",
        [
            "120363039000000000@g.us",
            "123@newsletter",
            "status@broadcast",
            "12345@hosted.lid",
            "12345@hosted",
            "12345@xs.whatsapp.net",
            "12345@LID",
        ],
    )
    async def test_other_servers(self, subject: Subject, jid: str) -> None:
        """Rows of any other server are no contacts, however alike they look."""
        subject.fill.add_row(A, jid, FULL)
        assert await subject.all() == []

    async def test_own_account(self, subject: Subject) -> None:
        """The account itself is left out under both its JIDs."""
        subject.fill.add_row(A, pn(OWN_PN), FULL)
        subject.fill.add_row(A, lid(OWN_LID), FULL)
        assert await subject.all() == []

    async def test_own_lid_from_the_map(self, subject: Subject) -> None:
        """The account's LID is left out when only the LID map knows it."""
        subject.fill.link(B, OWN_PN)
        subject.fill.pair(B, OWN_PN, OWN_LID)
        subject.fill.add_row(B, lid(OWN_LID), FULL)
        assert await subject.all(B) == []

    async def test_own_lid_under_another_number(self, subject: Subject) -> None:
        """A row under another number that the map gives the account's LID is left out."""
        subject.fill.pair(A, MARIA, OWN_LID)
        subject.fill.add_row(A, pn(MARIA), FULL)
        assert await subject.all() == []

    async def test_last_page(self, subject: Subject) -> None:
        """A page that holds exactly the rest says that nothing follows."""
        for user in ("551100000001", "551100000002", "551100000003", "551100000004"):
            subject.fill.add_row(A, pn(user), FULL)
        first = await subject.store.page(A, after="", limit=2)
        second = await subject.store.page(A, after=first.cursor, limit=2)
        assert (
            len(first.contacts),
            first.cursor != "",
            len(second.contacts),
            second.cursor,
        ) == (2, True, 2, "")

    async def test_cursor_skips_rows_that_are_no_contacts(self, subject: Subject) -> None:
        """What follows the last contact without being one makes no further page."""
        subject.fill.add_row(A, pn("551100000002"), FULL)
        subject.fill.add_row(A, pn("551100000001"), Names())
        page = await subject.store.page(A, after="", limit=1)
        assert page.cursor == ""

    async def test_pages_between_pn_and_lid(self, subject: Subject) -> None:
        """Pages of one go on behind people told by their LID row, whatever their JID."""
        subject.fill.pair(A, "5511777777777", "1111111111")
        subject.fill.add_row(A, lid("1111111111"), FULL)
        subject.fill.pair(A, "1000000000", "6666666666")
        subject.fill.add_row(A, lid("6666666666"), FULL)
        subject.fill.add_row(A, pn(MARIA), FULL)
        jids = [contact.jid for contact in await subject.all(limit=1)]
        assert [pn("1000000000"), pn(MARIA), pn("5511777777777")] == jids

    async def test_odd_characters(self, subject: Subject) -> None:
        """NUL characters, emoji and blanks in names survive."""
        names = Names("a\0b", "\N{FACE WITH TEARS OF JOY}", " ", "\0")
        subject.fill.add_row(A, pn(MARIA), names)
        assert [Contact(pn(MARIA), "", *names)] == await subject.all()

    async def test_isolation(self, subject: Subject) -> None:
        """Rows and pairs of one device never show on another."""
        subject.fill.link(B, "5511900000009")
        subject.fill.add_row(A, lid(JOAO_LID), PUSH)
        subject.fill.pair(B, JOAO, JOAO_LID)
        subject.fill.add_row(B, pn(JOAO), FULL)
        expected = [Contact(lid(JOAO_LID), lid(JOAO_LID), "", "", "Push", "")]
        assert expected == await subject.all(A)

    async def test_new_rows_show(self, subject: Subject) -> None:
        """A row written after the first reading shows in the next."""
        assert await subject.all() == []
        subject.fill.add_row(A, pn(MARIA), FULL)
        assert [pn(MARIA)] == [contact.jid for contact in await subject.all()]


class TestLookup:
    """ContactStore.lookup."""

    async def test_nothing_known(self, subject: Subject) -> None:
        """Of strangers nothing is told."""
        known = await subject.store.lookup(A, pns=[MARIA], lids=[HIDDEN_LID])
        assert Knowledge() == known

    async def test_nothing_asked(self, subject: Subject) -> None:
        """Who asks for nobody learns nothing."""
        subject.fill.pair(A, JOAO, JOAO_LID)
        subject.fill.add_row(A, pn(JOAO), FULL)
        assert Knowledge() == await subject.store.lookup(A, pns=[], lids=[])

    @pytest.mark.parametrize(
        ("pns", "lids"), [([JOAO], []), ([], [JOAO_LID]), ([JOAO], [JOAO_LID])]
    )
    async def test_both_sides(self, subject: Subject, pns: list[str], lids: list[str]) -> None:
        """A person asked for by either JID is told with the pair and both rows."""
        subject.fill.pair(A, JOAO, JOAO_LID)
        subject.fill.add_row(A, pn(JOAO), FULL)
        subject.fill.add_row(A, lid(JOAO_LID), PUSH, "+55 11 ****-**88")
        subject.fill.add_row(A, pn(MARIA), FULL)
        expected = Knowledge(
            pn_rows={JOAO: Row(FULL)},
            lid_rows={JOAO_LID: Row(PUSH, "+55 11 ****-**88")},
            lid_of_pn={JOAO: JOAO_LID},
            pn_of_lid={JOAO_LID: JOAO},
        )
        assert expected == await subject.store.lookup(A, pns=pns, lids=lids)

    async def test_nameless_row(self, subject: Subject) -> None:
        """A row without names is told, with its redacted phone."""
        subject.fill.add_row(A, lid(HIDDEN_LID), Names(), "+55 11 ****-**12")
        known = await subject.store.lookup(A, pns=[], lids=[HIDDEN_LID])
        assert Knowledge(lid_rows={HIDDEN_LID: Row(Names(), "+55 11 ****-**12")}) == known

    async def test_same_digits(self, subject: Subject) -> None:
        """A phone number and a LID of the same digits stay apart."""
        subject.fill.add_row(A, pn(JOAO_LID), FULL)
        known = await subject.store.lookup(A, pns=[], lids=[JOAO_LID])
        assert Knowledge() == known

    async def test_many(self, subject: Subject) -> None:
        """A roster of 1,500 people is looked up at once."""
        subject.fill.add_row(A, pn("551100000000"), FULL)
        pns = [f"5511{number:08}" for number in range(1_500)]
        lids = [f"77{number:08}" for number in range(1_500)]
        known = await subject.store.lookup(A, pns=pns, lids=lids)
        assert Knowledge(pn_rows={"551100000000": Row(FULL)}) == known

    async def test_isolation(self, subject: Subject) -> None:
        """A pair that one device knows answers no question of another."""
        subject.fill.link(B, "5511900000009")
        subject.fill.pair(B, JOAO, JOAO_LID)
        subject.fill.add_row(B, pn(JOAO), FULL)
        assert Knowledge() == await subject.store.lookup(A, pns=[JOAO], lids=[JOAO_LID])


class TestOrderOfArrival:
    """Rows and pairs that came in another order."""

    async def test_same_answers(self, subject: Subject) -> None:
        """List and look-up do not depend on what came first."""
        arrivals: list[Callable[[DeviceId], None]] = [
            lambda device: subject.fill.pair(device, JOAO, JOAO_LID),
            lambda device: subject.fill.add_row(device, pn(JOAO), Names(push="Pn")),
            lambda device: subject.fill.add_row(device, lid(JOAO_LID), FULL, "+55 ** ****-**88"),
            lambda device: subject.fill.add_row(device, lid(HIDDEN_LID), PUSH),
        ]
        found = []
        for number, order in enumerate(permutations(arrivals)):
            device = DeviceId(f"device-{number}")
            subject.fill.link(device, OWN_PN)
            for arrive in order:
                arrive(device)
            known = await subject.store.lookup(device, pns=[JOAO], lids=[HIDDEN_LID])
            found.append((await subject.all(device), known))
        assert [found[0]] * 24 == found


class TestAccount:
    """ContactStore.account."""

    async def test_linked(self, subject: Subject) -> None:
        """The account is told as PN JID, without the device's number."""
        assert pn_jid(OWN_PN) == await subject.store.account(A)


class TestNotLinked:
    """Every method, on a device that is not linked."""

    @pytest.mark.parametrize("method", ["page", "lookup", "account"])
    async def test_never_linked(self, subject: Subject, method: str) -> None:
        """A device nobody has linked is not ready."""
        assert await refused_state(subject.store, B, method) == DeviceState.NEW

    @pytest.mark.parametrize("method", ["page", "lookup", "account"])
    async def test_unlinked(self, subject: Subject, method: str) -> None:
        """After a logout the device is not ready."""
        subject.fill.add_row(A, pn(MARIA), FULL)
        await subject.store.account(A)
        subject.fill.unlink(A)
        assert await refused_state(subject.store, A, method) == DeviceState.NEW


async def refused_state(store: ContactStore, device: DeviceId, method: str) -> DeviceState:
    """Calls a method and gives the state that the refusal names."""
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "page": lambda: store.page(device, after="", limit=1),
        "lookup": lambda: store.lookup(device, pns=[MARIA], lids=[]),
        "account": lambda: store.account(device),
    }
    with pytest.raises(DeviceNotReady) as refusal:
        await calls[method]()
    return refusal.value.state
