"""The people in whatsmeow's tables, as domain values.

A question is put on the thread of the store, and its answer is read by whoever wants it. Each
answer is one JSON text. Row by row, the thread would fight the event loop for Python's lock; and
thousands of small values made on one processor are dear to whoever looks at them from another.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from msgspec.json import Decoder

from wuts.adapters.whatsmeow_tables import read_own
from wuts.domain.contact import Contact, ContactPage
from wuts.domain.errors import DeviceNotReady
from wuts.domain.jid import lid_jid, pn_jid
from wuts.domain.knowledge import Knowledge, Row
from wuts.domain.state import DeviceState

if TYPE_CHECKING:
    from collections.abc import Collection

    from wuts.adapters.whatsmeow_tables import Connection

T = TypeVar("T")

PAGE, _KNOWLEDGE = (
    files("wuts.adapters").joinpath("whatsmeow", name).read_text("utf-8")
    for name in ("page.sql", "knowledge.sql")
)
# As bytes: foreign text may be no UTF-8, and the driver would refuse it. Names as text: a
# foreign hand may have left bytes, for which JSON has no place.
_PAGE_AT_ONCE = f"""
    SELECT
        CAST(json_group_array(json_array(
            jid,
            lid_jid,
            CAST(first_name AS TEXT),
            CAST(full_name AS TEXT),
            CAST(push_name AS TEXT),
            CAST(business_name AS TEXT)
        )) AS BLOB),
        CASE WHEN COUNT(*) = :limit THEN MIN(cursor) END
    FROM ({PAGE})
"""  # noqa: S608 # our own text
# Whoever it is, their text is not looked at: it may be rotten.
_FOLLOWS = f"SELECT 1 FROM ({PAGE})"  # noqa: S608 # our own text

_BEHIND_ALL = "~"
# Sorts behind every JID. The order is descending, as in the documented example.


class _Person(NamedTuple):
    """Somebody as knowledge.sql tells them."""

    pn: str | None
    lid: str | None
    pn_row: Row | None
    lid_row: Row | None


_CONTACTS, _PEOPLE = Decoder(list[Contact]), Decoder(list[_Person])


class PageText(NamedTuple):
    """Contacts as a JSON array, and the cursor of the last of them if more follow."""

    contacts: bytes
    cursor: str


def ask_page(connection: Connection, after: str, limit: int) -> PageText:
    """Asks for at most `limit` people behind the cursor.

    Makes several statements, which must see one state of the store: a device that is unlinked
    between them takes all people with it, and a page without a successor would end the list.
    """
    values = page_values(connection, after, limit)
    told, last = connection.execute(_PAGE_AT_ONCE, values).fetchall()[0]
    if last is None:
        return PageText(told, "")
    follows = connection.execute(_FOLLOWS, values | {"before": last, "limit": 1}).fetchall()
    return PageText(told, last if follows else "")


def read_page(told: PageText) -> ContactPage:
    """Reads the answer to `ask_page`."""
    return ContactPage(_decoded(_CONTACTS, told.contacts), told.cursor, told.contacts)


def page_values(connection: Connection, after: str, limit: int) -> dict[str, str | int]:
    """Gives what `PAGE` is to be executed with."""
    own = read_own(connection)
    return {
        "our_jid": own.our_jid,
        "own_pn": own.pn,
        "own_lid": own.lid,
        "own_pn_jid": str(pn_jid(own.pn)),
        "own_lid_jid": str(lid_jid(own.lid)),
        "before": after or _BEHIND_ALL,
        "limit": limit,
    }


def ask_knowledge(connection: Connection, pns: Collection[str], lids: Collection[str]) -> bytes:
    """Asks for the pairs of these people, and their rows under either JID."""
    digits = {"pns": json.dumps([*pns]), "lids": json.dumps([*lids])}
    our_jid, told = connection.execute(_KNOWLEDGE, digits).fetchall()[0]
    if our_jid is None:
        raise DeviceNotReady(DeviceState.NEW)
    people: bytes = told
    return people


def read_knowledge(told: bytes) -> Knowledge:
    """Reads the answer to `ask_knowledge`."""
    pn_rows: dict[str, Row] = {}
    lid_rows: dict[str, Row] = {}
    lid_of_pn: dict[str, str] = {}
    for pn, lid, pn_row, lid_row in _decoded(_PEOPLE, told):
        if pn and pn_row:
            pn_rows[pn] = pn_row
        if lid and lid_row:
            lid_rows[lid] = lid_row
        if pn and lid:
            lid_of_pn[pn] = lid
    return Knowledge(pn_rows, lid_rows, lid_of_pn, {lid: pn for pn, lid in lid_of_pn.items()})


def _decoded(decoder: Decoder[T], told: bytes) -> T:
    try:
        return decoder.decode(told)
    except UnicodeDecodeError:
        return decoder.decode(told.decode(errors="replace"))
