"""What can go wrong, in the field's words.

Errors carry facts; the codes they become stand in one table in the rpc room.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wuts.domain.enquiry import QueryClass
    from wuts.domain.state import DeviceState


class DomainError(Exception):
    """Any situation that a caller is told about."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One field that breaks a rule, with the value the caller sent."""

    field: str
    message: str
    value: str


class ValidationFailed(DomainError):
    """A request field is malformed, missing or out of range."""

    def __init__(self, field: str, message: str, value: str = "") -> None:
        super().__init__(field)
        self.violations = (Violation(field, message, value),)


class Unauthorized(DomainError):
    """The token is missing, malformed, unknown or revoked."""


class Forbidden(DomainError):
    """The caller's role does not allow the call."""


class NotFound(DomainError):
    """Nothing of that name exists for the caller; `what` is a fixed word."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class DeviceNotChosen(DomainError):
    """The user has several devices and the token is bound to none."""


class DeviceNotReady(DomainError):
    """The device is not linked, or holds no connection to WhatsApp now."""

    def __init__(self, state: DeviceState, *, reason: str = "", retry_after: int = 0) -> None:
        """Takes the state, why, and in how many seconds a retry may succeed (0: unknown)."""
        super().__init__(state)
        self.state = state
        self.reason = reason
        self.retry_after = retry_after


class AlreadyLinked(DomainError):
    """The device is linked; it cannot be linked once more."""


class QrTimeout(DomainError):
    """No code to link with came in time."""


class StoreUnavailable(DomainError):
    """The device's store could not be read in time, or not at all."""


class PictureHidden(DomainError):
    """The owner hides the picture from this device."""


class PictureNotSet(DomainError):
    """The contact or group has no picture."""


class NotOnWhatsapp(DomainError):
    """WhatsApp says that nobody is there."""


class GroupNotFound(DomainError):
    """WhatsApp knows no such group."""


class GroupForbidden(DomainError):
    """The device is no member of the group."""


class RateLimited(DomainError):
    """WhatsApp, or our own bound on calls under way, asks to slow down.

    `retry_after` is in whole seconds.
    """

    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after


class Busy(RateLimited):
    """Too many calls of the device are under way; WhatsApp itself said nothing."""


class BudgetExhausted(DomainError):
    """The device's own budget of questions to WhatsApp is used up.

    `retry_after` is in whole seconds, at least 1.
    """

    def __init__(self, query_class: QueryClass, retry_after: int) -> None:
        super().__init__(query_class)
        self.query_class = query_class
        self.retry_after = retry_after


class WhatsappError(DomainError):
    """WhatsApp answered with an error that fits no other situation.

    `code` is WhatsApp's number, 0 when it gave none.
    """

    def __init__(self, code: int = 0) -> None:
        super().__init__(code)
        self.code = code


class WhatsappTimeout(DomainError):
    """WhatsApp did not answer in time."""


class CallTimeout(DomainError):
    """The call ran into its own deadline."""


class ServiceUnavailable(DomainError):
    """The service is starting, stopping or overloaded."""


class NotImplementedHere(DomainError):
    """The service does not offer this."""


class EngineCannot(DomainError):
    """The documented API offers this, but the engine does not."""
