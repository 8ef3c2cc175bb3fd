"""ready.json: how everyone else finds a running sandbox."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class ReadyFile:
    """Writes, refreshes and removes the file (mode 0600, by rename)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written: dict[str, Any] | None = None

    def write(self, content: dict[str, Any]) -> None:
        """Puts the content in place at once and whole, if it is new."""
        if content == self._written:
            return
        handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=".ready-")
        with os.fdopen(handle, "w") as file:
            json.dump(content, file, indent=2)
            file.write("\n")
        Path(name).replace(self._path)
        self._written = content

    def remove(self) -> None:
        """Removes the file, if it is there."""
        self._path.unlink(missing_ok=True)
        self._written = None


def session_pids(data: Path, devices: Iterable[str]) -> Mapping[str, int]:
    """Reads the pids of the session processes that live, from their lock files."""
    found = {}
    for device in devices:
        try:
            pid = int((data / "devices" / device / "session.lock").read_text())
            os.kill(pid, 0)
        except (OSError, ValueError):
            # No process yet, or none any more.
            continue
        found[device] = pid
    return found


def launcher_of(path: Path) -> int | None:
    """Reads which launcher wrote a ready file; None when there is none to read."""
    try:
        return int(json.loads(path.read_text())["pids"]["launcher"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def is_launcher(pid: int) -> bool:
    """Tells whether that process runs a sandbox: a pid may have gone to another one since."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return b"wuts-sandbox" in command or b"wuts_sandbox" in command
