"""Checks of the engine's build, from its files: nothing is loaded."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from wuts.adapters.doctor.findings import fail, ok
from wuts.session.root_key import RootKeyError, locate_in_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wuts.adapters.doctor.findings import Finding

_REMEDY = "install wuts again with its locked dependencies (`make install`)"


def engine() -> Iterator[Finding]:
    """Checks that the engine is the pinned build, and trusts WhatsApp and nobody else."""
    try:
        found = metadata.distribution("neonize")
    except metadata.PackageNotFoundError:
        yield fail("engine", "neonize is not installed", _REMEDY)
        return
    pinned = _pinned()
    if found.version != pinned:
        message = f"neonize {found.version} is installed; this release is made for {pinned}"
        yield fail("engine", message, _REMEDY)
        return
    libraries = [Path(str(f.locate())) for f in found.files or () if f.suffix == ".so"]
    if len(libraries) != 1:
        yield fail("engine", f"neonize {pinned} has no library for this machine", _REMEDY)
        return
    try:
        locate_in_file(libraries[0].read_bytes())
    except RootKeyError as error:
        yield fail("engine", f"neonize {pinned}: {error}", _REMEDY)
    else:
        yield ok("engine", f"neonize {pinned}, genuine root key")


def _pinned() -> str:
    """Reads which build this release was verified with."""
    requirements = " ".join(metadata.requires("wuts") or ())
    match = re.search(r"neonize==([0-9.]+)", requirements)
    return match[1] if match else ""
