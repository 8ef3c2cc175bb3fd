"""When a run is told to stop."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_POLL = 0.25


def stop_on_signals() -> asyncio.Event:
    """Gives an event that each stop signal sets, also one inherited as ignored."""
    stop = asyncio.Event()
    for number in STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def follow_make(stop: asyncio.Event) -> None:
    """Sets the event when make, our parent, was told to stop and did not tell us.

    GNU make hands on SIGTERM only. After SIGINT or SIGHUP it waits for its
    child with that signal's handler taken down, and that can be seen.
    """
    make = os.getppid()
    if _name(make) != "make":
        return
    caught = _caught(make)
    while _caught(make) & caught == caught:  # noqa: ASYNC110  # another process sets no event
        await asyncio.sleep(_POLL)
    stop.set()


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def _caught(pid: int) -> int:
    """The stop signals that a process has handlers for, as a bit mask; 0 when it is gone."""
    wanted = sum(1 << (number - 1) for number in STOP_SIGNALS)
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    lines = (line.split() for line in status.splitlines() if line.startswith("SigCgt:"))
    return next((int(mask, 16) & wanted for _, mask in lines), 0)
