"""Takes hold of a device's store directory and makes the store ready.

Everything here happens before the engine opens the store. Afterwards nothing
in this process may open `store.db` again: closing any handle on the file
would drop the locks that the engine's own SQLite holds on it.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STORE = "store.db"
LOCK = "session.lock"

_POLL_SECONDS = 0.05
_BUSY_SECONDS = 5.0


class StoreBusyError(Exception):
    """Another process holds the store."""


class StoreRefusedError(Exception):
    """The store cannot be opened or written."""


def lock(directory: Path, *, seconds: float, give_up: Callable[[float], bool]) -> int:
    """Takes the directory's lock for the life of the process; gives its descriptor.

    The lock file then holds the process id as text. Raises StoreBusyError after
    `seconds`, or when `give_up` (which waits that many seconds) says so, and
    StoreRefusedError when the directory cannot be written.
    """
    deadline = time.monotonic() + seconds
    try:
        descriptor = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        while not _try_lock(descriptor):
            if time.monotonic() >= deadline or give_up(_POLL_SECONDS):
                raise StoreBusyError
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    except OSError as error:
        raise StoreRefusedError from error
    return descriptor


def prepare(directory: Path) -> bool:
    """Switches the store to WAL, creating an empty one, and tells if it is linked.

    WAL lets the service read while the engine writes; the switch lasts. The
    file holds private keys, hence its mode. Raises StoreRefusedError, and
    StoreBusyError when someone else keeps it locked.
    """
    path = directory / STORE
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        with closing(sqlite3.connect(path, timeout=_BUSY_SECONDS)) as connection:
            (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
            linked = _is_linked(connection)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            raise StoreBusyError from error
        raise StoreRefusedError from error
    except (sqlite3.Error, OSError) as error:
        raise StoreRefusedError from error
    if mode != "wal":
        raise StoreRefusedError
    return linked


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_linked(connection: sqlite3.Connection) -> bool:
    """Tells if the store holds a device; a new one has not even the table."""
    query = "SELECT count(*) FROM sqlite_schema WHERE name = 'whatsmeow_device'"
    if connection.execute(query).fetchone() == (0,):
        return False
    return connection.execute("SELECT 1 FROM whatsmeow_device LIMIT 1").fetchone() is not None
