"""Defines the commands that put something out of order, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field

from wuts_sandbox.control.base import BaseCommand, Result
from wuts_sandbox.control.errors import CommandError, Refusal
from wuts_sandbox.emulator.faults import CODES, Door, LoginFault, QueryFault, Span
from wuts_sandbox.emulator.kinds import Kind
from wuts_sandbox.emulator.router import ANSWERS
from wuts_sandbox.wire.node import Node

if TYPE_CHECKING:
    from wuts_sandbox.emulator.connection import Connection
    from wuts_sandbox.emulator.server import Emulator


def _question(kind: Kind) -> Kind:
    if kind not in ANSWERS and kind != Kind.QUERY:
        message = "not a kind of question"
        raise ValueError(message)
    return kind


Question = Annotated[Kind, AfterValidator(_question)]
"""A kind that clients expect an answer to."""


class Kill(BaseCommand):
    """Ends connections: abruptly, by a WebSocket close frame, or by `xmlstreamend`."""

    command: Literal["kill"]
    how: Literal["abort", "close-frame", "xmlstreamend"] = "abort"

    async def run(self, emulator: Emulator) -> Result:
        """Ends them."""
        ended = self.connections(emulator)
        for connection in ended:
            await self._end(emulator, connection)
        return {"connections": len(ended)}

    async def _end(self, emulator: Emulator, connection: Connection) -> None:
        if self.how == "close-frame":
            connection.close()
        elif self.how == "xmlstreamend":
            emulator.spawn(connection.dismiss(Node("xmlstreamend")))
        else:
            connection.abort()


class Crash(BaseCommand):
    """Sends an empty frame, at which the library's process aborts."""

    command: Literal["crash"]

    async def run(self, emulator: Emulator) -> Result:
        """Sends it."""
        met = self.connections(emulator)
        for connection in met:
            connection.send_frame(b"")
        return {"connections": len(met)}


class Query(BaseCommand):
    """Spoils the answers to one kind of question for a while."""

    command: Literal["drop", "refuse", "slow"]
    kind: Question
    times: int | None = Field(default=None, ge=1)
    seconds: float | None = Field(default=None, gt=0)
    code: int = 429
    text: str = "rate-overlimit"
    delay: float = Field(default=1.0, gt=0, le=120)

    async def run(self, emulator: Emulator) -> Result:
        """Switches the fault on."""
        fault = QueryFault(self.kind, Span.of(self.times, self.seconds), self.account)
        if self.account is not None:
            self.only(emulator)
        if self.command == "refuse":
            fault.error = (self.code, self.text)
        elif self.command == "slow":
            fault.delay = self.delay
        emulator.faults.queries.append(fault)
        return {"faults": len(emulator.faults.queries)}


class Answer(BaseCommand):
    """Lifts what `drop`, `refuse` and `slow` have spoiled, of one kind or of all."""

    command: Literal["answer"]
    kind: Question | None = None

    async def run(self, emulator: Emulator) -> Result:
        """Switches the faults off."""
        emulator.faults.lift_queries(self.kind, self.account)
        return {"faults": len(emulator.faults.queries)}


class StreamError(BaseCommand):
    """Ends connections with a stream error; `device_removed` also unlinks the device."""

    command: Literal["stream-error"]
    code: str = ""
    conflict: Literal["replaced", "device_removed"] | None = None

    async def run(self, emulator: Emulator) -> Result:
        """Sends it; after 515 the client ends the connection itself."""
        met = self.connections(emulator)
        for connection in met:
            self._send(emulator, connection)
        return {"connections": len(met)}

    def _send(self, emulator: Emulator, connection: Connection) -> None:
        children = [Node("conflict", {"type": self.conflict})] if self.conflict else None
        stanza = Node("stream:error", {"code": self.code}, children)
        if self.conflict == "device_removed" and connection.account is not None:
            connection.account.unlink()
        if self.code == "515":
            connection.send(stanza)
        else:
            emulator.spawn(connection.dismiss(stanza))


class LoginFailure(BaseCommand):
    """Refuses logins with a `failure` stanza; `off` lets them in again."""

    command: Literal["login-failure"]
    reason: str
    attrs: dict[str, str] = Field(default_factory=dict)
    times: int | None = Field(default=None, ge=1)
    seconds: float | None = Field(default=None, gt=0)

    async def run(self, emulator: Emulator) -> Result:
        """Switches the fault on or off."""
        faults = emulator.faults
        if self.reason == "off":
            faults.lift_logins(self.account)
            return {"faults": len(faults.logins)}
        if not self.reason.isdecimal():
            message = "reason: a number, or off"
            raise CommandError(Refusal.BAD_COMMAND, message)
        attrs = {"reason": self.reason, "location": "sandbox", **self.attrs}
        span = Span.of(self.times, self.seconds)
        faults.logins.append(LoginFault(attrs, span, self.account))
        return {"faults": len(faults.logins)}


class Codes(BaseCommand):
    """Changes how many codes are offered to devices that begin to link."""

    command: Literal["codes"]
    number: int = Field(ge=1, le=CODES)

    async def run(self, emulator: Emulator) -> Result:
        """Changes it; the usual six last 160 seconds, fewer 20 seconds each."""
        emulator.faults.codes = self.number
        return {"codes": self.number}


class SetDoor(BaseCommand):
    """Changes how new connections are received, and ends the present ones."""

    command: Literal["door"]
    door: Door
    keep: bool = False
    """Whether present connections go on."""

    async def run(self, emulator: Emulator) -> Result:
        """Changes it; the port stays the same."""
        emulator.faults.door = self.door
        if self.door == Door.CLOSED:
            emulator.stop_listening()
        else:
            await emulator.open_door()
        ended = 0 if self.keep or self.door == Door.OPEN else emulator.break_connections()
        return {"door": str(self.door), "ended": ended}
