"""The child's end of the socket to the service."""

from __future__ import annotations

import queue
import select
import socket
import threading
from typing import TYPE_CHECKING

from wuts.session.framing import Deframer, FramingError, frame
from wuts.session.v1 import session_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PORTION = 65536
_QUEUE_LENGTH = 1024
"""Room for every call's reply and for state changes; a service that lets it fill is gone."""

_ROOM_FOR_CHANGES = _QUEUE_LENGTH // 2
"""What is told of chats may come in thousands at once, and must not crowd out the rest."""


class Channel:
    """Reads requests on the calling thread and writes events on its own.

    `on_stuck` is called once when the service has stopped reading.
    """

    def __init__(self, descriptor: int, *, on_stuck: Callable[[], None]) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._on_stuck = on_stuck
        self._queue: queue.Queue[bytes | None] = queue.Queue(_QUEUE_LENGTH)
        self._writer = threading.Thread(target=self._write, name="channel", daemon=True)
        self._writer.start()

    def requests(self) -> Iterator[pb.Request]:
        """Yields what the service asks, until it closes its end.

        Bytes that are no request also end it: nothing after them can be read.
        """
        deframer = Deframer(pb.Request)
        while data := self._receive():
            try:
                yield from deframer.feed(data)
            except FramingError:
                return

    def is_abandoned(self, seconds: float) -> bool:
        """Waits that long and tells whether the service has closed its end."""
        readable, _, _ = select.select([self._socket], [], [], seconds)
        if not readable:
            return False
        try:
            return not self._socket.recv(1, socket.MSG_PEEK)
        except OSError:
            return True

    def send(self, event: pb.Event) -> None:
        """Queues an event; never blocks, so that handlers of the engine may call it.

        A Changed that finds no room is dropped: what it is about grows old by
        itself. Raises FramingError for an event that is too long.
        """
        if event.HasField("changed") and self._queue.qsize() >= _ROOM_FOR_CHANGES:
            return
        try:
            self._queue.put_nowait(frame(event))
        except queue.Full:
            self._on_stuck()

    def flush(self, *, seconds: float) -> None:
        """Waits that long for what is queued to be written; the last call."""
        try:
            self._queue.put(None, timeout=seconds)
        except queue.Full:
            return
        self._writer.join(seconds)

    def close(self) -> None:
        """Closes this end; only tests outlive it."""
        self._socket.close()

    def _receive(self) -> bytes:
        try:
            return self._socket.recv(_PORTION)
        except OSError:
            return b""

    def _write(self) -> None:
        while (data := self._queue.get()) is not None:
            try:
                # The engine's Go run time un-ignores SIGPIPE.
                self._socket.sendall(data, socket.MSG_NOSIGNAL)
            except OSError:
                return  # the reading side sees the same end and acts on it
