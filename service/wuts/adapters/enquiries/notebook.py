"""`answers.db`: what one device has heard and may ask, beyond a restart.

All of it may be lost without harm. A damaged file is replaced, one that
cannot be written is done without.
"""

from __future__ import annotations

import json
import os
import sqlite3
import stat
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from wuts.adapters.enquiries.answers import Answer
from wuts.adapters.enquiries.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from wuts.adapters.enquiries.answers import Key

NAME: Final = "answers.db"

_SCHEMA = 1
_TABLES = """
CREATE TABLE standing (only INTEGER PRIMARY KEY CHECK (only = 1), value TEXT NOT NULL) STRICT;
CREATE TABLE answers (
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  at INTEGER NOT NULL, -- microseconds since 1970
  value TEXT NOT NULL, -- JSON
  PRIMARY KEY (kind, subject)
) STRICT, WITHOUT ROWID;
"""
_DELETE_OLDEST = """
DELETE FROM answers WHERE (kind, subject) IN
  (SELECT kind, subject FROM answers ORDER BY at LIMIT ?)
"""
_BUSY_SECONDS = 0.5
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_UNAVAILABLE = frozenset(
    {"BUSY", "LOCKED", "READONLY", "IOERR", "FULL", "CANTOPEN", "PERM", "NOMEM", "INTERRUPT"}
)
# What the disk says, not the file: it may be whole.
_NONSENSE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError)
# What comes of reading words that nobody wrote here.


@dataclass(frozen=True, slots=True)
class Contents:
    """What a notebook holds; the answers come oldest first."""

    standing: Standing = field(default_factory=Standing)
    answers: list[tuple[Key, Answer]] = field(default_factory=list)


class DiskRefused(Exception):  # named after the situation
    """The disk does not serve now; the message is one word saying why."""


class Notebook:
    """The file in a device's directory (0600). Blocks; for one thread at a time.

    Everything raises DiskRefused. The directory is never made: it is gone when
    the device is.
    """

    def __init__(self, path: Path, bound: int) -> None:
        """Takes the file, and the most answers that it keeps."""
        self._path = path
        self._bound = bound

    def read(self) -> Contents | None:
        """Gives all that is kept; None when it was damaged, and is erased now."""
        with _translated():
            if not self._path.exists():
                return Contents()
            try:
                with closing(self._open()) as connection:
                    return _contents(connection, self._bound)
            except (sqlite3.Error, *_NONSENSE) as error:
                if not _is_damage(error):
                    raise
            self.erase()
        return None

    def write(self, standing: Standing | None, changes: Mapping[Key, Answer | None]) -> None:
        """Keeps the standing, if one is given, and changes answers; None: it goes."""
        with _translated():
            if not self._path.parent.exists():
                return
            try:
                self._write(standing, changes)
            except sqlite3.Error as error:
                if not _is_damage(error):
                    raise
                self.erase()
                self._write(standing, changes)

    def erase(self) -> None:
        """Removes the file."""
        with _translated():
            for name in (self._path.name, f"{self._path.name}-journal"):
                self._path.with_name(name).unlink(missing_ok=True)

    def _write(self, standing: Standing | None, changes: Mapping[Key, Answer | None]) -> None:
        kept = [_row(key, answer) for key, answer in changes.items() if answer is not None]
        gone = [key for key, answer in changes.items() if answer is None]
        with closing(self._open()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)", kept)
            connection.executemany("DELETE FROM answers WHERE kind = ? AND subject = ?", gone)
            if standing is not None:
                text = standing.to_text()
                connection.execute("INSERT OR REPLACE INTO standing VALUES (1, ?)", (text,))
            _trim(connection, self._bound)
            connection.execute("COMMIT")

    def _open(self) -> sqlite3.Connection:
        self._make_private()
        uri = self._path.absolute().as_uri() + "?mode=rw"
        connection = sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)
        try:
            connection.execute("PRAGMA trusted_schema = OFF")
            # A power cut may take it all; waiting for the disk would cost more than that.
            connection.execute("PRAGMA synchronous = OFF")
            _prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _make_private(self) -> None:
        """Makes the file before SQLite does: its journal takes over the mode."""
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        handle = os.open(self._path, flags, 0o600)
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise OSError(0, "no plain file")
            os.fchmod(handle, 0o600)
        finally:
            os.close(handle)


def _prepare(connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT COUNT(*) FROM sqlite_schema").fetchone()
    if version == 0 and not tables:
        script = f"BEGIN; {_TABLES} PRAGMA user_version = {_SCHEMA:d}; COMMIT;"
        connection.executescript(script)
    elif version != _SCHEMA:
        raise sqlite3.DatabaseError  # another release's; not worth a migration


def _contents(connection: sqlite3.Connection, bound: int) -> Contents:
    found = connection.execute("SELECT value FROM standing").fetchone()
    standing = Standing.from_text(found[0]) if found else Standing()
    newest = "SELECT kind, subject, at, value FROM answers ORDER BY at DESC LIMIT ?"
    rows = connection.execute(newest, (bound,)).fetchall()
    return Contents(standing, [_answer(*row) for row in reversed(rows)])


def _answer(kind: str, subject: str, at: int, value: str) -> tuple[Key, Answer]:
    told = json.loads(value)
    return (kind, subject), Answer(_EPOCH + timedelta(microseconds=at), dict(told))


def _row(key: Key, answer: Answer) -> tuple[str, str, int, str]:
    return (*key, (answer.at - _EPOCH) // _MICROSECOND, json.dumps(dict(answer.value)))


def _trim(connection: sqlite3.Connection, bound: int) -> None:
    """Lets the oldest answers go that are too many."""
    (count,) = connection.execute("SELECT COUNT(*) FROM answers").fetchone()
    if count > bound:
        connection.execute(_DELETE_OLDEST, (count - bound,))


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise DiskRefused(getattr(error, "sqlite_errorname", type(error).__name__)) from None


def _is_damage(error: Exception) -> bool:
    """Tells a damaged file from a disk that does not serve now."""
    name = str(getattr(error, "sqlite_errorname", "")).removeprefix("SQLITE_")
    return name.split("_")[0] not in _UNAVAILABLE
