"""Saves a data directory into one file, while the service uses it."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import sqlite3
import tarfile
import tempfile
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from wuts import __version__
from wuts.adapters import schemas
from wuts.adapters.backup import archive
from wuts.adapters.backup.archive import BackupError, Entry, LeftOut, Manifest
from wuts.adapters.whatsmeow_tables import schema_version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Tell = Callable[[int, int], None]

_PAGES = 256
"""Pages of a database between two words about the progress: about a megabyte."""

_NO_ROOM = {"FULL", "IOERR_WRITE", "IOERR_FSYNC", "IOERR_TRUNCATE"}
"""What SQLite says of the copy, never of a file that is only read."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What was saved."""

    manifest: Manifest
    size: int
    """Bytes of the file."""


class _Unreadable(Exception):
    """A database cannot be copied; the message is one upper-case word."""


def save(data: Path, file: Path, *, tell: Tell = lambda _done, _total: None) -> Saved:
    """Saves a data directory; `tell` gets the bytes done and the bytes in all.

    Every database is copied as of one moment, with what still is in its
    write-ahead log. A store that cannot be read is left out and listed. The file
    (0600) appears whole or not at all. Raises BackupError and OSError.
    """
    if not (data / archive.REGISTRY).is_file():
        raise BackupError(f"{data} is no data directory: it has no {archive.REGISTRY}")
    if file.exists():
        raise BackupError(f"{file} exists already; choose another name or remove it")
    with _scratch(file.absolute().parent) as scratch:
        fresh = scratch / "backup.tar"
        manifest = _Saving(data, scratch, tell).write(fresh)
        size = fresh.stat().st_size
        fresh.replace(file)
    _sync(file.absolute().parent)
    return Saved(manifest, size)


@contextlib.contextmanager
def _scratch(beside: Path) -> Iterator[Path]:
    """Gives a private directory on the file system of the result, for rename to work."""
    directory = Path(tempfile.mkdtemp(dir=beside, prefix=".wuts-backup-"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


class _Saving:
    """One run: copies one file after another, so that the largest is all the room it needs."""

    def __init__(self, data: Path, scratch: Path, tell: Tell) -> None:
        self._data = data
        self._copy = scratch / "copy"
        self._tell = tell
        # The registry first: a device made meanwhile is then merely unknown to it.
        self._names = [archive.REGISTRY, *self._small_files(), *self._stores()]
        self._total = sum(self._size(name) for name in self._names)
        self._done = 0

    def write(self, path: Path) -> Manifest:
        entries: list[Entry] = []
        left_out: list[LeftOut] = []
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as raw:
            with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as tar:
                for name in self._names:
                    try:
                        entries.append(self._add(tar, name))
                    except _Unreadable as why:
                        left_out.append(LeftOut(name=name, reason=str(why)))
                manifest = _manifest(entries, left_out)
                _add_manifest(tar, manifest)
            raw.flush()
            os.fsync(raw.fileno())
        return manifest

    def _add(self, tar: tarfile.TarFile, name: str) -> Entry:
        expected = self._size(name)
        schema = None
        if name.endswith(".db"):
            schema = self._copy_database(name)
        else:
            shutil.copyfile(self._data / name, self._copy)
        size = self._copy.stat().st_size
        with self._copy.open("rb") as content:
            sha256 = archive.digest_of(content, lambda _part: None)
            content.seek(0)
            tar.addfile(_member(name, size), content)
        self._copy.unlink()
        self._done += expected
        self._tell(self._done, self._total)
        return Entry(name=name, size=size, sha256=sha256, schema_version=schema)

    def _copy_database(self, name: str) -> int | None:
        self._copy.unlink(missing_ok=True)
        try:
            with closing(schemas.open_read_only(self._data / name)) as live:
                return _copied(live, self._copy, self._tell_pages(name))
        except (sqlite3.Error, _Unreadable) as error:
            reason = getattr(error, "sqlite_errorname", "SQLITE_CORRUPT").removeprefix("SQLITE_")
            if reason in _NO_ROOM:
                raise BackupError(f"the copy of {name} cannot be written: {reason}") from None
            if name == archive.REGISTRY:
                raise BackupError(f"{self._data / name} cannot be read: {reason}") from None
            raise _Unreadable(reason) from None

    def _tell_pages(self, name: str) -> Callable[[int, int, int], None]:
        size = self._size(name)

        def progress(_status: int, remaining: int, total: int) -> None:
            share = 1 - remaining / total if total else 1
            self._tell(self._done + int(size * share), self._total)

        return progress

    def _small_files(self) -> list[str]:
        names = (archive.SANDBOX_MARKER, archive.KEY)
        return [name for name in names if (self._data / name).is_file()]

    def _stores(self) -> list[str]:
        found = self._data.glob("devices/*/store.db")
        devices = sorted(path.parent.name for path in found)
        return [f"devices/{id_}/store.db" for id_ in devices if archive.is_device_directory(id_)]

    def _size(self, name: str) -> int:
        try:
            return (self._data / name).stat().st_size
        except FileNotFoundError:
            return 0


def _copied(
    live: sqlite3.Connection, target: Path, progress: Callable[[int, int, int], None]
) -> int | None:
    """Copies one snapshot and checks the copy; gives its schema."""
    with closing(sqlite3.connect(target, isolation_level=None)) as copy:
        # Held open, the snapshot cannot change: the copy never starts over, and in
        # WAL mode the writer is not held up.
        live.execute("BEGIN")
        live.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone()
        live.backup(copy, pages=_PAGES, progress=progress, sleep=0)
        if copy.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise _Unreadable
        if _is_registry(copy):
            return schemas.registry_schema(copy)
        return schema_version(copy)


def _is_registry(copy: sqlite3.Connection) -> bool:
    """Tells a registry from a store by its tables."""
    tables = "SELECT 1 FROM sqlite_schema WHERE name = 'migrations'"
    return copy.execute(tables).fetchone() is not None


def _manifest(entries: list[Entry], left_out: list[LeftOut]) -> Manifest:
    return Manifest(
        made_at=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        wuts=__version__,
        engine=f"neonize {version('neonize')}",
        files=entries,
        left_out=left_out,
    )


def _add_manifest(tar: tarfile.TarFile, manifest: Manifest) -> None:
    content = manifest.model_dump_json(indent=2).encode()
    tar.addfile(_member(archive.MANIFEST, len(content)), io.BytesIO(content))


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size = size
    member.mode = 0o600
    member.mtime = int(datetime.now(UTC).timestamp())
    return member


def _sync(directory: Path) -> None:
    """Makes the rename outlive a power cut."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
