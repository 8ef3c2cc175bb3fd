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

    from benchmarks.hearing import Heard

PROGRAM = "h2load"
PACKAGE = "nghttp2-client"
"""Debian's package of it."""

FRAME = 5
"""Bytes before each message of gRPC."""

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


def ask(heard: Heard, *, requests: int, callers: int) -> Answered:
    """Asks what was heard once so many times again, so many callers at a time.

    Raises LoadFailed unless all answers are as long as the first one: a failure of gRPC has the
    status of a success, but no message.
    """
    pids = heard.door.pids
    processor.rest(pids)
    before = [processor.seconds([pid]) for pid in pids]
    waited = _run(heard, requests, callers)
    after = [processor.seconds([pid]) for pid in pids]
    cpus = (1000 * (end - begin) / requests for begin, end in zip(before, after, strict=True))
    return Answered(tuple(cpus), _part(waited, 0.5), _part(waited, 0.99))


@contextmanager
def asking(heard: Heard) -> Iterator[None]:
    """Has one caller ask again and again while the block lasts; raises LoadFailed if it ends."""
    with tempfile.TemporaryDirectory() as directory:
        words = _command(heard.door, heard.question, 1, Path(directory, "body"))
        process = subprocess.Popen(  # noqa: S603 # our own words
            [*words, f"--duration={_SECONDS}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield
            if process.poll() is not None:
                raise _failed(heard, "the caller has ended early")
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


def _run(heard: Heard, requests: int, callers: int) -> list[float]:
    """Gives how long each request waited, in ms, the shortest first."""
    with tempfile.TemporaryDirectory() as directory:
        log = Path(directory, "log")
        words = _command(heard.door, heard.question, callers, Path(directory, "body"))
        words += ["-n", str(requests), f"--log-file={log}"]
        try:
            done = subprocess.run(  # noqa: S603 # our own words
                words, capture_output=True, text=True, check=True, timeout=_SECONDS
            )
        except subprocess.SubprocessError as error:
            raise _failed(heard, f"{PROGRAM} ended with {type(error).__name__}") from None
        lines = [line.split() for line in log.read_text().splitlines()]
    statuses = [status for _, status, _ in lines]
    if statuses != [_OK] * requests or _received(done.stdout) != heard.size * requests:
        raise _failed(heard, f"not all of {requests} requests succeeded")
    return sorted(int(waited) / _MICROSECONDS for _, _, waited in lines)


def _received(told: str) -> int:
    """Reads how many bytes of bodies have come."""
    found = re.search(r"\((\d+)\) data", told)
    return int(found[1]) if found else 0


def _failed(heard: Heard, why: str) -> LoadFailed:
    return LoadFailed(f"{heard.door.variant} {heard.question.path}: {why}")


def _part(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
