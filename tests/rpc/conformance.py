"""Examines every failed status that native callers get in the tests, as AIP-193 wants it.

`conforming` is a fixture: a folder's conftest.py imports it, and each test of the folder fails
when one of its calls ended in a status without proper details.
"""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from wuts.contacts.v1 import error_reason_pb2
from wuts.rpc.error_status import INTERNAL, TABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_NAMES = error_reason_pb2.ErrorReason.DESCRIPTOR.values_by_name
_CODES = {row.reason: row.code for row in (*TABLE.values(), INTERNAL)}
_CODES["PAYLOAD_TOO_LARGE"] = grpc.StatusCode.UNKNOWN  # the gateway's; gRPC has no code for it
_REASONS = {name.removeprefix("ERROR_REASON_") for name in _NAMES}
_WITH_PAUSE = {"RATE_LIMITED", "BUDGET_EXHAUSTED"}
_OURS = "/wuts."
_TRANSCODED = "x-envoy-original-path"
_OF_TRANSPORT = re.compile(
    "Deadline Exceeded|.*[Cc]ancel.*|Socket closed|Stream removed.*|.*GOAWAY.*|.*RST_STREAM.*"
    "|Connection reset.*|failed to connect.*|.*[Cc]hannel.*closed.*|recvmsg:.*",
    re.DOTALL,
)
# What gRPC itself says on the caller's side of a broken connection or an ended call. No text of
# the service's own is like these; a test below says so.


def faults_of(code: grpc.StatusCode, message: str, trailing: Mapping[str, Any]) -> list[str]:
    """Lists what is wrong with a failed status; nothing for those that gRPC made itself."""
    data = trailing.get("grpc-status-details-bin")
    if data is None:
        made_here = not trailing and _OF_TRANSPORT.fullmatch(message)
        return [] if made_here else [f"{code.name} without details: {message}"]
    status = status_pb2.Status.FromString(data)
    faults = [] if status.code == code.value[0] else [f"code {status.code} in {code.name}"]
    faults += [] if status.message == message else ["two messages"]
    return faults + _faults_of_details(code, status.details, trailing)


def _faults_of_details(
    code: grpc.StatusCode, details: Any, trailing: Mapping[str, Any]
) -> list[str]:
    infos = _unpacked(details, error_details_pb2.ErrorInfo)
    requests = _unpacked(details, error_details_pb2.BadRequest)
    retries = _unpacked(details, error_details_pb2.RetryInfo)
    if len(infos) != 1:
        return [f"{len(infos)} ErrorInfo"]
    reason = infos[0].reason
    violations = [one for request in requests for one in request.field_violations]
    wanted = {
        "domain is not ours": infos[0].domain == "wuts",
        "reason is not in the proto": reason in _REASONS - {"UNSPECIFIED"},
        "code does not fit the reason": _CODES.get(reason) is code,
        "more details than are told of": len(details) == 1 + len(requests) + len(retries),
        "one BadRequest where a field is at fault, else none": len(requests)
        == (reason == "VALIDATION_ERROR"),
        "a violation without a field or a text": all(v.field and v.description for v in violations),
        "a BadRequest without violations": bool(violations) == bool(requests),
        "no RetryInfo": len(retries) == 1 or reason not in _WITH_PAUSE,
        "a pause of nothing": all(one.retry_delay.ToMilliseconds() > 0 for one in retries),
        "x-error-code is another": trailing.get("x-error-code", reason) == reason,
        "x-error-body is not for native callers": "x-error-body" not in trailing,
    }
    return [f"{reason}: {fault}" for fault, is_right in wanted.items() if not is_right]


def _unpacked(details: Any, kind: Any) -> list[Any]:
    found = []
    for detail in details:
        into = kind()
        if detail.Unpack(into):
            found.append(into)
    return found


class Conformance(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):
    """Notes what is wrong with each failed status of our services."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.examined = 0

    def intercept_unary_unary(
        self, continuation: Any, client_call_details: Any, request: Any
    ) -> Any:
        """Makes the call, and examines how it ends."""
        call = continuation(client_call_details, request)
        names = {key for key, _ in client_call_details.metadata or ()}
        # What a test sends in the gateway's name is answered to the gateway.
        if str(client_call_details.method).startswith(_OURS) and _TRANSCODED not in names:
            call.add_done_callback(self._examine)
        return call

    intercept_unary_stream = intercept_unary_unary

    def _examine(self, call: Any) -> None:
        if call.code() is not grpc.StatusCode.OK:
            self.examined += 1
            trailing = dict(call.trailing_metadata() or ())
            self.faults += faults_of(call.code(), call.details() or "", trailing)


@contextlib.contextmanager
def watching() -> Iterator[Conformance]:
    """Puts an interceptor before every channel that is opened meanwhile."""
    conformance = Conformance()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("insecure_channel", "secure_channel"):
            patch.setattr(grpc, name, _intercepted(getattr(grpc, name), conformance))
        yield conformance


def _intercepted(
    open_channel: Callable[..., grpc.Channel], conformance: Conformance
) -> Callable[..., grpc.Channel]:
    def opened(*arguments: Any, **options: Any) -> grpc.Channel:
        channel = open_channel(*arguments, **options)
        return grpc.intercept_channel(channel, conformance)

    return opened


@pytest.fixture(scope="module", autouse=True)
def conformance() -> Iterator[Conformance]:
    """Watches the channels of a module."""
    with watching() as watched:
        yield watched


@pytest.fixture(autouse=True)
def conforming(conformance: Conformance) -> Iterator[Conformance]:
    """Fails a test of which a call ended in a status that native callers cannot read."""
    conformance.faults.clear()
    yield conformance
    assert not conformance.faults, conformance.faults
