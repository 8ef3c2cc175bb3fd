"""What is known of a device: its record, and what its connection is doing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from wuts.domain.caller import DeviceId
    from wuts.domain.jid import Jid
    from wuts.domain.state import DeviceState


@dataclass(frozen=True, slots=True)
class DeviceRecord:
    """A device as the registry keeps it; `account` is None until it is linked."""

    id: DeviceId
    tenant: str
    user: str
    name: str
    account: Jid | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """What the connection of a device is doing.

    `reason` is one upper-case word, empty when there is nothing to say; times
    are in UTC and None when there is none.
    """

    state: DeviceState
    since: datetime
    reason: str = ""
    next_retry_at: datetime | None = None
    banned_until: datetime | None = None
    last_connected: datetime | None = None


@dataclass(frozen=True, slots=True)
class QrCode:
    """A QR code being shown while a device is linked."""

    text: str
    made_at: datetime
    expires_at: datetime
    cached: bool = False


@dataclass(frozen=True, slots=True)
class PairCode:
    """A code to type into the phone, such as "ABCD-1234"; `phone` is a PN JID."""

    code: str
    phone: Jid
    expires_at: datetime
    cached: bool = False
