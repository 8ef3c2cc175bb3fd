"""Checks of the data directory: who may read it, and whom it belongs to."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from wuts.adapters.doctor.findings import fail, ok

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator
    from pathlib import Path

    from wuts.adapters.doctor.findings import Finding

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_MARKER = ".wuts-sandbox"


def is_there(data: Path) -> bool:
    """Tells whether there is a data directory at all."""
    return data.is_dir()


def modes(data: Path) -> Iterator[Finding]:
    """Finds what others may read, and what belongs to somebody else."""
    owner = data.stat().st_uid
    entries = list(_entries(data))
    exposed = [path for path, status in entries if stat.S_IMODE(status.st_mode) & _OTHERS]
    foreign = [path for path, status in entries if status.st_uid != owner]
    if exposed:
        yield fail("modes", f"others may open {_named(exposed)}", f"chmod -R go= {data}")
    if foreign:
        message = f"{_named(foreign)} belongs to another user than the directory"
        yield fail("modes", message, f"chown -R --reference={data} {data}")
    if not exposed and not foreign:
        yield ok("modes", f"all {len(entries)} entries are private")


def sandbox(data: Path, *, expects: bool) -> Iterator[Finding]:
    """Compares the directory's marker with the setting."""
    is_marked = (data / _MARKER).is_file()
    if is_marked and not expects:
        yield fail(
            "sandbox",
            "the directory belongs to a sandbox, and WUTS_SANDBOX is not set",
            "use another directory for real devices; never remove the marker",
        )
    elif expects and not is_marked:
        yield fail(
            "sandbox",
            "WUTS_SANDBOX is set, and the directory does not belong to a sandbox",
            "unset WUTS_SANDBOX: a sandbox would delete real devices",
        )
    else:
        yield ok("sandbox", "a sandbox" if is_marked else "none, real devices")


def key(data: Path, *, size: int) -> Iterator[Finding]:
    """Checks the key for page tokens."""
    path = data / "page_token.key"
    if not path.exists():
        yield ok("page-token key", "not made yet; the service makes it")
    elif path.stat().st_size != size:
        message = f"{path.stat().st_size} bytes instead of {size}"
        yield fail("page-token key", message, f"remove {path}; the service makes another")
    else:
        yield ok("page-token key", f"{size} bytes")


def _entries(data: Path) -> Iterator[tuple[Path, os.stat_result]]:
    yield data, data.stat()
    for entry in data.rglob("*"):
        try:
            status = entry.lstat()
        except FileNotFoundError:
            continue  # the service runs
        if not stat.S_ISLNK(status.st_mode):
            yield entry, status


def _named(paths: list[Path]) -> str:
    return str(paths[0]) if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1} more"
