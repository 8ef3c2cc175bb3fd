"""The calls that one session process works on."""

from __future__ import annotations

import asyncio
from collections import deque
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from wuts.domain.errors import DomainError
    from wuts.session.v1 import session_pb2 as pb


class CallTable:
    """Matches replies to requests and bounds the calls under way.

    A call whose caller has gone keeps its place until the process answers: the
    thread in there is busy all the same. A caller reserves a place, then asks.
    """

    def __init__(self, places: int, send: Callable[[pb.Request], None]) -> None:
        self._places = self._free = places
        self._send = send
        self._ids = count(1)
        self._under_way: dict[int, asyncio.Future[pb.Reply]] = {}
        self._queue: deque[asyncio.Future[None]] = deque()
        self._refusal: Callable[[], DomainError] | None = None
        self._on_idle: Callable[[], None] | None = None

    @property
    def under_way(self) -> int:
        """The number of calls that the process has not answered."""
        return len(self._under_way)

    @property
    def abandoned(self) -> int:
        """The number of those whose caller has gone."""
        return sum(reply.done() for reply in self._under_way.values())

    @property
    def is_idle(self) -> bool:
        """Whether no caller waits for the process."""
        return self._free + self.abandoned == self._places

    def when_idle(self, act: Callable[[], None]) -> None:
        """Does something once, as soon as no caller waits for the process."""
        self._on_idle = act
        self._notice_idleness()

    async def reserve(self) -> None:
        """Waits for a place, in order of arrival; raises the refusal once closed."""
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

        Raises the refusal when the table is closed meanwhile.
        """
        self._raise_if_closed()
        request.id = next(self._ids)
        reply: asyncio.Future[pb.Reply] = asyncio.get_running_loop().create_future()
        self._under_way[request.id] = reply
        self._send(request)
        try:
            return await reply
        finally:
            self._notice_idleness()

    def take(self, reply: pb.Reply) -> None:
        """Hands a reply to its caller, if there still is one, and frees the place."""
        waiting = self._under_way.pop(reply.id, None)
        if waiting is None:
            return
        self._release()
        if not waiting.done():
            waiting.set_result(reply)

    def close(self, refusal: Callable[[], DomainError]) -> None:
        """Fails everyone who waits, now and later: the process answers no more.

        Each of them gets an error of its own.
        """
        self._refusal = refusal
        self._on_idle = None
        for asked in self._under_way.values():
            if not asked.done():
                asked.set_exception(refusal())
        for turn in self._queue:
            if not turn.done():
                turn.set_exception(refusal())
        self._under_way.clear()
        self._queue.clear()

    def _raise_if_closed(self) -> None:
        if self._refusal is not None:
            raise self._refusal()

    def _notice_idleness(self) -> None:
        if self._on_idle is not None and self.is_idle:
            act, self._on_idle = self._on_idle, None
            act()

    def _release(self) -> None:
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
