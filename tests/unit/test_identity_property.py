"""One identity model: no order of arrival, and no way of asking, changes it."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from google.protobuf.json_format import MessageToDict
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes import enquiries_over
from fakes_sessions import FakeSessions
from whatsmeow_files import WhatsmeowFiles, empty_store
from wuts.adapters.whatsmeow_store import WhatsmeowStore
from wuts.contacts.v1 import contacts_service_pb2 as pb
from wuts.domain.caller import DeviceId
from wuts.domain.contact import Names
from wuts.domain.enquiry import Lookup, NumberCheck
from wuts.domain.group import Participant, Roster
from wuts.domain.state import DeviceState
from wuts.rpc import convert, identity_messages
from wuts.usecases.list_contacts import list_contacts
from wuts.usecases.resolve_identifiers import resolve_identifiers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wuts.ports import Enquiries

DEVICE = DeviceId("device")
GROUP = "120363039000000000@g.us"
# Few people, so that they meet; two pairs of them differ only by their spelling.
PNS = ["5511987654321", "551187654321", "5531991234567", "553191234567", "351912345678"]
LIDS = ["112233445566778", "112233445566779", "998877665544332", "551187654321", "77777"]
JIDS = [*(f"{pn}@s.whatsapp.net" for pn in PNS), *(f"{lid}@lid" for lid in LIDS)]
INPUTS = [*PNS, *JIDS, "not an identifier", "@joao"]


@dataclass(frozen=True)
class Row:
    """A row that the engine wrote."""

    jid: str
    names: Names
    redacted_phone: str


@dataclass(frozen=True)
class Pair:
    """A mapping that the engine learnt."""

    pn: str
    lid: str


Arrivals = list[Row | Pair]

name = st.sampled_from(["", "", "a", "B"])
rows = st.lists(
    st.builds(
        Row,
        st.sampled_from(JIDS),
        st.builds(Names, name, name, name, name),
        st.sampled_from(["", "+55 11 ****-**12"]),
    ),
    unique_by=lambda row: row.jid,
)
pairs = st.permutations(LIDS).flatmap(
    lambda lids: st.lists(
        st.sampled_from([Pair(*both) for both in zip(PNS, lids, strict=True)]), unique=True
    )
)
arrivals = st.tuples(rows, pairs).map(lambda both: [*both[0], *both[1]])
orders = arrivals.flatmap(lambda events: st.tuples(st.just(events), st.permutations(events)))


def fill(files: WhatsmeowFiles, events: Arrivals) -> None:
    """Lets rows and mappings arrive in this order."""
    files.link(DEVICE, "5511900000000", "900000000000001")
    with files.together(DEVICE):
        for event in events:
            if isinstance(event, Row):
                files.add_row(DEVICE, event.jid, event.names, event.redacted_phone)
            else:
                files.pair(DEVICE, event.pn, event.lid)


async def listed(store: WhatsmeowStore) -> list[dict[str, Any]]:
    """Lists under view FULL."""
    sessions = FakeSessions(states={DEVICE: DeviceState.CONNECTED})
    answer = pb.ListContactsResponse()
    pages = list_contacts(
        DEVICE, after="", page_size=None, max_list=100, store=store, sessions=sessions
    )
    async for page in pages:
        convert.add_contacts(answer.contacts, page.contacts, full=True)
    contacts: list[dict[str, Any]] = as_json(answer).get("contacts", [])
    return contacts


async def resolved(
    store: WhatsmeowStore, inputs: Sequence[str], enquiries: Enquiries, **more: Any
) -> dict[str, dict[str, Any]]:
    """Resolves under view FULL; when the store was read is left out."""
    found = await resolve_identifiers(
        DEVICE,
        inputs,
        **{"group_jid": "", "lookup": Lookup.LOCAL_ONLY, "dry_run": False, **more},
        store=store,
        enquiries=enquiries,
    )
    answer = identity_messages.resolution(inputs, found, full=True)
    for item in answer.items:
        item.ClearField("observed_at")
    return {item["input"]: item for item in as_json(answer)["items"]}


def as_json(message: Any) -> Any:
    """Prints a message as the gateway does."""
    return MessageToDict(message, preserving_proto_field_name=True)


async def answers(directory: Path, events: Arrivals) -> tuple[Any, Any]:
    """Lists and resolves everybody after these arrivals."""
    fill(WhatsmeowFiles(directory), events)
    store = WhatsmeowStore(directory)
    try:
        async with enquiries_over(FakeSessions()) as enquiries:
            return await listed(store), await resolved(store, INPUTS, enquiries)
    finally:
        store.close()


@settings(max_examples=60, deadline=None)
@given(orders)
def test_order_of_arrival(orders: tuple[Arrivals, Arrivals]) -> None:
    """Whatever the order in which rows and mappings arrived, list and resolve are the same."""
    empty_store()
    found = []
    for events in orders:
        with tempfile.TemporaryDirectory() as directory:
            found.append(asyncio.run(answers(Path(directory), events)))
    assert found[0] == found[1]


@settings(max_examples=60, deadline=None)
@given(arrivals)
def test_list_and_resolve_agree(events: Arrivals) -> None:
    """Everybody on the list resolves to the JIDs and names of the list, by either JID."""
    empty_store()
    with tempfile.TemporaryDirectory() as directory:
        contacts, items = asyncio.run(answers(Path(directory), events))
    told = ("jid", "lid_jid", "first_name", "full_name", "push_name", "business_name")
    for contact in contacts:
        for jid in {contact["jid"], contact.get("lid_jid", contact["jid"])}:
            assert contact == {key: items[jid][key] for key in told if key in items[jid]}


participants = st.lists(
    st.builds(
        Participant,
        st.sampled_from(["", *PNS]),
        st.sampled_from(["", *LIDS]),
        st.sampled_from(["", "+55 11 ****-**12"]),
    )
)
checks = st.dictionaries(
    st.sampled_from(PNS), st.tuples(st.sampled_from(PNS), st.sampled_from(LIDS))
)


@settings(max_examples=60, deadline=None)
@given(
    events=arrivals,
    members=participants.flatmap(lambda them: st.tuples(st.just(them), st.permutations(them))),
    told=checks,
    inputs=st.permutations(INPUTS),
)
def test_order_of_inputs(
    events: Arrivals,
    members: tuple[Sequence[Participant], Sequence[Participant]],
    told: dict[str, tuple[str, str]],
    inputs: Sequence[str],
) -> None:
    """Neither the order of the inputs nor that of a roster changes what an input resolves to.

    And whoever asks for one person in several ways is told of one person.
    """
    empty_store()
    registered = {pn: NumberCheck(pn, True, *both) for pn, both in told.items()}

    async def ask(
        store: WhatsmeowStore, people: Sequence[Participant], asked: Sequence[str]
    ) -> Any:
        sessions = FakeSessions({DEVICE: DeviceState.CONNECTED}, registered=registered)
        sessions.rosters[GROUP] = Roster(people)
        async with enquiries_over(sessions) as enquiries:
            more = {"group_jid": GROUP, "lookup": Lookup.FORCE}
            return await resolved(store, asked, enquiries, **more)

    async def both(directory: Path) -> tuple[Any, Any]:
        fill(WhatsmeowFiles(directory), events)
        store = WhatsmeowStore(directory)
        try:
            return await ask(store, members[0], INPUTS), await ask(store, members[1], inputs)
        finally:
            store.close()

    with tempfile.TemporaryDirectory() as directory:
        first, second = asyncio.run(both(Path(directory)))
    assert first == second
    people: dict[str, Any] = {}
    for item in first.values():
        if "lid_jid" in item:
            person = {key: value for key, value in item.items() if key in _PERSON}
            assert person == people.setdefault(item["lid_jid"], person)


_PERSON = {"jid", "resolved_jid", "phone_number", "full_name", "push_name", "business_name"}
"""What is the same for a person however they were asked for."""
