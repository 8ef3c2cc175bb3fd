"""Finds out when a device's first sync is finished."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from wuts.domain.errors import DomainError

if TYPE_CHECKING:
    from collections.abc import Callable

    from wuts.adapters.sessions.surroundings import Surroundings
    from wuts.domain.caller import DeviceId

_LOG = structlog.get_logger(__name__)


class FirstSync:
    """Asks the store again and again while the device is connected.

    `on_done` is called once, when the sync is finished or has had its time. A
    new link starts over.
    """

    def __init__(self, around: Surroundings, device: DeviceId, on_done: Callable[[], None]) -> None:
        self._around = around
        self._device = device
        self._on_done = on_done
        self._task: asyncio.Task[None] | None = None
        self.is_done = around.is_synced is None

    def start(self) -> None:
        """Begins to ask, unless it is known already or being asked."""
        if not self.is_done and self._task is None:
            self._task = asyncio.create_task(self._follow())

    def pause(self) -> None:
        """Stops asking; the connection is gone."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()

    def start_over(self) -> None:
        """Forgets what is known: the device was linked anew."""
        self.pause()
        self.is_done = self._around.is_synced is None

    async def _follow(self) -> None:
        limits = self._around.limits
        try:
            async with asyncio.timeout(limits.first_sync_seconds):
                while not await self._is_synced():  # noqa: ASYNC110 # no event tells of it
                    await asyncio.sleep(limits.sync_poll_seconds)
        except TimeoutError:
            _LOG.warning("first sync is not finished", device=self._device)
        self.is_done, self._task = True, None
        self._on_done()

    async def _is_synced(self) -> bool:
        if self._around.is_synced is None:
            return True
        try:
            return await self._around.is_synced(self._device)
        except DomainError:
            return False
        except Exception as error:  # noqa: BLE001 # the device must not be left syncing for ever
            _LOG.error(
                "first sync cannot be checked", device=self._device, error=type(error).__name__
            )  # texts hold paths
            return False
