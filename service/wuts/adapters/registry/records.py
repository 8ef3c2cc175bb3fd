"""What the registry keeps, one class for each table that is listed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wuts.adapters.registry.database import RegistryError

if TYPE_CHECKING:
    from datetime import datetime

    from wuts.domain.caller import DeviceId, Role

_HANDLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
# A device's id becomes the name of its directory.
_DEVICE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")


@dataclass(frozen=True, slots=True)
class User:
    """A user, named by its handle within a tenant."""

    tenant: str
    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """All that is known of a token; never the token."""

    id: str
    """Eight hexadecimal digits, random."""
    tenant: str
    user: str
    device: DeviceId | None
    """The device it is bound to, if any."""
    created_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token just made: the only moment its text exists."""

    id: str
    token: str
    """A UUID of version 4, in lower case."""


def require_handle(text: str, what: str) -> str:
    """Gives the text back when it can name a tenant or a user; raises RegistryError."""
    if not _HANDLE.fullmatch(text):
        message = f"a {what} is named by 1 to 64 of A-Z a-z 0-9 . _ - and starts with none of . _ -"
        raise RegistryError(message)
    return text


def require_device_id(text: str) -> str:
    """Gives the text back when it can be a device's id; raises RegistryError."""
    if not _DEVICE_ID.fullmatch(text):
        message = "a device id is 1 to 64 letters, digits and dashes, and starts with no dash"
        raise RegistryError(message)
    return text
