"""The registry's file: made private, brought to the schema of this release, bounded in time."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from contextlib import contextmanager
from importlib.resources import files
from threading import RLock
from typing import TYPE_CHECKING

from wuts.domain.errors import ServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_BUSY_SECONDS = 1.0
_UPGRADE_SECONDS = 10.0


class RegistryError(Exception):
    """The registry does not do that; the message is one line for the operator."""


class Taken(RegistryError):
    """The name is in use."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} exists already")


class Unknown(RegistryError):
    """There is nothing of that name."""

    def __init__(self, what: str) -> None:
        super().__init__(f"there is no {what}")


class InUse(RegistryError):
    """What is to be removed still has something of its own."""

    def __init__(self, what: str, by: str) -> None:
        super().__init__(f"{what} has {by}")


class TooNew(RegistryError):
    """A newer release has made the registry."""

    def __init__(self, found: int, known: int) -> None:
        super().__init__(
            f"registry.db has schema {found}, made by a newer release; this one knows up to {known}"
        )


class Database:
    """An open registry.db, usable from any thread, one at a time.

    Every failure to read or write in time is ServiceUnavailable; broken
    constraints come as sqlite3.IntegrityError.
    """

    def __init__(self, data: Path) -> None:
        """Opens or makes the registry; makes the data directory when missing.

        Raises TooNew when a newer release has made it, and ServiceUnavailable
        when it is no readable database.
        """
        make_private_directory(data)
        self._turn = RLock()
        self._connection = _open(data)

    def read(
        self, statement: str, values: Mapping[str, object] | None = None
    ) -> list[tuple[object, ...]]:
        """Gives all rows of one statement."""
        with self._turn, _translated():
            return self._connection.execute(statement, values or {}).fetchall()

    def version(self) -> tuple[int, int]:
        """Names the state of the registry: the same as long as nobody has written to it."""
        with self._turn, _translated():
            # SQLite counts the commits of others, and for itself the rows it has changed.
            (others,) = self._connection.execute("PRAGMA data_version").fetchone()
            return int(others), self._connection.total_changes

    def write(self, statement: str, values: Mapping[str, object]) -> int:
        """Runs one changing statement and gives the number of rows changed."""
        with self._turn, _translated():
            return self._connection.execute(statement, values).rowcount

    def close(self) -> None:
        """Closes the file."""
        with self._turn:
            self._connection.close()


def make_private_directory(path: Path) -> None:
    """Makes a directory that nobody else may enter; leaves an existing one as it is."""
    try:
        path.mkdir(parents=True, mode=0o700)
    except FileExistsError:
        return
    path.chmod(0o700)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.IntegrityError:
        raise
    except sqlite3.Error:
        raise ServiceUnavailable from None


def _open(data: Path) -> sqlite3.Connection:
    path = data / "registry.db"
    _make_private_file(path)
    with _translated():
        # Every use holds the turn, so crossing threads is safe.
        connection = sqlite3.connect(
            path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA foreign_keys = ON")
            with _alone(data):
                _upgrade(connection)
        except BaseException:
            connection.close()
            raise
    return connection


def _make_private_file(path: Path) -> None:
    """Makes the file before SQLite does: its -wal and -shm take over the mode.

    An existing file is not opened here, as closing it would drop the locks that
    other connections of this process hold.
    """
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        path.chmod(0o600)
        return
    os.fchmod(descriptor, 0o600)
    os.close(descriptor)


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    """Lets one process at a time upgrade, by a lock on the directory itself."""
    descriptor = os.open(data, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _lock(descriptor)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    end = time.monotonic() + _UPGRADE_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                raise ServiceUnavailable from None
            time.sleep(0.02)
        else:
            return


def _upgrade(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS migrations"
        " (version INTEGER PRIMARY KEY, applied_at INTEGER NOT NULL) STRICT"
    )
    (current,) = connection.execute("SELECT COALESCE(MAX(version), 0) FROM migrations").fetchone()
    known = _migrations()
    if current > len(known):
        raise TooNew(found=current, known=len(known))
    for version, script in enumerate(known[current:], start=current + 1):
        _migrate(connection, version, script)


def _migrations() -> list[str]:
    """Gives the scripts in order; the file names start with 0001, 0002 and so on."""
    scripts = files("wuts.adapters.registry").joinpath("migrations").iterdir()
    return [
        script.read_text("utf-8")
        for script in sorted(scripts, key=lambda script: script.name)
        if script.name.endswith(".sql")
    ]


def _migrate(connection: sqlite3.Connection, version: int, script: str) -> None:
    # executescript() would commit before it starts; statement by statement, a
    # migration happens as a whole or not at all.
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in _statements(script):
            connection.execute(statement)
        connection.execute("INSERT INTO migrations VALUES (?, ?)", (version, int(time.time())))
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
