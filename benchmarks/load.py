"""Load from outside, by h2load, which speaks HTTP/1.1 and gRPC and takes little itself."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import processor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.message import Message

PROGRAM = "h2load"
PACKAGE = "nghttp2-client"
"""Debian's package of it."""

_FRAME = 5
# Bytes before each message of gRPC; an answer without a message is a failure.
_MICROSECONDS = 1000
_OK = "200"
_SECONDS = 300


class NoLoadGenerator(Exception):  # named after the situation
    """h2load is not installed."""


class LoadFailed(Exception):  # named after the situation
    """Not every request was answered with success."""


@dataclass(frozen=True)
class Door:
    """Where a variant answers, by which processes, and to whom."""

    variant: str
    url: str
    pids: tuple[int, ...]
    token: str
    is_grpc: bool = False


@dataclass(frozen=True)
class Question:
    """What is asked: a path, and the body of a POST or the message of a native call."""

    path: str
    body: bytes | None = None
    headers: tuple[str, ...] = ()


class Answered(NamedTuple):
    """What one answer took: ms of processor time of each process, and of waiting."""

    cpus: tuple[float, ...]
    p50: float
    p99: float

    @property
    def cpu(self) -> float:
        """The processor time of all processes."""
        return sum(self.cpus)


def require_program() -> None:
    """Raises NoLoadGenerator when there is none."""
    if shutil.which(PROGRAM) is None:
        message = f"{PROGRAM} is not installed: it comes with Debian's package {PACKAGE}"
        raise NoLoadGenerator(message)


def framed(message: Message) -> bytes:
    """Makes a native call's body of a message."""
    body = message.SerializeToString()
    return b"\0" + struct.pack(">I", len(body)) + body


def ask(door: Door, question: Question, *, requests: int, callers: int) -> Answered:
    """Asks so many times, so many callers at a time; raises LoadFailed unless all succeed."""
    processor.rest(door.pids)
    before = [processor.seconds([pid]) for pid in door.pids]
    waited = _run(door, question, requests, callers)
    after = [processor.seconds([pid]) for pid in door.pids]
    cpus = (1000 * (end - begin) / requests for begin, end in zip(before, after, strict=True))
    return Answered(tuple(cpus), _part(waited, 0.5), _part(waited, 0.99))


@contextmanager
def asking(door: Door, question: Question) -> Iterator[None]:
    """Has one caller ask again and again while the block lasts."""
    with tempfile.TemporaryDirectory() as directory:
        words = _command(door, question, 1, Path(directory, "body"))
        process = subprocess.Popen(  # noqa: S603 # our own words
            [*words, f"--duration={_SECONDS}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield
        finally:
            process.kill()
            process.wait()


def _command(door: Door, question: Question, callers: int, body: Path) -> list[str]:
    """Makes the command line, but for how much is asked; writes the body, if there is one."""
    headers = [f"authorization: Bearer {door.token}", *question.headers]
    if door.is_grpc:
        ways = ["-c", "1", "-m", str(callers)]
        headers += ["content-type: application/grpc", "te: trailers"]
    else:
        ways = ["--h1", "-c", str(callers)]
        headers += ["content-type: application/json"]
    if question.body is not None:
        body.write_bytes(question.body)
        ways += ["-d", str(body)]
    named = [word for header in headers for word in ("-H", header)]
    return [PROGRAM, *ways, *named, f"{door.url}{question.path}"]


def _run(door: Door, question: Question, requests: int, callers: int) -> list[float]:
    """Gives how long each request waited, in ms, the shortest first."""
    with tempfile.TemporaryDirectory() as directory:
        log = Path(directory, "log")
        words = _command(door, question, callers, Path(directory, "body"))
        done = subprocess.run(  # noqa: S603 # our own words
            [*words, "-n", str(requests), f"--log-file={log}"],
            capture_output=True,
            text=True,
            check=True,
            timeout=_SECONDS,
        )
        lines = [line.split() for line in log.read_text().splitlines()]
    sent = re.search(r"\((\d+)\) data", done.stdout)
    bytes_sent = int(sent[1]) if sent else 0
    statuses = [status for _, status, _ in lines]
    if statuses != [_OK] * requests or bytes_sent < _FRAME * requests:
        message = f"{door.variant} {question.path}: not all of {requests} requests succeeded"
        raise LoadFailed(message)
    return sorted(int(waited) / _MICROSECONDS for _, _, waited in lines)


def _part(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
