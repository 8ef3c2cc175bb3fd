"""The states of a device's connection to WhatsApp."""

from __future__ import annotations

from enum import StrEnum


class DeviceState(StrEnum):
    """What the connection of a device is doing."""

    NEW = "NEW"
    """Never linked."""
    LINKING = "LINKING"
    """Showing QR codes."""
    CONNECTING = "CONNECTING"
    """Linked; the first connection of this run is being made."""
    CONNECTED = "CONNECTED"
    """Connected and logged in."""
    RECONNECTING = "RECONNECTING"
    """The connection or its process was lost and is being restored."""
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
