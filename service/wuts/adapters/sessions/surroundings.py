"""What all live sessions of a service share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from wuts.domain.caller import DeviceId
from wuts.domain.jid import Jid
from wuts.instruments import SILENT, Instruments

if TYPE_CHECKING:
    import asyncio
    from pathlib import Path

    from wuts.adapters.sessions.changes import Changes
    from wuts.adapters.sessions.limits import Limits

AccountOf = Callable[[DeviceId], Awaitable[Jid]]
"""Reads the account of a device that was just linked; may raise a DomainError."""

OnLinked = Callable[[DeviceId, Jid], Awaitable[None]]
"""Records that a device is linked; may be told so again."""

OnLoggedOut = Callable[[DeviceId], Awaitable[None]]
"""Is told that WhatsApp has ended a device's link."""


IsSynced = Callable[[DeviceId], Awaitable[bool]]
"""Reads whether a device's first sync is finished; may raise a DomainError."""

Clock = Callable[[], datetime]
"""Tells the time of day in UTC."""


@dataclass(frozen=True, slots=True)
class Tallies:
    """What has happened since the service started; numbers only grow."""

    starts: Counter[str] = field(default_factory=Counter)
    """Processes that were started, under "started" or "failed"."""
    ends: Counter[str] = field(default_factory=Counter)
    """Ends of processes, under how they came about."""
    restarts: Counter[str] = field(default_factory=Counter)
    """Ends after which another process is started, under the same."""
    calls: Counter[str] = field(default_factory=Counter)
    """Calls, under "OK" or the name of the error."""
    lines: Counter[str] = field(default_factory=Counter)
    """Lines of output, under their level."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Settings and shared bounds; the same object for every device."""

    devices_directory: Path
    command: Sequence[str]
    sandbox: bool
    session_log: bool
    limits: Limits
    account_of: AccountOf
    on_linked: OnLinked
    on_logged_out: OnLoggedOut
    is_synced: IsSynced | None
    clock: Clock
    starting: asyncio.Semaphore
    """Held by a process until its first message."""
    tallies: Tallies
    changes: Changes
    instruments: Instruments = SILENT
