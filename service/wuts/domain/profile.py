"""What people tell of themselves."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UserInfo:
    """WhatsApp's word on one person; an empty text means not told.

    `devices` are printed JIDs, the phone first; `lid` holds digits.
    """

    status: str = ""
    picture_id: str = ""
    devices: tuple[str, ...] = ()
    lid: str = ""
