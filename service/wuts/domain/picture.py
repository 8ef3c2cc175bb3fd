"""Profile pictures as WhatsApp describes them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

_EXPIRY = re.compile(r"[?&]oe=([0-9A-Fa-f]{1,8})(?:[&#]|$)")
# Seconds since 1970 in hexadecimal digits.


@dataclass(frozen=True, slots=True)
class Picture:
    """Where a picture can be fetched.

    `kind` is "preview" or "image"; `url` expires after a day or two.
    """

    url: str
    id: str
    kind: str
    direct_path: str

    @property
    def expires_at(self) -> datetime | None:
        """When the address ends, as far as it tells."""
        found = _EXPIRY.search(self.url)
        return datetime.fromtimestamp(int(found[1], 16), UTC) if found else None


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The picture still is the one that the caller holds."""

    id: str
