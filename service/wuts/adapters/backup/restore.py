"""Restores a backup into a directory that nobody uses yet."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pydantic

from wuts.adapters import schemas
from wuts.adapters.backup import archive
from wuts.adapters.backup.archive import BackupError, Entry, Manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Tell = Callable[[int, int], None]

_LOCK = "service.lock"


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored."""

    manifest: Manifest


def restore(file: Path, data: Path, *, tell: Tell = lambda _done, _total: None) -> Restored:
    """Restores a backup; `tell` gets the bytes done and the bytes in all.

    Everything is verified before anything is written. `data` must be missing or
    empty; files become 0600 and directories 0700. What was written is removed
    again when it fails. Raises BackupError and OSError.
    """
    try:
        with tarfile.open(file, "r:") as tar:
            backup = _Backup(tar, tell)
            backup.verify()
            with _vacant(data):
                backup.extract(data)
    except (tarfile.TarError, EOFError):
        raise BackupError(f"{file} is damaged, or no backup of wuts") from None
    return Restored(backup.manifest)


class _Backup:
    """An open backup."""

    def __init__(self, tar: tarfile.TarFile, tell: Tell) -> None:
        self._tar = tar
        self._tell = tell
        self._done = 0
        members = tar.getmembers()
        self._members = {member.name: member for member in members}
        self.manifest = self._read_manifest()
        listed = [entry.name for entry in self.manifest.files] + [archive.MANIFEST]
        if sorted(listed) != sorted(member.name for member in members):
            raise BackupError("the backup does not hold exactly what its manifest lists")
        if not all(member.isreg() for member in members):
            raise BackupError("the backup holds something that is no plain file")

    def verify(self) -> None:
        """Compares every checksum; nothing is written."""
        for entry in self.manifest.files:
            self._read(entry, lambda _part: None)
        for entry in self.manifest.files:
            _require_known(entry)

    def extract(self, data: Path) -> None:
        """Writes every file; the registry last, as it makes the rest reachable."""
        order = sorted(self.manifest.files, key=lambda entry: entry.name == archive.REGISTRY)
        for entry in sorted(order, key=lambda entry: entry.name != archive.SANDBOX_MARKER):
            path = data / entry.name
            _make_private(path.parent, up_to=data)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(handle, "wb") as target:
                os.fchmod(handle, 0o600)
                self._read(entry, target.write)
                target.flush()
                os.fsync(handle)

    def _read(self, entry: Entry, take: Callable[[bytes], object]) -> None:
        content = self._tar.extractfile(self._members[entry.name])
        if content is None or self._members[entry.name].size != entry.size:
            raise BackupError(f"{entry.name} in the backup is damaged")
        if archive.digest_of(content, take) != entry.sha256:
            raise BackupError(f"{entry.name} in the backup is damaged: wrong checksum")
        self._done += entry.size
        # Each file is read twice: once to verify it, once to write it.
        self._tell(self._done, 2 * self.manifest.size)

    def _read_manifest(self) -> Manifest:
        member = self._members.get(archive.MANIFEST)
        content = self._tar.extractfile(member) if member and member.isreg() else None
        if member is None or content is None or member.size > archive.LONGEST_MANIFEST:
            raise BackupError("this is no backup of wuts: it has no manifest")
        text = content.read()
        try:
            return Manifest.model_validate_json(text)
        except pydantic.ValidationError:
            raise BackupError(_why_refused(text)) from None


def _why_refused(text: bytes) -> str:
    with contextlib.suppress(ValueError, TypeError, AttributeError):
        found = json.loads(text).get("format")
        if isinstance(found, int) and found > 1:
            return f"the backup has format {found}, made by a newer release"
    return "the backup's manifest is malformed"


def _require_known(entry: Entry) -> None:
    """Refuses what this release could not open afterwards."""
    found = entry.schema_version
    if entry.name == archive.REGISTRY and (found or 0) > schemas.known_registry_schema():
        raise BackupError(f"the backup's registry has schema {found}, made by a newer release")
    if archive.is_store(entry.name) and (found or 0) > max(schemas.KNOWN_STORE_SCHEMAS):
        raise BackupError(f"{entry.name} has schema {found}, made by a newer engine")


@contextlib.contextmanager
def _vacant(data: Path) -> Iterator[None]:
    """Holds an empty directory, as a service would; empties it again after a failure."""
    is_new = not data.exists()
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _held(data):
        if [entry.name for entry in data.iterdir()] != [_LOCK]:
            raise BackupError(f"{data} is not empty; choose another directory")
        data.chmod(0o700)
        try:
            yield
        except BaseException:
            _empty(data, remove=is_new)
            raise


@contextlib.contextmanager
def _held(data: Path) -> Iterator[None]:
    path = data / _LOCK
    is_new = not path.exists()
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        is_new = False
        pid = os.pread(handle, 20, 0).decode(errors="replace").strip()
        raise BackupError(f"{data} is held by a service, pid {pid}") from None
    finally:
        if is_new:
            path.unlink(missing_ok=True)
        os.close(handle)


def _empty(data: Path, *, remove: bool) -> None:
    for entry in data.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)
    if remove:
        with contextlib.suppress(OSError):
            data.rmdir()


def _make_private(directory: Path, *, up_to: Path) -> None:
    if directory == up_to or directory.exists():
        return
    _make_private(directory.parent, up_to=up_to)
    directory.mkdir(mode=0o700)
    directory.chmod(0o700)
