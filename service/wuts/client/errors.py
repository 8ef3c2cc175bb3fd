"""Why a call failed: one class for each reason word of the service."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from google.protobuf.message import Message

_DETAILS = "grpc-status-details-bin"
_REQUEST_ID = "x-request-id"


@dataclass(frozen=True)
class Violation:
    """A request field at fault."""

    field: str
    """The name of the field, such as "number"."""
    message: str
    """What is wrong with it, or how to write it."""


@dataclass(frozen=True)
class Failure:
    """What a failed call tells, read from its google.rpc.Status."""

    code: grpc.StatusCode
    reason: str = ""
    message: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    violations: tuple[Violation, ...] = ()
    retry_after: float | None = None
    request_id: str = ""


class WutsError(Exception):
    """A call failed. Raised itself for reasons that this release does not know.

    >>> try:
    ...     client.picture()
    ... except WutsError as error:
    ...     print(error)
    ...     print(error.code.name, error.reason, error.violations[0].field)
    VALIDATION_ERROR: validation failed (jid: jid or number is required)
    INVALID_ARGUMENT VALIDATION_ERROR jid
    """

    code: grpc.StatusCode
    """The gRPC status."""
    reason: str
    """The word of the service's ErrorReason; empty when the failure is not the service's own."""
    message: str
    """A sentence for people; do not take decisions by it."""
    metadata: Mapping[str, str]
    """Facts about the failure, such as the `state` of a device; empty mostly."""
    violations: tuple[Violation, ...]
    """The request fields at fault; empty unless the reason is VALIDATION_ERROR."""
    retry_after: float | None
    """In how many seconds another try may succeed; None when the service does not say."""
    request_id: str
    """What to look for in the service's log; empty when unknown."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure)
        self.code = failure.code
        self.reason = failure.reason
        self.message = failure.message
        self.metadata = failure.metadata
        self.violations = failure.violations
        self.retry_after = failure.retry_after
        self.request_id = failure.request_id

    def __str__(self) -> str:
        """Says it in one line."""
        faults = "; ".join(f"{one.field}: {one.message}" for one in self.violations)
        line = f"{self.reason or self.code.name}: {self.message}"
        return f"{line} ({faults})" if faults else line


class Unauthorized(WutsError):
    """The token is missing, malformed, unknown or revoked."""


class ValidationError(WutsError):
    """A request field is malformed, out of range or missing; see `violations`."""


class Forbidden(WutsError):
    """The role of the token's user does not allow the call."""


class PictureHidden(WutsError):
    """The owner hides the picture from this device."""


class PictureNotSet(WutsError):
    """The contact or group has no picture."""


class GroupNotFound(WutsError):
    """WhatsApp knows no such group."""


class GroupForbidden(WutsError):
    """The device is no member of the group."""


class NotFound(WutsError):
    """Nothing of that name exists for the caller; `metadata["what"]` says what."""


class MethodNotAllowed(WutsError):
    """The path exists, but not for this HTTP method; never met over gRPC."""


class DeviceNotChosen(WutsError):
    """The user has several devices and the token is bound to none."""


class PayloadTooLarge(WutsError):
    """The request is too large."""


class RateLimited(WutsError):
    """WhatsApp or the service asks to slow down; see `retry_after`."""


class InternalError(WutsError):
    """A fault of the service."""


class NotImplementedHere(WutsError):
    """The service does not offer this, or is older than this client."""


class DeviceNotReady(WutsError):
    """The device is not linked or not connected; `metadata` has its `state` and `reason`."""


class StoreUnavailable(WutsError):
    """The device's store could not be read."""


class ServiceUnavailable(WutsError):
    """The service is starting, stopping or overloaded."""


class WhatsappError(WutsError):
    """WhatsApp answered with an error; `metadata["code"]` is its number where it gave one."""


class WhatsappTimeout(WutsError):
    """WhatsApp did not answer in time."""


class Timeout(WutsError):
    """The call ran into its deadline, the service's or this client's."""


class QrTimeout(WutsError):
    """No code to link a device with came in time."""


class BudgetExhausted(WutsError):
    """The device's budget of questions is used up; see `retry_after`."""


class NotOnWhatsapp(WutsError):
    """WhatsApp says that nobody is there."""


class Unreachable(WutsError):
    """Nobody answered, or the connection was lost: the call may have been made or not."""


BY_REASON: Mapping[str, type[WutsError]] = {
    "UNAUTHORIZED": Unauthorized,
    "VALIDATION_ERROR": ValidationError,
    "FORBIDDEN": Forbidden,
    "PICTURE_HIDDEN": PictureHidden,
    "PICTURE_NOT_SET": PictureNotSet,
    "GROUP_NOT_FOUND": GroupNotFound,
    "GROUP_FORBIDDEN": GroupForbidden,
    "NOT_FOUND": NotFound,
    "METHOD_NOT_ALLOWED": MethodNotAllowed,
    "DEVICE_NOT_CHOSEN": DeviceNotChosen,
    "PAYLOAD_TOO_LARGE": PayloadTooLarge,
    "RATE_LIMITED": RateLimited,
    "INTERNAL_ERROR": InternalError,
    "NOT_IMPLEMENTED": NotImplementedHere,
    "DEVICE_NOT_READY": DeviceNotReady,
    "STORE_UNAVAILABLE": StoreUnavailable,
    "SERVICE_UNAVAILABLE": ServiceUnavailable,
    "WHATSAPP_ERROR": WhatsappError,
    "WHATSAPP_TIMEOUT": WhatsappTimeout,
    "TIMEOUT": Timeout,
    "QR_TIMEOUT": QrTimeout,
    "BUDGET_EXHAUSTED": BudgetExhausted,
    "NOT_ON_WHATSAPP": NotOnWhatsapp,
}
"""Every reason of the service with its class."""

_BY_CODE: Mapping[grpc.StatusCode, type[WutsError]] = {
    grpc.StatusCode.DEADLINE_EXCEEDED: Timeout,
    grpc.StatusCode.UNAVAILABLE: Unreachable,
    grpc.StatusCode.UNIMPLEMENTED: NotImplementedHere,
    grpc.StatusCode.UNAUTHENTICATED: Unauthorized,
}
# For failures that this client, the connection or something on the way has made.


def error_of(error: grpc.RpcError) -> WutsError:
    """Makes the error of a failed call, blocking or not."""
    # grpcio's errors are calls too, in both kinds of stubs.
    failure = _failure(cast("grpc.Call", error))
    kind = BY_REASON.get(failure.reason, WutsError)
    return (kind if failure.reason else _BY_CODE.get(failure.code, WutsError))(failure)


def _failure(call: grpc.Call) -> Failure:
    trailing = dict(call.trailing_metadata() or ())
    status = _status(trailing.get(_DETAILS) or b"")
    info = error_details_pb2.ErrorInfo()
    bad = error_details_pb2.BadRequest()
    retry = error_details_pb2.RetryInfo()
    _unpack(status.details, info)
    _unpack(status.details, bad)
    will_cure = _unpack(status.details, retry)
    facts = dict(info.metadata)
    return Failure(
        code=call.code(),
        reason=info.reason,
        message=call.details() or "",
        violations=tuple(Violation(v.field, v.description) for v in bad.field_violations),
        retry_after=retry.retry_delay.ToMilliseconds() / 1000 if will_cure else None,
        request_id=facts.pop("request_id", "") or str(trailing.get(_REQUEST_ID, "")),
        metadata=facts,
    )


def _status(data: object) -> status_pb2.Status:
    try:
        return status_pb2.Status.FromString(data)
    except DecodeError:  # made by something on the way; then there are no details
        return status_pb2.Status()


def _unpack(details: Iterable[status_pb2.Any], into: Message) -> bool:
    return any(detail.Unpack(into) for detail in details)
