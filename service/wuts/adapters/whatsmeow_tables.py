"""What whatsmeow's tables hold, as domain values.

Plain functions on an open connection. Each but `read_knowledge` and `read_own` makes several
statements, and is called inside one transaction.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from wuts.domain.contact import Contact, ContactPage, Names
from wuts.domain.errors import DeviceNotReady
from wuts.domain.jid import lid_jid, pn_jid
from wuts.domain.knowledge import Knowledge, Row
from wuts.domain.state import DeviceState

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from sqlite3 import Connection

OLDEST_SCHEMA = 8
"""The first schema with a LID map; whatsmeow itself upgrades what is older than its own."""
NEWEST_SCHEMA = 15
"""The schema of the pinned neonize; lookups need 11, the first with redacted phones."""

PAGE, _KNOWLEDGE = (
    files("wuts.adapters").joinpath("whatsmeow", name).read_text("utf-8")
    for name in ("page.sql", "knowledge.sql")
)
# A row at a time, Python would take and give back its lock for each; here the whole page is
# put together without it, and the event loop goes on meanwhile.
_PAGE_AT_ONCE = (
    "SELECT json_group_array(json_array("  # noqa: S608 # our own text
    "cursor, jid, lid_jid, first_name, full_name, push_name, business_name"
    f")) FROM ({PAGE})"
)


class SchemaRefused(Exception):
    """The store has a schema this release does not know."""

    def __init__(self, version: int) -> None:
        super().__init__(version)
        self.version = version


@dataclass(frozen=True, slots=True)
class Own:
    """The account of the store: its key in every table, and its two sets of digits.

    `lid` is empty when unknown.
    """

    our_jid: str
    pn: str
    lid: str


def schema_version(connection: Connection) -> int | None:
    """Reads the schema of a store; None when the engine has not filled it yet."""
    tables = "SELECT 1 FROM sqlite_schema WHERE name = 'whatsmeow_version'"
    if connection.execute(tables).fetchone() is None:
        return None
    row = connection.execute("SELECT version FROM whatsmeow_version").fetchone()
    return int(row[0]) if row else 0


def is_linked(connection: Connection) -> bool:
    """Tells whether a store holds a device, whatever its schema."""
    tables = "SELECT 1 FROM sqlite_schema WHERE name = 'whatsmeow_device'"
    if connection.execute(tables).fetchone() is None:
        return False
    return connection.execute("SELECT 1 FROM whatsmeow_device LIMIT 1").fetchone() is not None


def require_known_schema(connection: Connection) -> None:
    """Raises SchemaRefused for an unknown schema, DeviceNotReady for an empty file."""
    version = schema_version(connection)
    if version is None:
        raise DeviceNotReady(DeviceState.NEW)
    if not OLDEST_SCHEMA <= version <= NEWEST_SCHEMA:
        raise SchemaRefused(version)


def read_own(connection: Connection) -> Own:
    """Reads the account the device is linked to; raises DeviceNotReady for none.

    whatsmeow opens the first row, should there ever be several.
    """
    row = connection.execute(
        "SELECT jid, COALESCE(lid, '') FROM whatsmeow_device ORDER BY rowid LIMIT 1"
    ).fetchone()
    if row is None:
        raise DeviceNotReady(DeviceState.NEW)
    return Own(row[0], _digits(row[0]), _digits(row[1]))


def read_synced(connection: Connection) -> bool:
    """Tells whether the app state with the contacts has arrived.

    whatsmeow writes the version of a collection once it has stored what is in it.
    """
    found = connection.execute(
        "SELECT 1 FROM whatsmeow_app_state_version WHERE jid = ? AND name = ?",
        (read_own(connection).our_jid, _CONTACTS),
    )
    return found.fetchone() is not None


_CONTACTS = "critical_unblock_low"
# WhatsApp's name of the collection that holds the contacts.

_BEHIND_ALL = "~"
# Sorts behind every JID. The order is descending, as in the documented example.


def read_page(connection: Connection, after: str, limit: int) -> ContactPage:
    """Reads at most `limit` people behind the cursor, and where the next ones start."""
    # One row more tells whether anything follows.
    values = page_values(connection, after, limit + 1)
    (told,) = connection.execute(_PAGE_AT_ONCE, values).fetchone()
    rows = json.loads(told)
    contacts = [Contact(*contact) for _, *contact in rows[:limit]]
    return ContactPage(contacts, rows[limit - 1][0] if len(rows) > limit else "")


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


def read_knowledge(
    connection: Connection, pns: Collection[str], lids: Collection[str]
) -> Knowledge:
    """Reads the pairs of these people, and their rows under either JID."""
    digits = {"pns": json.dumps([*pns]), "lids": json.dumps([*lids])}
    our_jid, people = connection.execute(_KNOWLEDGE, digits).fetchone()
    if our_jid is None:
        raise DeviceNotReady(DeviceState.NEW)
    return _knowledge(json.loads(people))


def _knowledge(people: Iterable[list[Any]]) -> Knowledge:
    """Reads people as knowledge.sql tells them."""
    pn_rows: dict[str, Row] = {}
    lid_rows: dict[str, Row] = {}
    lid_of_pn: dict[str, str] = {}
    for pn, lid, has_pn_row, f1, n1, p1, b1, r1, has_lid_row, f2, n2, p2, b2, r2 in people:
        if has_pn_row:
            pn_rows[pn] = Row(Names(f1, n1, p1, b1), r1)
        if has_lid_row:
            lid_rows[lid] = Row(Names(f2, n2, p2, b2), r2)
        if pn and lid:
            lid_of_pn[pn] = lid
    return Knowledge(pn_rows, lid_rows, lid_of_pn, {lid: pn for pn, lid in lid_of_pn.items()})


def _digits(jid: str) -> str:
    """Takes the user part of a JID that may name a device: `user[.agent][:device]@server`."""
    return re.split(r"[.:@]", jid, maxsplit=1)[0]
