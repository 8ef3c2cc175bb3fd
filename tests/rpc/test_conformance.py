"""The examination itself finds what it looks for."""

from __future__ import annotations

from concurrent import futures
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2

from failing import failure_of
from wuts.contacts.v1 import contacts_service_pb2 as pb
from wuts.contacts.v1 import contacts_service_pb2_grpc as pb_grpc
from wuts.domain import errors
from wuts.domain.state import DeviceState
from wuts.rpc.error_status import INTERNAL, TABLE, Fault

from .conformance import _OF_TRANSPORT, Conformance, faults_of, watching

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.message import Message

INFO = error_details_pb2.ErrorInfo(reason="NOT_FOUND", domain="wuts")
BAD = error_details_pb2.BadRequest(
    field_violations=[error_details_pb2.BadRequest.FieldViolation(field="jid", description="bad")]
)
NOT_FOUND, INVALID = grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INVALID_ARGUMENT


def info(**changes: str) -> error_details_pb2.ErrorInfo:
    """An ErrorInfo that differs from a right one."""
    return error_details_pb2.ErrorInfo(**{"reason": "NOT_FOUND", "domain": "wuts"} | changes)


def trailing(
    *details: Message, code: int = 5, message: str = "text", **more: str
) -> dict[str, object]:
    """The trailing metadata of a status with these details."""
    packed = [any_pb2.Any() for _ in details]
    for into, one in zip(packed, details, strict=True):
        into.Pack(one)
    status = status_pb2.Status(code=code, message=message, details=packed)
    names = {name.replace("_", "-"): value for name, value in more.items()}
    return {"grpc-status-details-bin": status.SerializeToString(), **names}


class TestFaultsOf:
    """faults_of."""

    @pytest.mark.parametrize(
        "error",
        [
            errors.NotFound("device"),
            errors.ValidationFailed("jid", "is bad", "value"),
            errors.RateLimited(7),
            errors.DeviceNotReady(DeviceState.RECONNECTING, retry_after=1),
            RuntimeError("text"),
        ],
        ids=lambda error: type(error).__name__,
    )
    def test_our_own(self, error: Exception) -> None:
        """Nothing is wrong with the statuses of the service."""
        fault = Fault.of(error)
        metadata = {"grpc-status-details-bin": fault.status().SerializeToString()}
        assert [] == faults_of(fault.code, fault.message, metadata)

    @pytest.mark.parametrize(
        ("code", "metadata", "told"),
        [
            (NOT_FOUND, {}, "NOT_FOUND without details: text"),
            (NOT_FOUND, trailing(), "0 ErrorInfo"),
            (NOT_FOUND, trailing(INFO, INFO), "2 ErrorInfo"),
            (NOT_FOUND, trailing(INFO, code=3), "code 3 in NOT_FOUND"),
            (NOT_FOUND, trailing(INFO, message="other"), "two messages"),
            (NOT_FOUND, trailing(info(domain="other")), "domain is not ours"),
            (NOT_FOUND, trailing(info(reason="OTHER")), "reason is not in the proto"),
            (INVALID, trailing(INFO, code=3), "code does not fit the reason"),
            (NOT_FOUND, trailing(INFO, BAD), "one BadRequest where a field"),
            (NOT_FOUND, trailing(INFO, duration_pb2.Duration()), "more details"),
            (
                INVALID,
                trailing(info(reason="VALIDATION_ERROR"), error_details_pb2.BadRequest(), code=3),
                "a BadRequest without violations",
            ),
            (
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                trailing(info(reason="RATE_LIMITED"), code=8),
                "no RetryInfo",
            ),
            (NOT_FOUND, trailing(INFO, error_details_pb2.RetryInfo()), "a pause of nothing"),
            (NOT_FOUND, trailing(INFO, x_error_code="OTHER"), "x-error-code is another"),
            (NOT_FOUND, trailing(INFO, x_error_body="{}"), "x-error-body is not for native"),
        ],
    )
    def test_a_fault(self, code: grpc.StatusCode, metadata: dict[str, object], told: str) -> None:
        """Each departure from the form is named."""
        assert told in "; ".join(faults_of(code, "text", metadata))

    def test_what_grpc_says_itself(self) -> None:
        """A broken connection has no details, and no text of ours reads like one."""
        code = grpc.StatusCode.UNAVAILABLE
        assert [] == faults_of(code, "Socket closed", {})
        ours = [row.message for row in (*TABLE.values(), INTERNAL)]
        assert [] == [text for text in ours if _OF_TRANSPORT.fullmatch(text)]


class _Bare(pb_grpc.ContactsServiceServicer):
    """Fails without a word about why."""

    def ListContacts(self, request: Any, context: Any) -> Any:  # noqa: N802  # the rpc's name
        context.abort(grpc.StatusCode.UNAVAILABLE, "service unavailable")


class TestConformance:
    """The interceptor sees every call."""

    @pytest.fixture
    def watched(self) -> Iterator[tuple[Conformance, pb_grpc.ContactsServiceStub]]:
        """A channel to a service that fails badly."""
        server = grpc.server(futures.ThreadPoolExecutor(1))
        servicer: Any = type("Bare", (_Bare,), dict.fromkeys(_others(), None))()
        pb_grpc.add_ContactsServiceServicer_to_server(servicer, server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        with watching() as conformance, grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield conformance, pb_grpc.ContactsServiceStub(channel)
        server.stop(0).wait(10)

    def test_a_bare_status(
        self,
        watched: tuple[Conformance, pb_grpc.ContactsServiceStub],
        conforming: Conformance,
    ) -> None:
        """A status without details is noted, in the answer and in a future alike."""
        conformance, stub = watched
        with pytest.raises(grpc.RpcError):
            stub.ListContacts(pb.ListContactsRequest(), timeout=5)
        assert stub.ListContacts.future(pb.ListContactsRequest(), timeout=5).exception(5)
        conforming.faults.clear()  # the fixture of this folder has seen them, too
        fault = "UNAVAILABLE without details: service unavailable"
        assert [fault, fault] == conformance.faults

    def test_a_good_one(
        self,
        grpc_stub: pb_grpc.ContactsServiceStub,
        conforming: Conformance,
    ) -> None:
        """Failures of the real service are examined and found good."""
        before = conforming.examined
        failure = failure_of(lambda: grpc_stub.ListContacts(pb.ListContactsRequest(), timeout=5))
        assert ("UNAUTHORIZED", 1) == (failure.reason, conforming.examined - before)


def _others() -> list[str]:
    service = pb.DESCRIPTOR.services_by_name["ContactsService"]
    return [method.name for method in service.methods if method.name != "ListContacts"]
