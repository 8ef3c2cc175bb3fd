"""Takes hold of a device's store directory and makes the store ready.

Everything here happens before the engine opens the store. Afterwards nothing
in this process may open `store.db` again: closing any handle on the file
would drop the locks that the engine's own SQLite holds on it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
import time
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

STORE = "store.db"
LOCK = "session.lock"
PROBE = "session.probe"

NEWEST_SCHEMA = 15
"""The schema of the pinned engine; a newer one was written by a later release."""

_POLL_SECONDS = 0.05
_BUSY_SECONDS = 5.0
_ROOM_BYTES = 256 * 1024
"""Room that must be left for the store and its log to grow by."""

_UNWRITTEN: Final = frozenset({sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE})
"""How a limit on the size of files shows."""

_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class StoreBusyError(Exception):
    """Another process holds the store; `holder` is its id, 0 when unknown."""

    def __init__(self, holder: int = 0) -> None:
        super().__init__(holder)
        self.holder = holder


class StoreRefusedError(Exception):
    """The store cannot be opened or written."""


class StoreCorruptError(StoreRefusedError):
    """The store is damaged, or no database at all."""


class DiskFullError(StoreRefusedError):
    """There is no room to write the store."""


def lock(directory: Path, *, seconds: float, give_up: Callable[[float], bool]) -> int:
    """Takes the directory's lock for the life of the process; gives its descriptor.

    The lock file then holds the process id as text. Raises StoreBusyError after
    `seconds`, or when `give_up` (which waits that many seconds) says so, and
    StoreRefusedError when the directory cannot be written.
    """
    deadline = time.monotonic() + seconds
    with _named_faults():
        descriptor = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        while not _try_lock(descriptor):
            if time.monotonic() >= deadline or give_up(_POLL_SECONDS):
                raise StoreBusyError(_holder(descriptor))
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return descriptor


def prepare(directory: Path) -> bool:
    """Switches the store to WAL, creating an empty one, and tells if it is linked.

    WAL lets the service read while the engine writes; the switch lasts. The
    file holds private keys, hence its mode. Raises StoreCorruptError, upon which
    the file is as it was, DiskFullError, StoreRefusedError, and StoreBusyError
    when someone else keeps it locked.
    """
    path = directory / STORE
    with _named_faults():
        _require_room(directory / PROBE)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        _require_sound(path)
        with closing(sqlite3.connect(path, timeout=_BUSY_SECONDS)) as connection:
            (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
            linked = _is_linked(connection)
    if mode != "wal":
        raise StoreRefusedError
    return linked


@contextmanager
def _named_faults() -> Iterator[None]:
    """Turns the faults of files and of SQLite into those of this module."""
    try:
        yield
    except sqlite3.Error as error:
        raise _fault(getattr(error, "sqlite_errorcode", 0)) from error
    except OSError as error:
        raise (DiskFullError if error.errno in _NO_ROOM else StoreRefusedError) from error


def _fault(code: int) -> Exception:
    primary = code & 0xFF
    if primary in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return StoreBusyError()
    if primary in {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}:
        return StoreCorruptError()
    if primary == sqlite3.SQLITE_FULL or code in _UNWRITTEN:
        return DiskFullError()
    return StoreRefusedError()


def _require_room(path: Path) -> None:
    """Raises OSError when a small file cannot be written here."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, _ROOM_BYTES)
    finally:
        os.close(descriptor)
        with suppress(OSError):
            path.unlink()


def _require_sound(path: Path) -> None:
    """Raises StoreCorruptError for a damaged store, StoreRefusedError for a newer one.

    The connection is read-only: closing a writing one would move the log into
    the damaged file.
    """
    address = f"{path.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, timeout=_BUSY_SECONDS, uri=True)) as connection:
        (told,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if told != "ok":
            raise StoreCorruptError
        if _schema(connection) > NEWEST_SCHEMA:
            raise StoreRefusedError


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(descriptor: int) -> int:
    text = os.pread(descriptor, 20, 0)
    return int(text) if text.isdigit() else 0


def _schema(connection: sqlite3.Connection) -> int:
    if not _has_table(connection, "whatsmeow_version"):
        return 0
    row = connection.execute("SELECT max(version) FROM whatsmeow_version").fetchone()
    return int(row[0] or 0)


def _is_linked(connection: sqlite3.Connection) -> bool:
    """Tells if the store holds a device; a new one has not even the table."""
    if not _has_table(connection, "whatsmeow_device"):
        return False
    return connection.execute("SELECT 1 FROM whatsmeow_device LIMIT 1").fetchone() is not None


def _has_table(connection: sqlite3.Connection, name: str) -> bool:
    query = "SELECT 1 FROM sqlite_schema WHERE name = ?"
    return connection.execute(query, (name,)).fetchone() is not None
