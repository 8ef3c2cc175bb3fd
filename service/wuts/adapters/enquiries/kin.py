"""Forgets pictures under a person's other JID, too, when an event names only one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import TYPE_CHECKING, Final

from wuts.domain.caller import DeviceId
from wuts.domain.errors import DomainError
from wuts.domain.jid import Jid

if TYPE_CHECKING:
    from wuts.adapters.enquiries.desk import Desk

KinOf = Callable[[DeviceId, Collection[Jid]], Awaitable[Collection[Jid]]]
"""Gives the other JIDs of people, as far as they are known; may raise a DomainError."""

_MOST: Final = 10_000


class Kin:
    """Follows the events of all devices; for each one look-up at a time is under way."""

    def __init__(self, kin_of: KinOf | None) -> None:
        self._kin_of = kin_of
        self._wanted: dict[DeviceId, set[Jid]] = {}
        self._errands: dict[DeviceId, asyncio.Task[None]] = {}

    def follow(self, device: DeviceId, desk: Desk, chat: Jid) -> None:
        """Has the pictures forgotten of whoever else this chat is."""
        if self._kin_of is None:
            return
        wanted = self._wanted.setdefault(device, set())
        if len(wanted) < _MOST:
            wanted.add(chat)
        errand = self._errands.get(device)
        if errand is None or errand.done():
            self._errands[device] = asyncio.create_task(self._run(device, desk, self._kin_of))

    def forget(self, device: DeviceId) -> None:
        """Lets go of a device that is removed."""
        self._wanted.pop(device, None)
        errand = self._errands.pop(device, None)
        if errand is not None:
            errand.cancel()

    async def close(self) -> None:
        """Ends all look-ups."""
        errands = tuple(self._errands.values())
        for errand in errands:
            errand.cancel()
        await asyncio.gather(*errands, return_exceptions=True)

    async def _run(self, device: DeviceId, desk: Desk, kin_of: KinOf) -> None:
        await desk.record.loaded()
        while chats := self._wanted.pop(device, None):
            if desk.pictures.memory.is_empty:
                continue
            try:
                others = await kin_of(device, chats)
            except DomainError:
                continue
            for other in others:
                desk.forget_picture(other)
