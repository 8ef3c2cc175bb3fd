"""The form of a backup: a tar of known names, and a manifest as its last member."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import IO

MANIFEST = "manifest.json"
REGISTRY = "registry.db"
KEY = "page_token.key"
SANDBOX_MARKER = ".wuts-sandbox"
"""Tells that the stores belong to a sandbox; without it they could reach WhatsApp."""

CHUNK = 1 << 20
LONGEST_MANIFEST = 16 << 20

_DEVICE = r"[A-Za-z0-9][A-Za-z0-9-]{0,63}"
_NAME = rf"(registry\.db|page_token\.key|\.wuts-sandbox|devices/{_DEVICE}/store\.db)"


class BackupError(Exception):
    """It cannot be saved or restored; the message is one line for the operator."""


class Entry(BaseModel):
    """One file of a backup."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=f"^{_NAME}$")
    size: int = Field(ge=0)
    """Bytes."""
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    schema_version: int | None = None
    """The schema of a database; absent for other files and for empty stores."""


class LeftOut(BaseModel):
    """A store that could not be read, and why, in one word."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    reason: str


class Manifest(BaseModel):
    """What a backup holds, and what made it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    made_at: str
    """RFC 3339."""
    wuts: str
    """The release that made it."""
    engine: str
    """The engine beside it, such as "neonize 0.5.2"."""
    files: list[Entry]
    left_out: list[LeftOut] = []

    @property
    def devices(self) -> int:
        """The number of stores."""
        return sum(is_store(entry.name) for entry in self.files)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(entry.size for entry in self.files)


def is_store(name: str) -> bool:
    """Tells a device's store by its name."""
    return name.startswith("devices/")


def is_device_directory(name: str) -> bool:
    """Tells whether a directory's name can be a device's id."""
    return re.fullmatch(_DEVICE, name) is not None


def digest_of(source: IO[bytes], take: Callable[[bytes], object]) -> str:
    """Gives the SHA-256 of all that is left to read, and hands each part on."""
    digest = hashlib.sha256()
    while part := source.read(CHUNK):
        digest.update(part)
        take(part)
    return digest.hexdigest()
