"""What whatsmeow's tables hold beside people: schema, account, progress of the sync.

Plain functions on an open connection, of whichever driver.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Protocol

from wuts.domain.errors import DeviceNotReady
from wuts.domain.state import DeviceState


class Rows(Protocol):
    """The rows of a statement."""

    def fetchall(self) -> list[Any]:
        """Gives all that are left."""
        ...


class Connection(Protocol):
    """An open database."""

    def execute(self, statement: str, values: Any = ..., /) -> Rows:  # noqa: ANN401 # the driver's
        """Runs one statement."""
        ...


def first(connection: Connection, statement: str, values: object = ()) -> Any | None:  # noqa: ANN401 # a row
    """Gives the first row of a statement, None for none.

    All of them are fetched: a statement that is not finished keeps its snapshot.
    """
    rows = connection.execute(statement, values).fetchall()
    return rows[0] if rows else None


OLDEST_SCHEMA = 8
"""The first schema with a LID map; whatsmeow itself upgrades what is older than its own."""
NEWEST_SCHEMA = 15
"""The schema of the pinned neonize; lookups need 11, the first with redacted phones."""


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
    if first(connection, tables) is None:
        return None
    row = first(connection, "SELECT CAST(version AS INTEGER) FROM whatsmeow_version")
    return int(row[0] or 0) if row else 0


def is_linked(connection: Connection) -> bool:
    """Tells whether a store holds a device, whatever its schema."""
    tables = "SELECT 1 FROM sqlite_schema WHERE name = 'whatsmeow_device'"
    if first(connection, tables) is None:
        return False
    return first(connection, "SELECT 1 FROM whatsmeow_device LIMIT 1") is not None


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
    row = first(
        connection, "SELECT jid, COALESCE(lid, '') FROM whatsmeow_device ORDER BY rowid LIMIT 1"
    )
    if row is None or row[0] is None:
        raise DeviceNotReady(DeviceState.NEW)
    return Own(row[0], _digits(row[0]), _digits(row[1]))


def read_synced(connection: Connection) -> bool:
    """Tells whether the app state with the contacts has arrived.

    whatsmeow writes the version of a collection once it has stored what is in it.
    """
    statement = "SELECT 1 FROM whatsmeow_app_state_version WHERE jid = ? AND name = ?"
    return first(connection, statement, (read_own(connection).our_jid, _CONTACTS)) is not None


_CONTACTS = "critical_unblock_low"
# WhatsApp's name of the collection that holds the contacts.


def _digits(jid: str) -> str:
    """Takes the user part of a JID that may name a device: `user[.agent][:device]@server`."""
    return re.split(r"[.:@]", jid, maxsplit=1)[0]
