"""Puts protobuf messages on a stream of bytes, and takes them off again.

A frame is a four-byte big-endian length and one serialised message.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Generic, TypeVar

from google.protobuf.message import DecodeError, Message

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_FRAME = 4 * 1024 * 1024
"""The most bytes a message may have; the largest group needs a tenth of it."""

_LENGTH = struct.Struct(">I")

M = TypeVar("M", bound=Message)


class FramingError(Exception):
    """The bytes are no frames of this protocol; nothing after them can be read."""


def frame(message: Message, *, limit: int = MAX_FRAME) -> bytes:
    """Makes the frame of a message; raises FramingError when it is too long."""
    body = message.SerializeToString()
    if len(body) > limit:
        reason = "message is too long"
        raise FramingError(reason)
    return _LENGTH.pack(len(body)) + body


class Deframer(Generic[M]):
    """Collects bytes in any portions and gives the messages they hold.

    Holds at most one unfinished frame of `limit` bytes and the last portion.
    """

    def __init__(self, kind: type[M], *, limit: int = MAX_FRAME) -> None:
        self._kind = kind
        self._limit = limit
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[M]:
        """Yields every message that is complete now; raises FramingError."""
        self._buffer += data
        while (body := self._next_body()) is not None:
            try:
                yield self._kind.FromString(body)
            except DecodeError:
                reason = "frame holds no such message"
                raise FramingError(reason) from None

    def _next_body(self) -> bytes | None:
        if len(self._buffer) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._buffer)
        if length > self._limit:
            reason = "frame is too long"
            raise FramingError(reason)
        end = _LENGTH.size + length
        if len(self._buffer) < end:
            return None
        body = bytes(self._buffer[_LENGTH.size : end])
        del self._buffer[:end]
        return body
