"""What DevicesService answers, as frozen dataclasses. Times are in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003  # read at run time: the fields' types say how to convert


@dataclass(frozen=True, slots=True)
class Device:
    """One device of a user."""

    id: str
    user_id: str
    name: str
    """What people call it; empty when never named."""
    whatsapp_jid: str | None
    """The PN JID of its account; None until it is linked."""
    connected: bool
    last_seen: datetime | None
    """When it was last connected; None when not since the service started."""
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class QrCode:
    """A QR code as text, for a phone to scan."""

    text: str
    ttl: int
    """Seconds for which it is expected to be valid."""


@dataclass(frozen=True, slots=True)
class QrCodeImage:
    """A QR code as text and as an image."""

    qr_code: str
    """The text of the code."""
    image: str
    """"data:image/png;base64," and the PNG."""
    cached: bool
    """Whether the code was given before."""
    expires_at: datetime
    ttl: int
    """Seconds until then."""


@dataclass(frozen=True, slots=True)
class QrStatus:
    """Whether a valid QR code is there."""

    exists: bool
    generated_at: datetime | None


@dataclass(frozen=True, slots=True)
class PairCode:
    """A code to type into the phone."""

    code: str
    """Such as "ABCD-1234"."""
    phone: str
    expires_in: int
    """Seconds until it stops being valid."""
    cached: bool
    """Whether the code was given before."""
    instructions: str


@dataclass(frozen=True, slots=True)
class Linked:
    """The device is linked and connected."""

    jid: str
    """The PN JID of the account."""


@dataclass(frozen=True, slots=True)
class LinkStep:
    """One step of linking; exactly one of the last three is there."""

    device_id: str
    qr_code: QrCode | None
    """A new code to show; it replaces the one before."""
    pair_code: PairCode | None
    linked: Linked | None
    """The end of linking."""


@dataclass(frozen=True, slots=True)
class Connection:
    """Whether a device is connected now."""

    status: str
    """"connected", "connecting" or "needs_qr"."""
    device_id: str
    needs_qr: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was done to a device."""

    message: str
    device_id: str


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """The state of a device as `GET /status` tells it."""

    connected: bool
    status: str
    """The state in lower case, such as "connected" or "new"."""
    device_id: str
    """Empty when the user has no device."""
    jid: str | None
    phone_number: str | None
    is_logged_in: bool
    last_seen: datetime | None
    since: datetime | None
    reason: str | None
    next_retry_at: datetime | None
    banned_until: datetime | None


@dataclass(frozen=True, slots=True)
class DeviceState:
    """The state of a device, as `watch_device` reports it."""

    device_id: str
    state: str
    """Such as "CONNECTED", "RECONNECTING" or "LOGGED_OUT"."""
    since: datetime
    reason: str | None
    """Why, one word; None when there is nothing to say."""
    next_retry_at: datetime | None
    banned_until: datetime | None
