"""Every bound and every wait of the live sessions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long and how many; seconds unless the name says otherwise."""

    call_seconds: float = 10.0
    """One call, all waits included; below the gateway's own deadline."""
    connected_wait_seconds: float = 2.0
    """How much of it may pass until the device is connected."""
    calls_under_way: int = 16
    """Calls that one device's process works on; as many as it has threads."""
    calls_waiting: int = 256
    """Callers of one device that wait for their turn; one more is turned away."""
    busy_retry_seconds: int = 1
    """What a caller who is turned away is told to wait."""
    rate_limit_seconds: int = 60
    """What a caller is told to wait when WhatsApp asks to slow down."""

    starts_at_once: int = 4
    """Processes that load the engine at one time."""
    hello_seconds: float = 20.0
    """From the start of a process to its first message; five may go to the store's lock."""
    connect_seconds: float = 30.0
    """How long a linked device may be without a connection before its process is replaced."""
    stop_seconds: float = 3.0
    """From asking a process to stop to killing it."""

    first_retry_seconds: float = 0.5
    """The pause after a first failure; each further one doubles it."""
    retry_cap_seconds: float = 60.0
    """The longest such pause."""
    crash_deaths: int = 5
    """So many deaths within `crash_window_seconds` are a crash loop."""
    crash_window_seconds: float = 120.0
    slow_retry_seconds: float = 120.0
    """The pause in a crash loop, and while the store cannot be opened."""
    ban_seconds: float = 3600.0
    """How long a ban is believed to last that names no end."""
    ban_cap_seconds: float = 30 * 86400.0
    """The longest ban that is waited for."""

    link_seconds: float = 180.0
    """From the first QR code to the connected device; WhatsApp's codes end a little sooner."""
    abandoned_link_seconds: float = 5.0
    """How long linking goes on when nobody watches."""
    account_seconds: float = 5.0
    """Reading and recording the account of a device just linked."""
