"""The states of a device's connection to WhatsApp."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class DeviceState(StrEnum):
    """What the connection of a device is doing."""

    NEW = "NEW"
    """Never linked."""
    LINKING = "LINKING"
    """Showing QR codes."""
    CONNECTING = "CONNECTING"
    """Linked; the first connection of this run is being made."""
    SYNCING = "SYNCING"
    """Linked and connected; the first sync is not finished."""
    CONNECTED = "CONNECTED"
    """Connected and logged in."""
    RECONNECTING = "RECONNECTING"
    """The connection or its process was lost and is being restored."""
    DISCONNECTED = "DISCONNECTED"
    """Disconnected by request; the credentials are kept."""
    LOGGED_OUT = "LOGGED_OUT"
    """WhatsApp has ended the link; the device must be linked again."""
    REPLACED = "REPLACED"
    """Another session took this device's place."""
    BANNED = "BANNED"
    """WhatsApp has banned the account for a time."""
    OUTDATED = "OUTDATED"
    """WhatsApp refuses this version of the engine."""
    CRASH_LOOP = "CRASH_LOOP"
    """The session process keeps dying; retries are slow now."""
    STORE_REFUSED = "STORE_REFUSED"
    """The store has a schema that this release does not know, or cannot be read."""


SERVING: Final = frozenset({DeviceState.SYNCING, DeviceState.CONNECTED})
"""States in which calls are served."""


class Reason(StrEnum):
    """Why a device is in its state."""

    PROCESS_DIED = "PROCESS_DIED"
    """Its process ended unasked."""
    CONNECTION_LOST = "CONNECTION_LOST"
    """WhatsApp, or the network, ended the connection."""
    NO_ANSWER = "NO_ANSWER"
    """Nothing was heard in time: a deadline of our own, or a keep-alive unanswered."""
    CANNOT_CONNECT = "CANNOT_CONNECT"
    """WhatsApp cannot be reached."""
    LOGIN_REFUSED = "LOGIN_REFUSED"
    """WhatsApp refused the login for a reason that may pass."""
    QR_TIMEOUT = "QR_TIMEOUT"
    """Nobody scanned or typed a code in time."""
    PAIRING_REFUSED = "PAIRING_REFUSED"
    """A code was scanned or typed, and the pairing failed."""
    REMOVED_FROM_PHONE = "REMOVED_FROM_PHONE"
    """WhatsApp ended the link: removed on the phone, or the account is gone."""
    LOGGED_OUT_BY_REQUEST = "LOGGED_OUT_BY_REQUEST"
    DISCONNECTED_BY_REQUEST = "DISCONNECTED_BY_REQUEST"
    REPLACED = "REPLACED"
    """Another session logged in with the same credentials."""
    BANNED = "BANNED"
    OUTDATED = "OUTDATED"
    STORE_BUSY = "STORE_BUSY"
    """Another process holds the store."""
    STORE_REFUSED = "STORE_REFUSED"
    """The store cannot be opened or written, or its schema is not known."""
    STORE_CORRUPT = "STORE_CORRUPT"
    """The store is damaged; it is left as it is."""
    DISK_FULL = "DISK_FULL"
    """There is no room to write the store."""
    WRONG_ENGINE = "WRONG_ENGINE"
    """A sandbox's engine in earnest, or a real one in a sandbox."""
    RECYCLED = "RECYCLED"
    """Its process had grown too large and is being replaced."""
