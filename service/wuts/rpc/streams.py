"""Streams that have no end of their own."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, TypeVar

from wuts.domain.errors import ServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

T = TypeVar("T")


async def until(stopping: asyncio.Event, items: AsyncGenerator[T]) -> AsyncGenerator[T]:
    """Passes items on; raises ServiceUnavailable as soon as `stopping` is set."""
    end = asyncio.create_task(stopping.wait())
    async with aclosing(items):
        try:
            while (item := await _next_or_end(items, end)) is not None:
                yield item
        finally:
            end.cancel()


async def _next_or_end(items: AsyncGenerator[T], end: asyncio.Task[bool]) -> T | None:
    """Gives the next item, None after the last one."""
    following = asyncio.create_task(_next(items))
    try:
        await asyncio.wait({following, end}, return_when=asyncio.FIRST_COMPLETED)
        if not following.done():
            raise ServiceUnavailable
        return following.result()
    finally:
        # Whoever closes the generator next must find it at rest.
        following.cancel()
        await asyncio.wait({following})


async def _next(items: AsyncGenerator[T]) -> T | None:
    return await anext(items, None)
