"""The life of one session process: what it tells, and how it ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol

from wuts.adapters.sessions import answers
from wuts.adapters.sessions.calls import CallTable
from wuts.adapters.sessions.child import Child
from wuts.adapters.sessions.ends import End, How
from wuts.adapters.sessions.output import Output, PrivateLog, Sign
from wuts.domain.state import DeviceState, Reason
from wuts.session.v1 import session_pb2 as pb

if TYPE_CHECKING:
    from pathlib import Path

    from wuts.adapters.sessions.surroundings import Surroundings
    from wuts.domain.enquiry import Change
    from wuts.domain.errors import DomainError


class Observer(Protocol):
    """Hears what happens in a life; nothing it does may wait."""

    def introduced(self, *, linked: bool) -> bool:
        """Tells whether the process may connect, or link when it is not linked."""
        ...

    def entered(self, state: DeviceState, reason: str) -> None:
        """Hears of a new state of the connection, and why, as far as it is known."""
        ...

    def paired(self) -> None:
        """Hears that the device is linked now and is about to connect."""
        ...

    def showed(self, qr_text: str) -> None:
        """Hears of a new QR code."""
        ...

    def changed(self, change: Change) -> None:
        """Hears that what is known of a chat is outdated."""
        ...

    def ended(self, end: End) -> None:
        """Hears of the end, before callers do."""
        ...

    def refuse(self) -> DomainError:
        """Gives what callers are told who need a connection."""
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

_TIMED = frozenset({DeviceState.CONNECTING, DeviceState.RECONNECTING, DeviceState.LINKING})
"""States that may last only so long; linking only until a code is shown."""


_SIGNS: Final = {
    Sign.LINK_TIMED_OUT: End(How.QR_TIMEOUT),
    Sign.LINK_FAILED: End(How.PAIRING_REFUSED),
    Sign.DISK_FULL: End(How.STORE_REFUSED, cause=pb.FAILURE_KIND_DISK_FULL),
    Sign.STORE_REFUSED: End(How.STORE_REFUSED),
    Sign.STORE_CORRUPT: End(How.STORE_REFUSED, cause=pb.FAILURE_KIND_STORE_CORRUPT),
}
"""What the engine's output tells of; the first two concern linking only."""


class Life:
    """Runs one process; made anew for each."""

    def __init__(self, around: Surroundings, directory: Path, observer: Observer) -> None:
        self._around = around
        self._directory = directory
        self._observer = observer
        self._loop = asyncio.get_running_loop()
        self._begun = self._loop.time()
        self._introduced: asyncio.Future[None] = self._loop.create_future()
        self._ended: asyncio.Future[End] = self._loop.create_future()
        self._deadline: asyncio.TimerHandle | None = None
        self._child: Child | None = None
        self._is_linking = False
        self.calls = CallTable(around.limits.calls_under_way, self._send)

    @property
    def is_over(self) -> bool:
        """Whether it has ended, though its process may still be going."""
        return self._ended.done()

    @property
    def age(self) -> float:
        """Seconds since it was begun."""
        return self._loop.time() - self._begun

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
        self._observer.ended(end)
        self.calls.close(self._observer.refuse)
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
            self.calls.close(self._observer.refuse)
            if reading is not None:
                reading.cancel()
            if self._child is not None:
                await self._child.end(seconds=self._around.limits.stop_seconds)

    async def _spawn(self) -> Child:
        log = PrivateLog(self._directory / "session.log") if self._around.session_log else None
        output = Output(self._around.tallies.lines, log, self._on_sign)
        try:
            child = await Child.spawn(self._around.command, self._directory, output)
        except OSError:
            self._around.tallies.starts["failed"] += 1
            raise
        self._around.tallies.starts["started"] += 1
        return child

    async def _follow(self, child: Child) -> None:
        try:
            async for event in child.events():
                self._take(event)
        finally:
            # Also after a fault of ours: nobody may wait for a process nobody reads.
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
                self._set_deadline(None)
                self._observer.showed(event.qr_text)
            case "changed":
                self._on_changed(event.changed)

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

    def _on_changed(self, changed: pb.Changed) -> None:
        change = answers.change(changed)
        if change is not None:
            self._observer.changed(change)

    def _on_state(self, change: pb.StateChange) -> None:
        how = _ENDS.get(change.state)
        if how is not None:
            self.finish(_end(how, change))
            return
        state = _ENTERED.get(change.state)
        if state is None:
            return
        self._is_linking = state == DeviceState.LINKING
        if change.state == pb.CONNECTION_STATE_PAIRED:
            self._observer.paired()
        self._time(state)
        self._observer.entered(state, _reason(change))

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

    def _on_sign(self, sign: Sign) -> None:
        end = _SIGNS[sign]
        if self._is_linking or end.how == How.STORE_REFUSED:
            self.finish(end)

    def _send(self, request: pb.Request) -> None:
        if self._child is not None:
            self._child.send(request)


def _end(how: How, change: pb.StateChange) -> End:
    return End(
        how,
        code=change.code,
        cause=change.cause,
        ban_seconds=change.expires_in,
        requested=change.requested,
        holder=change.holder,
    )


def _reason(change: pb.StateChange) -> str:
    if change.state != pb.CONNECTION_STATE_RECONNECTING:
        return ""
    is_silent = change.cause == pb.FAILURE_KIND_TIMED_OUT
    return Reason.NO_ANSWER if is_silent else Reason.CONNECTION_LOST
