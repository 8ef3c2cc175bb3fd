"""Holds the faults that are switched on; nothing here sends or receives."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wuts_sandbox.emulator.kinds import Kind

FOREVER = float("inf")
CODES = 6


class Door(StrEnum):
    """How new connections are received."""

    OPEN = "open"
    CLOSED = "closed"
    """Nobody listens on the port."""
    REFUSING = "refusing"
    """CONNECT is answered with 503."""
    BLACK_HOLE = "black-hole"
    """The connection is accepted and CONNECT is never answered."""
    SILENT_HANDSHAKE = "silent-handshake"
    """The WebSocket opens and the Noise handshake is never answered."""


@dataclass
class Span:
    """How long a fault lasts: a number of times, a length of time, or until it is lifted."""

    times: int | None = None
    until: float = FOREVER

    @classmethod
    def of(cls, times: int | None, seconds: float | None) -> Span:
        """Makes a span; None means without that limit."""
        return cls(times, FOREVER if seconds is None else time.monotonic() + seconds)

    @property
    def over(self) -> bool:
        """Whether the fault no longer applies."""
        return self.times == 0 or time.monotonic() >= self.until

    def use(self) -> None:
        """Counts one use."""
        if self.times is not None:
            self.times -= 1


@dataclass
class QueryFault:
    """What happens to questions of one kind instead of an answer."""

    kind: Kind
    span: Span
    account: str | None = None
    """PN of the only account it concerns; None is all."""
    error: tuple[int, str] | None = None
    """Code and text of the error to answer with; None is no answer."""
    delay: float = 0.0
    """Seconds after which the ordinary answer goes out; 0 is never."""


@dataclass
class LoginFault:
    """How logins are refused: the attributes of the failure stanza."""

    attrs: dict[str, str]
    span: Span
    account: str | None = None


@dataclass
class Faults:
    """Everything that is out of order now."""

    door: Door = Door.OPEN
    codes: int = CODES
    """How many codes a device that is not linked may show, one after the other."""
    queries: list[QueryFault] = field(default_factory=list)
    logins: list[LoginFault] = field(default_factory=list)

    def for_query(self, kind: Kind, account: str | None) -> QueryFault | None:
        """Returns the fault that meets a question, and counts its use."""
        self.queries = [fault for fault in self.queries if not fault.span.over]
        for fault in self.queries:
            if fault.kind == kind and fault.account in {None, account}:
                fault.span.use()
                return fault
        return None

    def for_login(self, account: str | None) -> LoginFault | None:
        """Returns the fault that meets a login, and counts its use."""
        self.logins = [fault for fault in self.logins if not fault.span.over]
        for fault in self.logins:
            if fault.account in {None, account}:
                fault.span.use()
                return fault
        return None

    def lift_queries(self, kind: Kind | None, account: str | None) -> None:
        """Removes the faults of one kind of question and of one account, or of all."""
        self.queries = [
            fault
            for fault in self.queries
            if kind not in {None, fault.kind} or account not in {None, fault.account}
        ]

    def lift_logins(self, account: str | None) -> None:
        """Lets one account log in again, or all of them."""
        self.logins = [fault for fault in self.logins if account not in {None, fault.account}]
