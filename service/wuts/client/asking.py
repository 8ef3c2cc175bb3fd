"""One call, ready to be made by either client: which rpc, with what, and how to read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from google.protobuf.descriptor_pb2 import MethodOptions
from google.protobuf.message import Message

from wuts.contacts.v1 import contacts_service_pb2
from wuts.devices.v1 import devices_service_pb2

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.descriptor import MethodDescriptor

Answer = TypeVar("Answer", bound=Message)
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

SHORT = 17.0
"""Seconds for most calls: the gateway gives them 15 and shall say itself what was too slow."""
LONG = 32.0
"""Seconds for lists and for calls that wait for a phone, to which the gateway gives 30."""

_SERVICES = [
    service
    for module in (contacts_service_pb2, devices_service_pb2)
    for service in module.DESCRIPTOR.services_by_name.values()
]
# No two rpcs share a request message (buf sees to it), so a request names its rpc.
_RPCS: dict[str, MethodDescriptor] = {
    rpc.input_type.full_name: rpc for service in _SERVICES for rpc in service.methods
}


@dataclass(frozen=True)
class Ask(Generic[T_co]):
    """A call that gives a `T_co`; of a stream, one for each message."""

    path: str
    """The path of the rpc, "/package.Service/Method"."""
    request: bytes
    read: Callable[[bytes], T_co]
    """Makes the value from the bytes of an answer."""
    timeout: float | None
    """Seconds that the caller of this call allows; None: whatever the client does."""
    usual_timeout: float | None
    """Seconds that suit the call; None: no limit, which only streams have."""
    is_safe: bool
    """Whether it may be made twice: the rpc is marked NO_SIDE_EFFECTS."""
    rest: Callable[[Any], bytes | None] | None = None
    """Makes the request for what follows a value of a stream, None behind the last value.
    Absent for streams that cannot be resumed."""


def ask(
    request: Message,
    answer: type[Answer],
    read: Callable[[Answer], T],
    *,
    timeout: float | None,
    usual_timeout: float | None = SHORT,
    rest: Callable[[T], Message | None] | None = None,
) -> Ask[T]:
    """Makes a call of a request, which names its rpc, and of how to read the answer.

    `rest` makes the request for what follows a value, None behind the last one.
    """
    rpc = _RPCS[request.DESCRIPTOR.full_name]
    return Ask(
        path=f"/{rpc.containing_service.full_name}/{rpc.name}",
        request=request.SerializeToString(),
        read=lambda data: read(answer.FromString(data)),
        timeout=timeout,
        usual_timeout=usual_timeout,
        is_safe=rpc.GetOptions().idempotency_level == MethodOptions.NO_SIDE_EFFECTS,
        rest=_serialized(rest) if rest else None,
    )


def _serialized(rest: Callable[[T], Message | None]) -> Callable[[T], bytes | None]:
    def made(value: T) -> bytes | None:
        request = rest(value)
        return None if request is None else request.SerializeToString()

    return made
