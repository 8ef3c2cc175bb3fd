"""The life of one session process: what it tells, and how it ends."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

from wuts.adapters.sessions.calls import CallTable
from wuts.adapters.sessions.child import Child
from wuts.adapters.sessions.output import Output, PrivateLog
from wuts.domain.state import DeviceState
from wuts.session.v1 import session_pb2 as pb

if TYPE_CHECKING:
    from pathlib import Path

    from wuts.adapters.sessions.surroundings import Surroundings


class How(StrEnum):
    """How a life came to its end."""

    CRASHED = "crashed"
    """The process died, or spoke nonsense."""
    HUNG = "hung"
    """It did not speak, or did not connect, in time."""
    FAILED = "failed"
    """WhatsApp could not be reached, or refused for a reason that may pass."""
    STORE_BUSY = "store_busy"
    STORE_REFUSED = "store_refused"
    LOGGED_OUT = "logged_out"
    REPLACED = "replaced"
    BANNED = "banned"
    OUTDATED = "outdated"
    NOT_LINKED = "not_linked"
    """The store holds no device, and nobody wants to link one."""
    LINK_FAILED = "link_failed"
    """Nobody scanned the code in time, or the pairing failed."""
    WRONG_ENGINE = "wrong_engine"
    """A sandbox's engine in earnest, or a real one in a sandbox."""


@dataclass(frozen=True, slots=True)
class End:
    """How a life ended.

    `code` is WhatsApp's number and `cause` one of FailureKind, 0 when there was
    none; `ban_seconds` is 0 when WhatsApp named no end of a ban.
    """

    how: How
    code: int = 0
    cause: int = 0
    ban_seconds: int = 0


class Observer(Protocol):
    """Hears what happens in a life; nothing it does may wait."""

    def introduced(self, *, linked: bool) -> bool:
        """Tells whether the process may connect, or link when it is not linked."""
        ...

    def entered(self, state: DeviceState) -> None:
        """Hears of a new state of the connection."""
        ...

    def paired(self) -> None:
        """Hears that the device is linked now and is about to connect."""
        ...

    def showed(self, qr_text: str) -> None:
        """Hears of a new QR code."""
        ...

    def ended(self, end: End) -> DeviceState:
        """Hears of the end, and gives the state that callers are told."""
        ...


_ENTERED: Final = {
    pb.CONNECTION_STATE_CONNECTING: DeviceState.CONNECTING,
    pb.CONNECTION_STATE_LINKING: DeviceState.LINKING,
    pb.CONNECTION_STATE_PAIRED: DeviceState.CONNECTING,
    pb.CONNECTION_STATE_CONNECTED: DeviceState.CONNECTED,
    pb.CONNECTION_STATE_RECONNECTING: DeviceState.RECONNECTING,
}

_ENDS: Final = {
    pb.CONNECTION_STATE_LOGGED_OUT: How.LOGGED_OUT,
    pb.CONNECTION_STATE_REPLACED: How.REPLACED,
    pb.CONNECTION_STATE_BANNED: How.BANNED,
    pb.CONNECTION_STATE_OUTDATED: How.OUTDATED,
    pb.CONNECTION_STATE_FAILED: How.FAILED,
    pb.CONNECTION_STATE_STORE_BUSY: How.STORE_BUSY,
    pb.CONNECTION_STATE_STORE_REFUSED: How.STORE_REFUSED,
}

_TIMED = frozenset({DeviceState.CONNECTING, DeviceState.RECONNECTING})
"""States that may last only so long; linking has a deadline of its own."""


class Life:
    """Runs one process; made anew for each."""

    def __init__(self, around: Surroundings, directory: Path, observer: Observer) -> None:
        self._around = around
        self._directory = directory
        self._observer = observer
        self._loop = asyncio.get_running_loop()
        self._introduced: asyncio.Future[None] = self._loop.create_future()
        self._ended: asyncio.Future[End] = self._loop.create_future()
        self._deadline: asyncio.TimerHandle | None = None
        self._child: Child | None = None
        self._is_linking = False
        self.calls = CallTable(around.limits.calls_under_way, self._send)

    @property
    def pid(self) -> int | None:
        """The process id, once there is a process."""
        return None if self._child is None else self._child.pid

    def finish(self, end: End) -> None:
        """Ends the life from outside; only the first end counts.

        Callers are told at once, before the process is gone.
        """
        if self._ended.done():
            return
        self._ended.set_result(end)
        self._set_deadline(None)
        self.calls.close(self._observer.ended(end))
        if not self._introduced.done():
            self._introduced.set_result(None)

    async def run(self) -> End:
        """Starts the process, follows it to its end, and leaves nothing of it behind.

        Raises OSError when it cannot be started.
        """
        reading: asyncio.Task[None] | None = None
        try:
            async with self._around.starting:
                if self._ended.done():
                    return self._ended.result()
                self._child = await self._spawn()
                reading = asyncio.create_task(self._follow(self._child))
                self._set_deadline(self._around.limits.hello_seconds)
                await self._introduced
            return await self._ended
        finally:
            self._set_deadline(None)
            self.calls.close(DeviceState.RECONNECTING)
            if reading is not None:
                reading.cancel()
            if self._child is not None:
                await self._child.end(seconds=self._around.limits.stop_seconds)

    async def _spawn(self) -> Child:
        log = PrivateLog(self._directory / "session.log") if self._around.session_log else None
        output = Output(self._around.tallies.lines, log, self._on_login_failed)
        try:
            child = await Child.spawn(self._around.command, self._directory, output)
        except OSError:
            self._around.tallies.starts["failed"] += 1
            raise
        self._around.tallies.starts["started"] += 1
        return child

    async def _follow(self, child: Child) -> None:
        async for event in child.events():
            self._take(event)
        self.finish(End(How.CRASHED))

    def _take(self, event: pb.Event) -> None:
        if self._ended.done():
            return
        match event.WhichOneof("event"):
            case "hello":
                self._on_hello(event.hello)
            case "state":
                self._on_state(event.state)
            case "reply":
                self.calls.take(event.reply)
            case "qr_text":
                self._observer.showed(event.qr_text)

    def _on_hello(self, hello: pb.Hello) -> None:
        if self._introduced.done():
            self.finish(End(How.CRASHED))
        elif hello.sandbox != self._around.sandbox:
            self.finish(End(How.WRONG_ENGINE))
        elif self._observer.introduced(linked=hello.linked):
            self._set_deadline(self._around.limits.connect_seconds)
            self._send(pb.Request(connect=pb.ConnectRequest()))
            self._introduced.set_result(None)
        else:
            self.finish(End(How.NOT_LINKED))

    def _on_state(self, change: pb.StateChange) -> None:
        how = _ENDS.get(change.state)
        if how is not None:
            self.finish(End(how, change.code, change.cause, change.expires_in))
            return
        state = _ENTERED.get(change.state)
        if state is None:
            return
        self._is_linking = state == DeviceState.LINKING
        if change.state == pb.CONNECTION_STATE_PAIRED:
            self._observer.paired()
        self._time(state)
        self._observer.entered(state)

    def _time(self, state: DeviceState) -> None:
        """Lets the time run while there is no connection, from the moment it was lost."""
        if state not in _TIMED:
            self._set_deadline(None)
        elif self._deadline is None:
            self._set_deadline(self._around.limits.connect_seconds)

    def _set_deadline(self, seconds: float | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if seconds is not None:
            self._deadline = self._loop.call_later(seconds, self.finish, End(How.HUNG))

    def _on_login_failed(self) -> None:
        if self._is_linking:
            self.finish(End(How.LINK_FAILED))

    def _send(self, request: pb.Request) -> None:
        if self._child is not None:
            self._child.send(request)
