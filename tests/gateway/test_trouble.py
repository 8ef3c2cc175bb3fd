"""A service that is down, going down, or coming back."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from fakes import MARIA
from wuts.contacts.v1.contacts_service_pb2 import GetProfilePictureRequest, ListContactsRequest
from wuts.contacts.v1.contacts_service_pb2_grpc import ContactsServiceStub

from . import world
from .exchange import envelope, over_http1, reason_of
from .probes import AUTH, Probe, picture
from .running import (
    HURRIED_CALL,
    changed_config,
    hurried_config,
    port_of,
    running_gateway,
    running_service,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .running import Gateway

_CONTACTS = Probe("contacts", "/contacts")
_UNAVAILABLE = (503, "SERVICE_UNAVAILABLE")


def _failure(gateway: Gateway, probe: Probe = _CONTACTS) -> tuple[int, str]:
    reply = over_http1(gateway.port, probe)
    return reply.status, envelope(reply)["error_code"]


@pytest.fixture
def unwell_port() -> Iterator[int]:
    """Runs a server that says of itself that it is not serving."""
    server, servicer = grpc.server(ThreadPoolExecutor(2)), health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    name = "wuts.contacts.v1.ContactsService"
    servicer.set(name, health_pb2.HealthCheckResponse.NOT_SERVING)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield port
    server.stop(0).wait()


class TestFrozen:
    """A service that is there and does nothing."""

    @pytest.mark.parametrize(
        "path", ["/contacts/profile-picture?number=5511999999999", "/contacts/stream"]
    )
    def test_the_gateways_own_limit(self, folder: Path, path: str) -> None:
        """The caller hears 504 within the route's limit, not when the stream is idle."""
        with (
            running_service() as service,
            running_gateway(service.port, folder, config=hurried_config(folder)) as gateway,
        ):
            os.kill(service.process.pid, signal.SIGSTOP)
            started = time.monotonic()
            failure = _failure(gateway, Probe("frozen", path))
            took = time.monotonic() - started
            reason = self._native_reason(gateway)
            os.kill(service.process.pid, signal.SIGCONT)
        assert (failure, reason) == ((504, "TIMEOUT"), "TIMEOUT")
        assert took < 2 * HURRIED_CALL

    def _native_reason(self, gateway: Gateway) -> str:
        request = GetProfilePictureRequest(number=MARIA)
        with (
            grpc.insecure_channel(f"127.0.0.1:{gateway.port}") as channel,
            pytest.raises(grpc.RpcError) as caught,
        ):
            ContactsServiceStub(channel).GetProfilePicture(request, metadata=AUTH)
        return reason_of(caught.value)


class TestDown:
    """A service that cannot be reached."""

    def test_not_serving(self, unwell_port: int, folder: Path) -> None:
        """Sends nothing to a service that says it is not serving."""
        with running_gateway(unwell_port, folder, healthy=False) as gateway:
            assert _failure(gateway) == _UNAVAILABLE

    def test_killed_in_mid_call(self, folder: Path) -> None:
        """Answers 503 when the service dies, and serves again once it is back."""
        with running_service() as service, running_gateway(service.port, folder) as gateway:
            silent = picture("silent", f"jid={world.SILENT}")
            with ThreadPoolExecutor(1) as pool:
                call = pool.submit(_failure, gateway, silent)
                assert service.next_line() == "waiting\n"
                service.process.kill()
                assert call.result(10) == _UNAVAILABLE
            service.process.wait(10)
            assert _failure(gateway) == _UNAVAILABLE
            assert _failure(gateway, Probe("stream", "/contacts/stream")) == _UNAVAILABLE
            self._native_failure(gateway)
            with running_service(service.port):
                assert self._recovery(gateway) == 200

    def test_too_many_lists(self, folder: Path) -> None:
        """Refuses a list at once when too many are under way; other calls go on."""
        config = changed_config(folder, ("max_requests: 64", "max_requests: 1"))
        stuck = Probe("stuck", "/contacts", headers=(("authorization", world.STUCK),))
        with (
            ThreadPoolExecutor(1) as pool,
            running_service() as service,
            running_gateway(service.port, folder, config=config) as gateway,
        ):
            call = pool.submit(_failure, gateway, stuck)
            assert service.next_line() == "waiting\n"
            assert _failure(gateway) == _UNAVAILABLE
            found = over_http1(gateway.port, picture("other", f"number={MARIA}"))
            service.process.kill()
            assert (found.status, call.result(10)) == (200, _UNAVAILABLE)

    def _recovery(self, gateway: Gateway) -> int:
        """Asks until the gateway has noticed: it may still judge the service of before."""
        port_of(gateway.admin, healthy=True)
        end = time.monotonic() + 10
        status = 0
        while status != 200 and time.monotonic() < end:
            status = over_http1(gateway.port, _CONTACTS).status
        return status

    def _native_failure(self, gateway: Gateway) -> None:
        with grpc.insecure_channel(f"127.0.0.1:{gateway.port}") as channel:
            stub = ContactsServiceStub(channel)
            with pytest.raises(grpc.RpcError) as caught:
                stub.ListContacts(ListContactsRequest(), metadata=AUTH, timeout=5)
        assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
        assert (caught.value.details(), reason_of(caught.value)) == (
            "service unavailable",
            "SERVICE_UNAVAILABLE",
        )
