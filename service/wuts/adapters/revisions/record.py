"""A device's revision on disk: a number that grows with each change of its list."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

NAME = "revision.json"
"""The file in the device's directory; the service's own, never whatsmeow's."""

_FORMAT = 1
_MAX_BYTES = 4096


def renew(directory: Path, content: str) -> tuple[int, bool]:
    """Gives the number of this content, and whether it is a new one.

    The file (0600) is replaced whole. One that cannot be understood is started
    over, at 1. Raises OSError when it cannot be written, or the directory is
    gone.
    """
    path = directory / NAME
    number, known = _read(path)
    if known == content:
        return number, False
    _write(path, {"format": _FORMAT, "revision": number + 1, "content": content})
    return number + 1, True


def _read(path: Path) -> tuple[int, str]:
    try:
        with path.open("rb") as file:
            told = json.loads(file.read(_MAX_BYTES))
        if told["format"] == _FORMAT:
            return max(0, int(told["revision"])), str(told["content"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0, ""
    return 0, ""


def _write(path: Path, told: dict[str, object]) -> None:
    fresh = path.with_suffix(".new")
    with suppress(FileNotFoundError):
        fresh.unlink()
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(told, file)
        file.flush()
        os.fsync(handle)
    fresh.replace(path)
