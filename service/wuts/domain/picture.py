"""Profile pictures as WhatsApp describes them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Picture:
    """Where a picture can be fetched.

    `kind` is "preview" or "image"; `url` expires after a day or two.
    """

    url: str
    id: str
    kind: str
    direct_path: str


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The picture still is the one that the caller holds."""

    id: str
