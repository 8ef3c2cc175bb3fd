"""Callers with the same question share one."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from wuts.domain.errors import ServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Hashable

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Holds the questions under way, each a task of its own.

    A caller who leaves ends nothing: the question is paid for, and its answer
    will be remembered. Each question has a deadline of its own.
    """

    def __init__(self, on_joined: Callable[[], None] | None = None) -> None:
        """Takes what is called for each question that need not be asked again."""
        self._on_joined = on_joined
        self._tasks: dict[Hashable, asyncio.Task[T]] = {}

    def begin(self, key: Hashable, ask: Callable[[], Coroutine[Any, Any, T]]) -> asyncio.Task[T]:
        """Gives the task of the question under way, or begins it."""
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.create_task(ask())
            task.add_done_callback(partial(self._land, key))
        elif self._on_joined is not None:
            self._on_joined()
        return task

    async def share(self, key: Hashable, ask: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Gives the answer to the question under way, or asks it."""
        return await outcome(self.begin(key, ask))

    async def close(self) -> None:
        """Ends all questions; those who wait are told ServiceUnavailable."""
        tasks = tuple(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _land(self, key: Hashable, task: asyncio.Task[T]) -> None:
        if self._tasks.get(key) is task:
            del self._tasks[key]
        if not task.cancelled():
            task.exception()  # everyone who waited may have left


async def outcome(task: asyncio.Task[T]) -> T:
    """Waits for a shared task without ever cancelling it."""
    if not task.done():
        await asyncio.wait({task})
    if task.cancelled():
        raise ServiceUnavailable
    return task.result()
