"""Schema versions of the files in a data directory, found and known."""

from __future__ import annotations

import sqlite3
from importlib.resources import files
from typing import TYPE_CHECKING

from wuts.adapters.whatsmeow_tables import NEWEST_SCHEMA, OLDEST_SCHEMA

if TYPE_CHECKING:
    from pathlib import Path

KNOWN_STORE_SCHEMAS = range(OLDEST_SCHEMA, NEWEST_SCHEMA + 1)

_BUSY_SECONDS = 5.0


def open_read_only(path: Path) -> sqlite3.Connection:
    """Opens a file that another process may be writing; never alters it.

    Raises sqlite3.Error when it is missing. Only for processes that have the
    file open nowhere else: closing it would drop their locks.
    """
    # as_uri() escapes what has a meaning in a URI.
    uri = path.absolute().as_uri() + "?mode=ro"
    connection = sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection


def known_registry_schema() -> int:
    """Gives the schema of the registry that this release makes."""
    scripts = files("wuts.adapters.registry").joinpath("migrations").iterdir()
    return sum(script.name.endswith(".sql") for script in scripts)


def registry_schema(connection: sqlite3.Connection) -> int:
    """Reads the schema of a registry; raises sqlite3.Error when it is none."""
    (version,) = connection.execute("SELECT COALESCE(MAX(version), 0) FROM migrations").fetchone()
    return int(version)
