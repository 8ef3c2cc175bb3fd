"""Hears of temporary bans, also while nobody asks anything."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from wuts.domain.errors import DomainError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from wuts.domain.caller import DeviceId
    from wuts.ports import LiveSessions


class Bans:
    """Watches devices; `note` is told the end of each ban, perhaps more than once."""

    def __init__(
        self, sessions: LiveSessions, note: Callable[[DeviceId, datetime], Awaitable[None]]
    ) -> None:
        self._sessions = sessions
        self._note = note
        self._watches: dict[DeviceId, asyncio.Task[None]] = {}

    def watch(self, device: DeviceId) -> None:
        """Watches a device from now on, until it is forgotten."""
        watch = self._watches.get(device)
        if watch is None or watch.done():
            self._watches[device] = asyncio.create_task(self._watch(device))

    async def forget(self, device: DeviceId) -> None:
        """Watches a device no more."""
        watch = self._watches.pop(device, None)
        if watch is not None:
            watch.cancel()
            await asyncio.wait({watch})

    async def close(self) -> None:
        """Ends all watching."""
        for device in tuple(self._watches):
            await self.forget(device)

    async def _watch(self, device: DeviceId) -> None:
        try:
            async with aclosing(self._sessions.watch(device)) as statuses:
                async for status in statuses:
                    if status.banned_until is not None:
                        await self._note(device, status.banned_until)
        except DomainError:
            return  # the device is removed, or the service stops
