"""What every kind of client is asked to ask, and what must come of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf import json_format
from google.rpc import error_details_pb2, status_pb2

from fakes import MARIA, OWN, PICTURE
from wuts.contacts.v1 import contacts_service_pb2
from wuts.devices.v1 import devices_service_pb2
from wuts.domain import errors
from wuts.domain.state import DeviceState, Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.protobuf.message import Message

CONTACTS, DEVICES = "wuts.contacts.v1.ContactsService", "wuts.devices.v1.DevicesService"
_MODULES = {CONTACTS: contacts_service_pb2, DEVICES: devices_service_pb2}
UNKNOWN_TOKEN = "00000000-0000-4000-8000-000000000000"
ODD = 'ç ☃ "%'


@dataclass(frozen=True)
class Answer:
    """What came of a call: messages in protobuf's JSON form, or a failure."""

    messages: Sequence[dict[str, Any]] = ()
    code: str = "OK"
    reason: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    at_fault: tuple[str, ...] = ()
    retry_after: int = 0


@dataclass(frozen=True)
class Question:
    """One call. `because` is what the world behind the service raises meanwhile."""

    name: str
    service: str
    method: str
    fields: dict[str, Any]
    expected: Answer
    token: str = ""
    because: errors.DomainError | None = None

    @property
    def path(self) -> str:
        """The rpc as grpcurl writes it."""
        return f"{self.service}/{self.method}"

    def request(self) -> Message:
        """Builds the request message."""
        made: Message = getattr(_MODULES[self.service], f"{self.method}Request")(**self.fields)
        return made

    def response_type(self) -> type[Message]:
        """Finds the class of the answer."""
        found: type[Message] = getattr(_MODULES[self.service], f"{self.method}Response")
        return found

    def normal(self, message: dict[str, Any]) -> dict[str, Any]:
        """Rewrites protobuf JSON of any flavour with the names of the protos."""
        return as_json(json_format.ParseDict(message, self.response_type()()))


def as_json(message: Message) -> dict[str, Any]:
    """Writes a message as JSON with the names of the protos."""
    found: dict[str, Any] = json_format.MessageToDict(message, preserving_proto_field_name=True)
    return found


def failed(code: int, details: bytes) -> Answer:
    """Reads a serialised google.rpc.Status."""
    status = status_pb2.Status.FromString(details)
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    retry = error_details_pb2.RetryInfo()
    for detail in status.details:
        assert any(detail.Unpack(one) for one in (info, bad, retry))
    assert ("wuts", code) == (info.domain, status.code)
    return Answer(
        code=next(one.name for one in grpc.StatusCode if one.value[0] == code),
        reason=info.reason,
        metadata={key: value for key, value in info.metadata.items() if key != "request_id"},
        at_fault=tuple(violation.field for violation in bad.field_violations),
        retry_after=retry.retry_delay.seconds,
    )


_JOAO = {"jid": "5511888888888@s.whatsapp.net", "full_name": "Joao Pereira", "push_name": "Joao"}
_PICTURE = {
    "jid": f"{MARIA}@s.whatsapp.net",
    "url": PICTURE.url,
    "id": PICTURE.id,
    "type": "image",
    "direct_path": PICTURE.direct_path,
}
_MARIA = {
    "jid": f"{MARIA}@s.whatsapp.net",
    "first_name": "Maria",
    "full_name": "Maria Silva",
    "push_name": "Maria",
    "business_name": "Silva Comercio",
}
_NOT_READY = errors.DeviceNotReady(
    DeviceState.RECONNECTING, reason=Reason.CONNECTION_LOST, retry_after=3
)
_STATE = {"state": "RECONNECTING", "reason": "CONNECTION_LOST"}

QUESTIONS = [
    Question(
        "list", CONTACTS, "ListContacts", {},
        Answer([{"success": True, "count": 2, "contacts": [_MARIA, _JOAO]}]),
    ),
    Question(
        "stream", CONTACTS, "StreamContacts", {"page_size": 5000},
        Answer([{"success": True, "count": 2, "contacts": [_MARIA, _JOAO]}]),
    ),
    Question(
        "invalid stream", CONTACTS, "StreamContacts", {"page_size": 5001},
        Answer(code="INVALID_ARGUMENT", reason="VALIDATION_ERROR", at_fault=("page_size",)),
    ),
    Question(
        "picture", CONTACTS, "GetProfilePicture", {"number": MARIA, "preview": False},
        Answer([{"success": True, "data": _PICTURE}]),
    ),
    Question(
        "unchanged", CONTACTS, "GetProfilePicture", {"number": MARIA, "existing_id": PICTURE.id},
        Answer([{"success": True, "data": {
            "jid": _PICTURE["jid"], "url": None, "id": PICTURE.id, "unchanged": True,
        }}]),
    ),
    Question(
        "resolve", CONTACTS, "ResolveIdentifiers", {"jids": [ODD]},
        Answer([{"success": True, "count": 1, "items": [
            {"input": ODD, "status": "INVALID_IDENTIFIER", "detail": ""},
        ]}]),
    ),
    Question(
        "link", DEVICES, "LinkDevice", {},
        Answer([{"linked": {"jid": f"{OWN}@s.whatsapp.net"}}]),
    ),
    Question(
        "unauthorized", CONTACTS, "ListContacts", {},
        Answer(code="UNAUTHENTICATED", reason="UNAUTHORIZED"), token=UNKNOWN_TOKEN,
    ),
    Question(
        "invalid", CONTACTS, "GetProfilePicture", {},
        Answer(code="INVALID_ARGUMENT", reason="VALIDATION_ERROR", at_fault=("jid",)),
    ),
    Question(
        "hidden", CONTACTS, "GetProfilePicture", {"number": MARIA},
        Answer(code="PERMISSION_DENIED", reason="PICTURE_HIDDEN"), because=errors.PictureHidden(),
    ),
    Question(
        "limited", CONTACTS, "GetProfilePicture", {"number": MARIA},
        Answer(code="RESOURCE_EXHAUSTED", reason="RATE_LIMITED", retry_after=7),
        because=errors.RateLimited(7),
    ),
    Question(
        "not ready", CONTACTS, "GetProfilePicture", {"number": MARIA},
        Answer(code="UNAVAILABLE", reason="DEVICE_NOT_READY", metadata=_STATE, retry_after=3),
        because=_NOT_READY,
    ),
    Question(
        "unknown device", DEVICES, "WatchDevice", {"device_id": "nowhere"},
        Answer(code="NOT_FOUND", reason="NOT_FOUND", metadata={"what": "device"}),
    ),
]  # fmt: skip
