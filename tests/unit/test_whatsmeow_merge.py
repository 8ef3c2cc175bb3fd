"""The merge in SQL against the merge in plain Python, on stores made at random."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from fakes_store import InMemoryContactStore
from whatsmeow_files import WhatsmeowFiles, empty_store
from wuts.adapters.whatsmeow_store import WhatsmeowStore
from wuts.domain.caller import DeviceId
from wuts.domain.contact import Names

if TYPE_CHECKING:
    from wuts.domain.contact import Contact
    from wuts.domain.knowledge import Knowledge
    from wuts.ports import ContactStore

DEVICE = DeviceId("device")
# Few people, so that rows, pairs and the account itself meet often; digits that
# occur both as phone number and as LID.
PNS = ["10001", "55119", "99999", "70007", "10002"]
LIDS = ["10001", "22222", "88888", "70007", "55555"]
JIDS = [
    *(f"{pn}@s.whatsapp.net" for pn in PNS),
    *(f"{lid}@lid" for lid in LIDS),
    "10001@g.us",
    "22222@hosted.lid",
    "10001@newsletter",
]

_NAME_COLUMNS = ("first_name", "full_name", "push_name", "business_name")

name = st.sampled_from(["", "", "a", "B", "\0", "\N{SNOWMAN}"])
row = st.one_of(
    st.just(Names()),
    st.sampled_from([Names(first="a"), Names(full="a"), Names(push="a"), Names(business="a")]),
    st.builds(Names, name, name, name, name),
)
rows = st.dictionaries(st.sampled_from(JIDS), row)
pairs = st.lists(st.permutations(range(5)), min_size=2, max_size=2).flatmap(
    lambda orders: st.integers(0, 5).map(
        lambda size: [(PNS[i], LIDS[j]) for i, j in zip(*orders, strict=True)][:size]
    )
)


@settings(max_examples=150, deadline=None)
@given(
    rows=rows,
    pairs=pairs,
    own=st.tuples(st.sampled_from(PNS), st.sampled_from(["", *LIDS])),
    null=st.booleans(),
    size=st.integers(1, 6),
)
def test_merge(
    rows: dict[str, Names],
    pairs: list[tuple[str, str]],
    own: tuple[str, str],
    *,
    null: bool,
    size: int,
) -> None:
    """SQL finds the same people, in the same order and on pages of any size, as plain Python."""
    empty_store()
    memory = InMemoryContactStore()
    with tempfile.TemporaryDirectory() as directory:
        files = WhatsmeowFiles(Path(directory))
        for fill in (memory, files):
            fill.link(DEVICE, *own)
        with files.together(DEVICE):
            for jid, names in rows.items():
                memory.add_row(DEVICE, jid, names)
                files.add_row(DEVICE, jid, names)
            for pn, lid in pairs:
                memory.pair(DEVICE, pn, lid)
                files.pair(DEVICE, pn, lid)
            for column in _NAME_COLUMNS if null else ():
                statement = f"UPDATE whatsmeow_contacts SET {column} = NULLIF({column}, '')"
                files.run(DEVICE, statement)
        expected, actual = asyncio.run(_read_both(memory, WhatsmeowStore(Path(directory)), size))
    assert expected == actual


async def _read_both(
    memory: InMemoryContactStore, sqlite: WhatsmeowStore, size: int
) -> tuple[object, object]:
    try:
        return await _read(memory, 1_000), await _read(sqlite, size)
    finally:
        sqlite.close()


async def _read(store: ContactStore, size: int) -> tuple[list[Contact], Knowledge]:
    contacts, cursor = [], ""
    while True:
        page, cursor, _ = await store.page(DEVICE, after=cursor, limit=size)
        contacts += page
        if not cursor:
            return contacts, await store.lookup(DEVICE, pns=PNS[:2], lids=LIDS[1:3])
