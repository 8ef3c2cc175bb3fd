"""What whatsmeow's tables hold, as domain values.

Plain functions on an open connection, each called inside one transaction.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

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

_PAGE, _PAIRS, _ROWS = (
    files("wuts.adapters").joinpath("whatsmeow", name).read_text("utf-8")
    for name in ("page.sql", "pairs.sql", "rows.sql")
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
    own = read_own(connection)
    # One row more tells whether anything follows.
    values = {
        "our_jid": own.our_jid,
        "own_pn": own.pn,
        "own_lid": own.lid,
        "own_pn_jid": str(pn_jid(own.pn)),
        "own_lid_jid": str(lid_jid(own.lid)),
        "before": after or _BEHIND_ALL,
        "limit": limit + 1,
    }
    contacts = list(map(Contact._make, connection.execute(_PAGE, values)))
    if len(contacts) <= limit:
        return ContactPage(contacts, "")
    contacts.pop()
    return ContactPage(contacts, _key(connection, own, contacts[-1]))


def read_knowledge(
    connection: Connection, pns: Collection[str], lids: Collection[str]
) -> Knowledge:
    """Reads the pairs of these people, and their rows under either JID."""
    own = read_own(connection)
    digits = {"pns": json.dumps(list(pns)), "lids": json.dumps(list(lids))}
    pairs: list[tuple[str, str]] = connection.execute(_PAIRS, digits).fetchall()
    jids = {str(pn_jid(pn)) for pn in (*pns, *(pn for _, pn in pairs))}
    jids |= {str(lid_jid(lid)) for lid in (*lids, *(lid for lid, _ in pairs))}
    values = {"our_jid": own.our_jid, "jids": json.dumps(list(jids))}
    return _knowledge(pairs, connection.execute(_ROWS, values))


def _knowledge(pairs: list[tuple[str, str]], rows: Iterable[tuple[str, ...]]) -> Knowledge:
    pn_rows: dict[str, Row] = {}
    lid_rows: dict[str, Row] = {}
    for jid, *names, redacted_phone in rows:
        user, _, server = jid.rpartition("@")
        found = lid_rows if server == "lid" else pn_rows
        found[user] = Row(Names._make(names), redacted_phone)
    return Knowledge(pn_rows, lid_rows, {pn: lid for lid, pn in pairs}, dict(pairs))


def _key(connection: Connection, own: Own, contact: Contact) -> str:
    """Finds the key of the row that represents a contact: its PN row, if there is one."""
    found = connection.execute(
        "SELECT 1 FROM whatsmeow_contacts WHERE our_jid = ? AND their_jid = ?",
        (own.our_jid, contact.jid),
    ).fetchone()
    return contact.jid if found else contact.lid_jid


def _digits(jid: str) -> str:
    """Takes the user part of a JID that may name a device: `user[.agent][:device]@server`."""
    return re.split(r"[.:@]", jid, maxsplit=1)[0]
