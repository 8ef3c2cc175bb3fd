"""Domain errors to statuses: one table, one mapper."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc import StatusCode

from wuts.domain import errors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from google.protobuf.message import Message

DOMAIN = "wuts"
_MAX_VALUE = 200
# A rejected value is echoed no longer than this: trailing metadata is bounded.


class _Row(NamedTuple):
    code: StatusCode
    reason: str
    message: str


TABLE: Mapping[type[errors.DomainError], _Row] = {
    errors.Unauthorized: _Row(
        StatusCode.UNAUTHENTICATED, "UNAUTHORIZED", "missing or invalid token"
    ),
    errors.ValidationFailed: _Row(
        StatusCode.INVALID_ARGUMENT, "VALIDATION_ERROR", "validation failed"
    ),
    errors.AlreadyLinked: _Row(
        StatusCode.INVALID_ARGUMENT, "VALIDATION_ERROR", "validation failed"
    ),
    errors.Forbidden: _Row(
        StatusCode.PERMISSION_DENIED,
        "FORBIDDEN",
        "this token, or the role of its user, does not allow the call",
    ),
    errors.PictureHidden: _Row(
        StatusCode.PERMISSION_DENIED, "PICTURE_HIDDEN", "the picture is hidden from this device"
    ),
    errors.PictureNotSet: _Row(
        StatusCode.NOT_FOUND, "PICTURE_NOT_SET", "the contact or group has no picture"
    ),
    errors.NotOnWhatsapp: _Row(
        StatusCode.NOT_FOUND, "NOT_ON_WHATSAPP", "WhatsApp says that nobody is there"
    ),
    errors.GroupNotFound: _Row(
        StatusCode.NOT_FOUND, "GROUP_NOT_FOUND", "WhatsApp knows no such group"
    ),
    errors.GroupForbidden: _Row(
        StatusCode.PERMISSION_DENIED, "GROUP_FORBIDDEN", "the device is no member of the group"
    ),
    errors.NotFound: _Row(StatusCode.NOT_FOUND, "NOT_FOUND", "not found"),
    errors.DeviceNotChosen: _Row(
        # ABORTED is the one code that reaches HTTP as 409 without claiming that
        # something exists already.
        StatusCode.ABORTED,
        "DEVICE_NOT_CHOSEN",
        "the user has several devices; use a token that is bound to one of them"
        " (wuts token add --device)",
    ),
    errors.RateLimited: _Row(
        StatusCode.RESOURCE_EXHAUSTED, "RATE_LIMITED", "too many requests; slow down"
    ),
    errors.BudgetExhausted: _Row(
        StatusCode.RESOURCE_EXHAUSTED,
        "BUDGET_EXHAUSTED",
        "the device's budget of questions to WhatsApp is used up",
    ),
    errors.NotImplementedHere: _Row(
        StatusCode.UNIMPLEMENTED, "NOT_IMPLEMENTED", "the service does not offer this"
    ),
    errors.EngineCannot: _Row(
        StatusCode.UNIMPLEMENTED,
        "NOT_IMPLEMENTED",
        "the engine cannot be made to synchronise; it does so by itself when WhatsApp"
        " tells of a change",
    ),
    errors.DeviceNotReady: _Row(
        StatusCode.UNAVAILABLE, "DEVICE_NOT_READY", "WhatsApp session is not connected"
    ),
    errors.StoreUnavailable: _Row(
        StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE", "the device's store cannot be read now"
    ),
    errors.ServiceUnavailable: _Row(
        StatusCode.UNAVAILABLE, "SERVICE_UNAVAILABLE", "service unavailable"
    ),
    errors.WhatsappError: _Row(
        StatusCode.UNAVAILABLE, "WHATSAPP_ERROR", "WhatsApp answered with an error"
    ),
    errors.WhatsappTimeout: _Row(
        StatusCode.DEADLINE_EXCEEDED, "WHATSAPP_TIMEOUT", "WhatsApp did not answer in time"
    ),
    errors.QrTimeout: _Row(
        StatusCode.DEADLINE_EXCEEDED, "QR_TIMEOUT", "no code to link with came in time"
    ),
    errors.CallTimeout: _Row(StatusCode.DEADLINE_EXCEEDED, "TIMEOUT", "request timed out"),
}
"""Every situation with its code, its reason and the text a caller reads."""

INTERNAL = _Row(StatusCode.INTERNAL, "INTERNAL_ERROR", "internal error")
"""What a caller learns of a fault of ours: nothing else."""


@dataclass(frozen=True)
class Fault:
    """A failed call, ready to be sent by either door."""

    code: StatusCode
    reason: str
    message: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    violations: Sequence[errors.Violation] = ()
    retry_after: int = 0

    @classmethod
    def of(cls, error: Exception, *, request_id: str = "") -> Fault:
        """Maps an error; anything but a DomainError becomes INTERNAL_ERROR.

        The id of the request is told along, to be found again in the log.
        """
        kinds = (TABLE[kind] for kind in type(error).__mro__ if kind in TABLE)
        row = next(kinds, INTERNAL)
        return cls(
            row.code,
            row.reason,
            row.message,
            metadata=_metadata(error) | ({"request_id": request_id} if request_id else {}),
            violations=_violations(error),
            retry_after=getattr(error, "retry_after", 0),
        )

    def status(self) -> status_pb2.Status:
        """Builds the google.rpc.Status: one ErrorInfo, BadRequest, RetryInfo."""
        info = error_details_pb2.ErrorInfo(
            reason=self.reason, domain=DOMAIN, metadata=dict(self.metadata)
        )
        details: list[Message] = [info]
        if self.violations:
            details.append(_bad_request(self.violations))
        if self.retry_after:
            delay = duration_pb2.Duration(seconds=self.retry_after)
            details.append(error_details_pb2.RetryInfo(retry_delay=delay))
        return status_pb2.Status(
            code=self.code.value[0], message=self.message, details=[_pack(d) for d in details]
        )

    def envelope(self, now: datetime | None = None) -> str:
        """Writes the documented JSON body, in ASCII: it travels in a header."""
        body: dict[str, object] = {
            "success": False,
            "error": self.message,
            "error_code": self.reason,
            "timestamp": (now or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        if self.violations:
            body["validation"] = [
                {"field": v.field, "message": v.message, "value": _bounded(v.value)}
                for v in self.violations
            ]
        return json.dumps(body)


def _violations(error: Exception) -> Sequence[errors.Violation]:
    if isinstance(error, errors.AlreadyLinked):
        return (errors.Violation("device_id", "is linked already; log out first", ""),)
    return error.violations if isinstance(error, errors.ValidationFailed) else ()


def _metadata(error: Exception) -> dict[str, str]:
    if isinstance(error, errors.DeviceNotReady):
        facts = {"state": str(error.state), "reason": str(error.reason)}
        return {name: fact for name, fact in facts.items() if fact}
    if isinstance(error, errors.BudgetExhausted):
        return {"query_class": str(error.query_class)}
    if isinstance(error, errors.WhatsappError) and error.code:
        return {"code": str(error.code)}
    if isinstance(error, errors.EngineCannot):
        return {"why": "ENGINE_CANNOT"}
    if isinstance(error, errors.NotFound):
        return {"what": error.what}
    return {}


def _bad_request(violations: Sequence[errors.Violation]) -> error_details_pb2.BadRequest:
    return error_details_pb2.BadRequest(
        field_violations=[
            error_details_pb2.BadRequest.FieldViolation(field=v.field, description=v.message)
            for v in violations
        ]
    )


def _bounded(value: str) -> str:
    return value if len(value) <= _MAX_VALUE else value[:_MAX_VALUE] + "…"


def _pack(message: Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed
