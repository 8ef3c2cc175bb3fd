"""What a session process writes to its standard output and error.

The engine's lines hold JIDs and QR texts: they are counted by level and, on
request, kept in a private file of the device; they never reach a log.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio
    from collections import Counter
    from collections.abc import Callable, Iterator
    from pathlib import Path

_PORTION = 65536
_LONGEST_LINE = 8192
_LEVELS: Final = frozenset({b"DEBUG", b"INFO", b"WARNING", b"ERROR", b"CRITICAL"})
_OTHER = "OTHER"

_LOGIN_EVENT = re.compile(rb"Login event: (?!success)(\w+)")
"""The engine's only sign of a pairing that failed or ran out of time."""

_STORE_FAULT = re.compile(
    rb"(?:WARNING|ERROR) .*: (?:"
    rb"(?P<full>database or disk is full(?:: [a-z ]+)?"
    rb"|disk I/O error: (?:file too large|no space left on device|disk quota exceeded))"
    rb"|(?P<corrupt>database disk image is malformed|file is not a database)"
    rb"|disk I/O error(?:: [a-z/ ]+)?|attempt to write a readonly database)$"
)
"""The engine's only sign that it cannot write its store, or read it."""


class Sign(Enum):
    """What a line of output may tell that no event does."""

    LINK_TIMED_OUT = auto()
    LINK_FAILED = auto()
    DISK_FULL = auto()
    STORE_CORRUPT = auto()
    STORE_REFUSED = auto()


class Lines:
    """Cuts a stream of bytes into lines; the tail of a very long one is dropped."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yields the lines that are complete now, without their ends."""
        *complete, rest = (self._rest + data).split(b"\n")
        self._rest = rest[:_LONGEST_LINE]
        for line in complete:
            yield line[:_LONGEST_LINE]


class PrivateLog:
    """A file that only its owner may read, with one predecessor of the same size.

    Writing is best effort: a full disk must not stop a session.
    """

    def __init__(self, path: Path, *, max_bytes: int = 1_000_000) -> None:
        self._path = path
        self._max_bytes = max_bytes

    def write(self, line: bytes) -> None:
        """Appends a line."""
        with suppress(OSError):
            self._turn_over()
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            descriptor = os.open(self._path, flags, 0o600)
            try:
                os.write(descriptor, line + b"\n")
            finally:
                os.close(descriptor)

    def _turn_over(self) -> None:
        with suppress(FileNotFoundError):
            if self._path.stat().st_size >= self._max_bytes:
                self._path.replace(self._path.with_name(f"{self._path.name}.1"))


class Output:
    """Reads a process's output to its end, so that it never blocks on it.

    `counts` gains one for each line, under its level. `on_sign` hears what a
    line tells that no event does.
    """

    def __init__(
        self, counts: Counter[str], log: PrivateLog | None, on_sign: Callable[[Sign], None]
    ) -> None:
        self._counts = counts
        self._log = log
        self._on_sign = on_sign

    async def drain(self, stream: asyncio.StreamReader) -> None:
        """Reads one of the two streams until it ends."""
        lines = Lines()
        with suppress(ConnectionError):
            while data := await stream.read(_PORTION):
                for line in lines.feed(data):
                    self._take(line)

    def _take(self, line: bytes) -> None:
        level = line.partition(b" ")[0]
        self._counts[level.decode() if level in _LEVELS else _OTHER] += 1
        if self._log is not None:
            self._log.write(line)
        sign = sign_of(line)
        if sign is not None:
            self._on_sign(sign)


def sign_of(line: bytes) -> Sign | None:
    """Tells what a line of the engine's output says of its state, if anything."""
    login = _LOGIN_EVENT.match(line)
    if login is not None:
        return Sign.LINK_TIMED_OUT if login[1] == b"timeout" else Sign.LINK_FAILED
    fault = _STORE_FAULT.match(line)
    if fault is not None:
        return _store_sign(fault)
    return None


def _store_sign(fault: re.Match[bytes]) -> Sign:
    if fault["full"] is not None:
        return Sign.DISK_FULL
    return Sign.STORE_REFUSED if fault["corrupt"] is None else Sign.STORE_CORRUPT
