"""Runs the real supervision over stand-in processes, with short waits."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from session.stand_in import Behaviour, write_behaviour
from wuts.adapters.sessions.limits import Limits
from wuts.adapters.sessions.sessions import Sessions
from wuts.domain.caller import DeviceId
from wuts.domain.jid import Jid, pn_jid
from wuts.domain.state import DeviceState

if TYPE_CHECKING:
    import signal
    from collections.abc import AsyncIterator, Callable

A = DeviceId("device-a")
B = DeviceId("device-b")
ACCOUNT = pn_jid("5511900000000")

STAND_IN = (sys.executable, str(Path(__file__).with_name("stand_in.py")))

FAST = Limits(
    call_seconds=1.0,
    connected_wait_seconds=0.3,
    connect_seconds=0.6,
    stop_seconds=0.5,
    first_retry_seconds=0.01,
    retry_cap_seconds=0.05,
    slow_retry_seconds=60.0,
    abandoned_link_seconds=0.1,
    sync_poll_seconds=0.02,
    store_retry_seconds=60.0,
)

_LIMIT_SECONDS = 10.0
_POLL_SECONDS = 0.01


async def eventually(condition: Callable[[], bool], *, limit: float = _LIMIT_SECONDS) -> bool:
    """Tells whether a condition comes true within the limit."""
    try:
        async with asyncio.timeout(limit):
            while not condition():  # processes set no asyncio.Event
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError:
        return False
    return True


def is_alive(pid: int) -> bool:
    """Tells whether a process exists that is no zombie."""
    try:
        return b") Z " not in Path(f"/proc/{pid}/stat").read_bytes()
    except FileNotFoundError:
        return False


@dataclass
class Watch:
    """Sessions under test, and what they reported."""

    directory: Path
    sessions: Sessions = field(init=False)
    linked: list[tuple[DeviceId, Jid]] = field(default_factory=list)
    logged_out: list[DeviceId] = field(default_factory=list)
    is_first_sync_done: bool = True
    clock_ahead: timedelta = timedelta()

    async def account_of(self, _: DeviceId) -> Jid:
        """Gives every device the same account."""
        return ACCOUNT

    async def on_linked(self, device: DeviceId, account: Jid) -> None:
        """Notes the report."""
        self.linked.append((device, account))

    async def on_logged_out(self, device: DeviceId) -> None:
        """Notes the report."""
        self.logged_out.append(device)

    async def is_synced(self, _: DeviceId) -> bool:
        """Says what the test wants of the first sync."""
        return self.is_first_sync_done

    def clock(self) -> datetime:
        """Tells the time of day, or the one that the test wants."""
        return datetime.now(UTC) + self.clock_ahead

    def behave(self, *behaviours: Behaviour, device: DeviceId = A) -> None:
        """Says how a device's next processes behave."""
        write_behaviour(self.directory / device, *behaviours)

    async def connect(self, *devices: DeviceId) -> None:
        """Starts devices and waits until they are connected."""
        self.sessions.start(devices)
        for device in devices:
            assert await self.reaches(DeviceState.CONNECTED, device)

    async def reaches(self, state: DeviceState, device: DeviceId = A) -> bool:
        """Waits for a state."""
        return await eventually(lambda: self.sessions.state(device) == state)

    def signal(self, number: signal.Signals, device: DeviceId = A) -> None:
        """Sends a signal to a device's process."""
        os.kill(self.sessions.pids()[device], number)


@asynccontextmanager
async def watching(
    directory: Path,
    *behaviours: Behaviour,
    limits: Limits = FAST,
    command: tuple[str, ...] = STAND_IN,
    session_log: bool = False,
    kind: type[Watch] = Watch,
) -> AsyncIterator[Watch]:
    """Runs sessions for the length of a test."""
    watch = kind(directory)
    if command == STAND_IN:
        watch.behave(*(behaviours or (Behaviour(),)))
    watch.sessions = Sessions(
        directory,
        command=command,
        sandbox=True,
        session_log=session_log,
        limits=limits,
        account_of=watch.account_of,
        on_linked=watch.on_linked,
        on_logged_out=watch.on_logged_out,
        is_synced=watch.is_synced,
        clock=watch.clock,
    )
    try:
        yield watch
    finally:
        await watch.sessions.stop()
