"""Streams: those without an end of their own, and those whose reader may be slow."""

from __future__ import annotations

import asyncio
import time
import traceback
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from grpc import aio

from wuts.domain.errors import CallTimeout, ServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from wuts.rpc.load import Load

T = TypeVar("T")

_LONGEST_REST = 0.1
# Seconds; a store that was locked for a while is no reason to wait as long again.


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


async def first_of(items: AsyncGenerator[T]) -> AsyncGenerator[T]:
    """Passes on the first item only."""
    async with aclosing(items):
        async for item in items:
            yield item
            return


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a stream may take that has an end, in seconds."""

    stalled: float = 60.0
    """For one message that its reader does not take."""
    whole: float = 600.0
    """In all."""


async def send(
    items: AsyncGenerator[T],
    context: aio.ServicerContext[Any, T],
    *,
    patience: Patience,
    load: Load,
) -> None:
    """Sends items as fast as they are taken, the next one made only then.

    When there are calls meanwhile it rests after each item for as long as that took: who asks
    for little does not wait behind who asks for everything.

    Raises CallTimeout when patience ends, and ServiceUnavailable between two items once the
    load is `cutting`. The status then waits in line behind what was not taken, so that the
    reader learns of it whenever it reads on; merely cancelled, the call would stay open for
    both sides.
    """
    try:
        async with asyncio.timeout(patience.whole), aclosing(items):
            await _send_each(items, context, patience.stalled, load)
    except TimeoutError as error:
        # The reader may be gone for hours: what was made for it need not wait for it, too.
        traceback.clear_frames(error.__traceback__)
        raise CallTimeout from None
    except aio.InternalError:
        # The caller has gone; gRPC sometimes says so with this before it cancels the call.
        raise asyncio.CancelledError from None


async def _send_each(
    items: AsyncGenerator[T], context: aio.ServicerContext[Any, T], patience: float, load: Load
) -> None:
    is_begun, begun, calls = False, time.monotonic(), load.calls_taken
    async for item in items:
        took = time.monotonic() - begun
        if load.cutting.is_set():
            raise ServiceUnavailable
        if not is_begun:
            # Else a status behind a first message that is not taken would send it again.
            await context.send_initial_metadata(())
            is_begun = True
        # Not yielded: no timeout of ours would see gRPC wait for the reader.
        async with asyncio.timeout(patience):
            await context.write(item)
        if load.calls_taken != calls:
            await asyncio.sleep(min(took, _LONGEST_REST))
        begun, calls = time.monotonic(), load.calls_taken
