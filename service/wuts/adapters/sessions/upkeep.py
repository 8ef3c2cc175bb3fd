"""Watches what the session processes use, and replaces those that have grown too large."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from wuts.adapters.sessions.ends import End, How
from wuts.domain.state import SERVING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wuts.adapters.sessions.device import DeviceSession
    from wuts.adapters.sessions.life import Life
    from wuts.adapters.sessions.surroundings import Surroundings
    from wuts.domain.caller import DeviceId

_LOG = structlog.get_logger(__name__)
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")


async def keep_up(
    around: Surroundings, sessions: Callable[[], Mapping[DeviceId, DeviceSession]]
) -> None:
    """Looks at all processes again and again, until cancelled."""
    while True:
        await asyncio.sleep(around.limits.look_seconds)
        for device, session in tuple(sessions().items()):
            life = session.life
            if life is not None and session.state in SERVING:
                _look(around, device, life)


def _look(around: Surroundings, device: DeviceId, life: Life) -> None:
    limits = around.limits
    excess = {
        "bytes": (memory(life.pid), limits.memory_bytes),
        "descriptors": (descriptors(life.pid), limits.descriptors),
        "abandoned": (life.calls.abandoned, limits.abandoned_calls),
    }
    over = {name: used for name, (used, bound) in excess.items() if used > bound}
    if over and life.age >= limits.recycle_rest_seconds:
        _LOG.warning("session is recycled when idle", device=device, **over)
        life.calls.when_idle(lambda: life.finish(End(How.RECYCLED)))


def memory(pid: int | None) -> int:
    """Gives the bytes that a process holds in memory; 0 when it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES
    except (OSError, IndexError):
        return 0


def descriptors(pid: int | None) -> int:
    """Gives the number of a process's open files; 0 when it is gone."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208 # only their number is wanted
    except OSError:
        return 0
