"""The rate that one token may keep."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_status import rpc_status

from wuts.contacts.v1.contacts_service_pb2 import ListContactsRequest
from wuts.contacts.v1.contacts_service_pb2_grpc import ContactsServiceStub

from . import world
from .exchange import envelope, over_http1, reason_of
from .probes import Probe
from .running import Gateway, running_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

_BURST = 5


@pytest.fixture(scope="module")
def strict(service_port: int) -> Iterator[Gateway]:
    """Runs the gateway with a burst of five, and one request a second."""
    options = ("--rate", "1", "--burst", str(_BURST))
    with (
        tempfile.TemporaryDirectory(prefix="wuts") as path,
        running_gateway(service_port, Path(path), *options) as running,
    ):
        yield running


def _ask(gateway: Gateway, authorization: str) -> int:
    headers = (("authorization", authorization),) if authorization else ()
    return over_http1(gateway.port, Probe("", "/devices", headers=headers)).status


class TestRate:
    """Requests of one token, one after the other."""

    def test_too_many(self, strict: Gateway) -> None:
        """Tells the one too many to wait, in the documented form."""
        headers = (("authorization", world.DEMO),)
        replies = [
            over_http1(strict.port, Probe("", "/contacts", headers=headers))
            for _ in range(_BURST + 1)
        ]
        assert [reply.status for reply in replies] == [200] * _BURST + [429]
        assert envelope(replies[-1])["error_code"] == "RATE_LIMITED"
        assert replies[-1].headers["retry-after"] == "1"

    def test_spellings(self, strict: Gateway) -> None:
        """Counts a token however it is spelled."""
        token = world.EMPTY
        spelled: tuple[str, ...] = (token, f"Bearer {token}", f"bearer  {token}")
        spelled += (f"BEARER {token.upper()}", f"{token[:8].upper()}{token[8:]}")
        spelled += (f"Bearer {token[:20]}{token[20:].upper()}",)
        found = [_ask(strict, authorization) for authorization in spelled]
        assert found == [200] * _BURST + [429]

    def test_apart(self, strict: Gateway) -> None:
        """Leaves other tokens alone."""
        for _ in range(_BURST + 1):
            _ask(strict, world.KEEPER)
        assert (_ask(strict, world.KEEPER), _ask(strict, world.MANAGER)) == (429, 200)

    def test_without_a_token(self, strict: Gateway) -> None:
        """Does not count callers without one: they are refused at once."""
        assert {_ask(strict, "") for _ in range(3 * _BURST)} == {401}

    def test_health(self, strict: Gateway) -> None:
        """Does not count health checks."""
        with grpc.insecure_channel(f"127.0.0.1:{strict.port}") as channel:
            check = channel.unary_unary(
                "/grpc.health.v1.Health/Check",
                request_serializer=HealthCheckRequest.SerializeToString,
                response_deserializer=HealthCheckResponse.FromString,
            )
            answers = [check(HealthCheckRequest(), timeout=5) for _ in range(20)]
        assert {answer.status for answer in answers} == {HealthCheckResponse.SERVING}

    def test_native(self, strict: Gateway) -> None:
        """Tells native callers by status and details."""
        headers = (("authorization", world.MAKER),)
        for _ in range(_BURST):
            over_http1(strict.port, Probe("", "/devices", headers=headers))
        with grpc.insecure_channel(f"127.0.0.1:{strict.port}") as channel:
            stub = ContactsServiceStub(channel)
            with pytest.raises(grpc.RpcError) as caught:
                stub.ListContacts(ListContactsRequest(), metadata=headers, timeout=5)
        status, retry = rpc_status.from_call(caught.value), RetryInfo()  # type: ignore[arg-type]  # the stubs know no call that is an error
        assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert reason_of(caught.value) == "RATE_LIMITED"
        assert status is not None
        assert status.details[1].Unpack(retry)
        assert retry.retry_delay.seconds == 1

    def test_no_limit(self, service_port: int, folder: Path) -> None:
        """Counts nothing when told so."""
        with running_gateway(service_port, folder, "--rate", "0", "--burst", "1") as gateway:
            assert {_ask(gateway, world.DEMO) for _ in range(20)} == {200}
