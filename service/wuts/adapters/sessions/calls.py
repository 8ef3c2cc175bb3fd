"""The calls that one session process works on."""

from __future__ import annotations

import asyncio
from collections import deque
from itertools import count
from typing import TYPE_CHECKING

from wuts.domain.errors import DeviceNotReady

if TYPE_CHECKING:
    from collections.abc import Callable

    from wuts.domain.state import DeviceState
    from wuts.session.v1 import session_pb2 as pb


class CallTable:
    """Matches replies to requests and bounds the calls under way.

    A call whose caller has gone keeps its place until the process answers: the
    thread in there is busy all the same. A caller reserves a place, then asks.
    """

    def __init__(self, places: int, send: Callable[[pb.Request], None]) -> None:
        self._free = places
        self._send = send
        self._ids = count(1)
        self._under_way: dict[int, asyncio.Future[pb.Reply]] = {}
        self._queue: deque[asyncio.Future[None]] = deque()
        self._closed: DeviceState | None = None

    @property
    def under_way(self) -> int:
        """The number of calls that the process has not answered."""
        return len(self._under_way)

    @property
    def abandoned(self) -> int:
        """The number of those whose caller has gone."""
        return sum(reply.done() for reply in self._under_way.values())

    async def reserve(self) -> None:
        """Waits for a place, in order of arrival; raises DeviceNotReady once closed."""
        self._raise_if_closed()
        if self._free and not self._queue:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._release()  # given in the same moment, and not wanted any more
            raise
        finally:
            if turn in self._queue:
                self._queue.remove(turn)

    async def ask(self, request: pb.Request) -> pb.Reply:
        """Sends a request on the reserved place and waits for its reply.

        Raises DeviceNotReady when the table is closed meanwhile.
        """
        self._raise_if_closed()
        request.id = next(self._ids)
        reply: asyncio.Future[pb.Reply] = asyncio.get_running_loop().create_future()
        self._under_way[request.id] = reply
        self._send(request)
        return await reply

    def take(self, reply: pb.Reply) -> None:
        """Hands a reply to its caller, if there still is one, and frees the place."""
        waiting = self._under_way.pop(reply.id, None)
        if waiting is None:
            return
        self._release()
        if not waiting.done():
            waiting.set_result(reply)

    def close(self, state: DeviceState) -> None:
        """Fails everyone who waits, now and later: the process answers no more.

        They are told that the device is in that state.
        """
        self._closed = state
        for asked in self._under_way.values():
            if not asked.done():
                asked.set_exception(DeviceNotReady(state))
        for turn in self._queue:
            if not turn.done():
                turn.set_exception(DeviceNotReady(state))
        self._under_way.clear()
        self._queue.clear()

    def _raise_if_closed(self) -> None:
        if self._closed is not None:
            raise DeviceNotReady(self._closed)

    def _release(self) -> None:
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
