"""Who a JID is: one identity out of rows, LID pairs, a group's roster and WhatsApp's word."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from wuts.domain import errors
from wuts.domain.contact import Names
from wuts.domain.jid import Jid, Server

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wuts.domain.facts import Evidence, Facts
    from wuts.domain.group import Participant
    from wuts.domain.knowledge import Row
    from wuts.domain.spelling import Spelling, Verdict


class Status(StrEnum):
    """Why an identity is less than complete."""

    UNKNOWN = "UNKNOWN"
    PHONE_HIDDEN = "PHONE_HIDDEN"
    NOT_IN_GROUP = "NOT_IN_GROUP"
    NOT_ON_WHATSAPP = "NOT_ON_WHATSAPP"
    INVALID_IDENTIFIER = "INVALID_IDENTIFIER"
    UNSUPPORTED = "UNSUPPORTED"
    BUDGET_EXHAUSTED = "BUDGET_EXHAUSTED"
    RATE_LIMITED = "RATE_LIMITED"
    WHATSAPP_TIMEOUT = "WHATSAPP_TIMEOUT"
    WHATSAPP_ERROR = "WHATSAPP_ERROR"
    DEVICE_NOT_READY = "DEVICE_NOT_READY"
    SERVICE_UNAVAILABLE = "SERVICE_UNAVAILABLE"


_FAILURES: Final[Mapping[type, Status]] = {
    errors.BudgetExhausted: Status.BUDGET_EXHAUSTED,
    errors.RateLimited: Status.RATE_LIMITED,
    errors.WhatsappTimeout: Status.WHATSAPP_TIMEOUT,
    errors.WhatsappError: Status.WHATSAPP_ERROR,
    errors.DeviceNotReady: Status.DEVICE_NOT_READY,
}


class Identity(NamedTuple):
    """The best-known identity behind one JID.

    `pn` is None when the phone number is not known, `lid` when no LID is;
    `status` is None for a resolved identity. `redacted_phone` is the masked
    number of somebody whose phone is hidden, else empty. `retry_after` is in
    seconds, 0 when unknown. `evidence` is None when nothing is known;
    `spelling` is None when the JID is a LID.
    """

    asked: Jid
    pn: Jid | None
    lid: Jid | None
    names: Names
    status: Status | None
    redacted_phone: str = ""
    retry_after: int = 0
    evidence: Evidence | None = None
    spelling: Spelling | None = None

    @property
    def best(self) -> Jid:
        """The PN JID when known, else the JID that was asked for."""
        return self.pn or self.asked

    def failed(self, error: errors.DomainError) -> Identity:
        """Says that WhatsApp should have been asked and could not be."""
        return self._replace(
            status=_failure(error), redacted_phone="", retry_after=getattr(error, "retry_after", 0)
        )


def _failure(error: errors.DomainError) -> Status:
    kinds = (_FAILURES[kind] for kind in type(error).__mro__ if kind in _FAILURES)
    return next(kinds, Status.SERVICE_UNAVAILABLE)


def identify(
    asked: Jid, facts: Facts, verdict: Verdict | None = None, *, explained: bool = True
) -> Identity:
    """Finds the identity of a LID, or of a number of which there is a verdict.

    Without `explained` there is no evidence, which takes as long to find as half of the rest.
    """
    if verdict is None:
        pn, lid = facts.pn_of(asked.user), asked.user
    else:
        pn = verdict.spelling.best
        lid = facts.lid_of(pn)
    person = _Person(
        facts.store.pn_rows.get(pn), facts.store.lid_rows.get(lid), *facts.membership(pn, lid)
    )
    status = person.status_of_number(verdict) if verdict else person.status_of_lid(pn)
    identity = Identity(
        asked,
        _jid(pn, Server.PN, asked),
        _jid(lid, Server.LID, asked),
        person.names(),
        status,
        person.redacted_phone() if status is Status.PHONE_HIDDEN else "",
        0,
        facts.evidence(pn, lid, verdict.heard if verdict else None) if explained else None,
        verdict.spelling if verdict else None,
    )
    return identity.failed(verdict.error) if verdict and verdict.error else identity


def _jid(user: str, server: Server, asked: Jid) -> Jid | None:
    """Names somebody; what was asked for needs no second name."""
    if user == asked.user and server is asked.server:
        return asked
    return Jid(user, server) if user else None


class _Person(NamedTuple):
    """What is told of somebody: the rows under both JIDs, and how they stand to the group."""

    pn_row: Row | None
    lid_row: Row | None
    member: Participant | None
    is_outside: bool

    def names(self) -> Names:
        names = self.pn_row.names if self.pn_row else _NAMELESS
        return names.filled_from(self.lid_row.names) if self.lid_row else names

    def redacted_phone(self) -> str:
        """Gives the roster's masked number, which is the fresher one, else the row's."""
        masked = self.member.redacted_phone if self.member else ""
        return masked or (self.lid_row.redacted_phone if self.lid_row else "")

    def status_of_number(self, verdict: Verdict) -> Status | None:
        if verdict.heard is not None and not verdict.heard.answer.registered:
            return Status.NOT_ON_WHATSAPP
        if self.is_outside:
            return Status.NOT_IN_GROUP
        return None if verdict.spelling.proof else Status.UNKNOWN

    def status_of_lid(self, pn: str) -> Status | None:
        if self.is_outside:
            return Status.NOT_IN_GROUP
        if pn:
            return None
        is_named = self.lid_row is not None and self.lid_row.names
        return Status.PHONE_HIDDEN if is_named or self.redacted_phone() else Status.UNKNOWN


_NAMELESS: Final = Names()
