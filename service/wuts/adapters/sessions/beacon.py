"""A signal that wakes everyone who waits for a change."""

from __future__ import annotations

import asyncio


class Beacon:
    """Wakes all that wait now; whoever waits later waits for the next flash."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    async def wait(self) -> None:
        """Waits for the next flash."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(waiter)
        try:
            await waiter
        finally:
            self._waiting.discard(waiter)

    def flash(self) -> None:
        """Wakes everyone who waits."""
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)
