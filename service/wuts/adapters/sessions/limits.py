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
    """The pause in a crash loop."""
    store_retry_seconds: float = 30.0
    """The pause while the store cannot be opened or written."""
    ban_seconds: float = 3600.0
    """How long a ban is believed to last that names no end."""
    ban_cap_seconds: float = 30 * 86400.0
    """The longest ban that is waited for."""

    link_seconds: float = 180.0
    """From the first QR code to the connected device; WhatsApp's codes end a little sooner."""
    first_code_seconds: int = 60
    """How long the first QR code of a process is valid."""
    code_seconds: int = 20
    """How long each further one is."""
    codes_seconds: float = 160.0
    """From the first QR code to the end of the last, and with it of pair codes."""
    code_wait_seconds: float = 12.0
    """How long a caller waits for a code; below the gateway's own deadline."""
    abandoned_link_seconds: float = 5.0
    """How long linking goes on when nobody watches."""
    account_seconds: float = 5.0
    """Reading and recording the account of a device just linked."""
    first_sync_seconds: float = 60.0
    """How long a device counts as syncing when its store does not say that it is done."""
    sync_poll_seconds: float = 0.5
    """The pause between two looks into the store meanwhile."""
    connect_wait_seconds: float = 8.0
    """How long a request to connect waits for the connection."""

    look_seconds: float = 10.0
    """The pause between two looks at what the processes use."""
    memory_bytes: int = 512 * 1024 * 1024
    """A process that holds more is replaced as soon as no caller waits for it."""
    descriptors: int = 256
    """The same for open files."""
    abandoned_calls: int = 8
    """The same for calls whose caller has gone; each keeps a thread of the process busy."""
    recycle_rest_seconds: float = 60.0
    """A process younger than this is not replaced: it would be no better."""
