"""One session process, from its start to its last byte of output."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from wuts.adapters.sessions.environment import child_environment
from wuts.session.framing import Deframer, FramingError, frame
from wuts.session.v1 import session_pb2 as pb

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from wuts.adapters.sessions.output import Output

_PORTION = 65536
_REAP_SECONDS = 2.0
_DRAIN_SECONDS = 1.0


class Child:
    """A running process and this side's end of its socket."""

    def __init__(
        self,
        process: Process,
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        output: Output,
    ) -> None:
        self._process = process
        self._reader, self._writer = streams
        self._drains = {
            asyncio.create_task(output.drain(stream))
            for stream in (process.stdout, process.stderr)
            if stream is not None
        }

    @classmethod
    async def spawn(cls, command: Sequence[str], directory: Path, output: Output) -> Self:
        """Starts a process on a device's directory; raises OSError when it cannot.

        It inherits one socket, an environment of allowed variables, and its own
        process session, so that a terminal's Ctrl-C passes it by.
        """
        _make_private(directory)
        ours, theirs = socket.socketpair()
        with theirs:
            streams = await asyncio.open_unix_connection(sock=ours)
            try:
                process = await asyncio.create_subprocess_exec(
                    *command,
                    *("--directory", str(directory)),
                    *("--fd", str(theirs.fileno())),
                    cwd=directory,
                    env=child_environment(os.environ),
                    pass_fds=(theirs.fileno(),),
                    start_new_session=True,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.PIPE,
                )
            except BaseException:
                streams[1].close()
                raise
        return cls(process, streams, output)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    async def events(self) -> AsyncIterator[pb.Event]:
        """Yields what the process tells, until it ends or speaks nonsense."""
        deframer = Deframer(pb.Event)
        with suppress(ConnectionError, FramingError):
            while data := await self._reader.read(_PORTION):
                for event in deframer.feed(data):
                    yield event

    def send(self, request: pb.Request) -> None:
        """Asks the process; what it cannot hear any more is dropped."""
        if not self._writer.is_closing():
            self._writer.write(frame(request))

    async def end(self, *, seconds: float) -> None:
        """Asks the process to stop, kills it after that time, and leaves nothing behind.

        A cancelled caller kills it at once.
        """
        try:
            self.send(pb.Request(stop=pb.StopRequest()))
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._process.wait()
        finally:
            self._kill()
            await self._reap()

    def _kill(self) -> None:
        """Kills the process, and whatever it may have started, if it still runs."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def _reap(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_REAP_SECONDS):
                await self._process.wait()
        _, unfinished = await asyncio.wait(self._drains, timeout=_DRAIN_SECONDS)
        for task in unfinished:
            task.cancel()
        self._writer.close()
        with suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(_DRAIN_SECONDS):
                await self._writer.wait_closed()


def _make_private(directory: Path) -> None:
    directory.mkdir(mode=0o700, exist_ok=True)
