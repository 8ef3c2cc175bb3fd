"""Checks of the registry and of every device's store."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wuts.adapters import schemas
from wuts.adapters.doctor.findings import fail, ok, warn
from wuts.adapters.whatsmeow_tables import is_linked, schema_version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from wuts.adapters.doctor.findings import Finding

_CHECK_SECONDS = 20.0
_INSTRUCTIONS = 100_000
_RESTORE = "keep the file aside, then `wuts restore` a backup into a new directory"
_STORE_FILES = {"store.db", "store.db-wal", "store.db-shm", "store.db-journal"}


@dataclass(frozen=True, slots=True)
class _Look:
    """What is to be seen in an intact database."""

    schema: int | None
    is_linked: bool


def registry(data: Path) -> Iterator[Finding]:
    """Checks the registry's pages and schema."""
    path, known = data / "registry.db", schemas.known_registry_schema()
    if not path.exists():
        yield warn("registry", "there is none yet", "make it with `wuts tenant add`")
        return
    look = _look(path, schemas.registry_schema)
    if isinstance(look, str):
        yield fail("registry", look, _RESTORE)
    elif (found := look.schema or 0) > known:
        message = f"schema {found}; this release knows up to {known}"
        yield fail("registry", message, "upgrade wuts")
    elif found < known:
        message = f"intact, schema {found}; this release brings it to {known}"
        yield warn("registry", message, "start the service of this release once")
    else:
        yield ok("registry", f"intact, schema {found}")


def stores(data: Path) -> Iterator[Finding]:
    """Checks every device that the registry knows, or that has a directory."""
    accounts = _accounts(data)
    found = {path.name for path in data.glob("devices/*") if path.is_dir()}
    for device in sorted({*accounts, *found}):
        directory = data / "devices" / device
        if accounts and device not in accounts:
            remedy = f"delete {directory}: it holds keys"
            yield warn(f"store {device}", "belongs to no device", remedy)
        else:
            yield _store(device, directory, is_linked=bool(accounts.get(device)))
        yield from _kept_aside(device, directory)


def _store(device: str, directory: Path, *, is_linked: bool) -> Finding:
    check, relink = f"store {device}", f"`wuts device link {device}`, or restore a backup"
    if not (directory / "store.db").exists():
        if is_linked:
            return fail(check, "missing, though the device is linked", relink)
        return ok(check, "not linked yet")
    look = _look(directory / "store.db", schema_version)
    if isinstance(look, str):
        return fail(check, look, _RESTORE)
    if look.schema is not None and look.schema not in schemas.KNOWN_STORE_SCHEMAS:
        return fail(check, _unknown_schema(look.schema), "use the release that wrote it")
    if is_linked and not look.is_linked:
        return warn(check, "intact, but linked no more", relink)
    state = "linked" if look.is_linked else "not linked yet"
    return ok(check, f"intact, schema {look.schema}, {state}" if look.schema else state)


def _unknown_schema(found: int) -> str:
    known = schemas.KNOWN_STORE_SCHEMAS
    return f"schema {found}; this release knows {min(known)} to {max(known)}"


def _kept_aside(device: str, directory: Path) -> Iterator[Finding]:
    for path in sorted(directory.glob("store.db*")):
        if path.name not in _STORE_FILES:
            remedy = "delete it once nothing in it is needed: it holds keys"
            yield warn(f"store {device}", f"a damaged store was kept aside: {path}", remedy)


def _look(path: Path, schema: Callable[[sqlite3.Connection], int | None]) -> _Look | str:
    """Looks at a database; says so when it is damaged or cannot be read."""
    end = time.monotonic() + _CHECK_SECONDS
    try:
        with closing(schemas.open_read_only(path)) as connection:
            connection.set_progress_handler(lambda: time.monotonic() > end, _INSTRUCTIONS)
            if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                return "damaged pages"
            return _Look(schema(connection), is_linked(connection))
    except sqlite3.Error as error:
        word = str(getattr(error, "sqlite_errorname", "SQLITE_ERROR"))
        return f"cannot be read: {word.removeprefix('SQLITE_')}"


def _accounts(data: Path) -> dict[str, str | None]:
    """Reads which devices there are and what they are linked to; empty when it cannot."""
    try:
        with closing(schemas.open_read_only(data / "registry.db")) as connection:
            return dict(connection.execute("SELECT id, account FROM devices"))
    except sqlite3.Error:
        return {}
