"""The server's limits, and how it stops."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from failing import failure_of
from fakes import MARIA, Example
from wuts.contacts.v1 import contacts_service_pb2 as pb
from wuts.contacts.v1 import contacts_service_pb2_grpc as pb_grpc
from wuts.devices.v1 import devices_service_pb2 as devices_pb
from wuts.devices.v1 import devices_service_pb2_grpc as devices_pb_grpc
from wuts.domain.state import DeviceState

from .conftest import ServerThread

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future
    from contextlib import AbstractContextManager

    Place = AbstractContextManager[None]

_LIMIT = 10


class Serving:
    """A server of one test, with a call to WhatsApp that ends when the test says so."""

    def __init__(self) -> None:
        self.example = Example()
        self.auth = (("authorization", self.example.token),)
        self._begun: asyncio.Event | None = None
        self._answer: asyncio.Event | None = None
        self.thread = ServerThread(self.example)
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.thread.server.port}")
        self.contacts = pb_grpc.ContactsServiceStub(self.channel)
        self.devices = devices_pb_grpc.DevicesServiceStub(self.channel)

    def ask(self) -> Any:
        """Begins a call that waits; returns once the server works on it."""
        real = self.example.sessions.picture

        async def prepare() -> None:
            self._begun, self._answer = asyncio.Event(), asyncio.Event()

        async def picture(*args: Any, **more: Any) -> Any:
            assert self._begun is not None
            assert self._answer is not None
            self._begun.set()
            await self._answer.wait()
            return await real(*args, **more)

        self.thread.run(prepare())
        self.example.sessions.picture = picture  # type: ignore[method-assign]  # a fake of a fake
        request = pb.GetProfilePictureRequest(number=MARIA)
        call = self.contacts.GetProfilePicture.future(request, metadata=self.auth, timeout=_LIMIT)
        assert self._begun is not None
        self.thread.run(self._begun.wait())
        return call

    def answer(self) -> None:
        """Lets that call go on."""

        async def go() -> None:
            assert self._answer is not None
            self._answer.set()

        self.thread.run(go())

    def stop(self, seconds: float) -> Future[None]:
        """Begins to stop; returns once new calls are refused."""
        stopping = self.thread.begin(self.thread.server.stop(seconds))
        self._wait_until_refused()
        return stopping

    def list_contacts(self) -> str:
        """Lists; gives the reason of the refusal."""
        request = pb.ListContactsRequest()
        call = self.contacts.ListContacts
        return failure_of(lambda: call(request, metadata=self.auth, timeout=_LIMIT)).reason

    def _wait_until_refused(self) -> None:
        stub: Any = health_pb2_grpc.HealthStub(self.channel)
        end = time.monotonic() + _LIMIT
        while time.monotonic() < end:
            found = stub.Check(health_pb2.HealthCheckRequest(), timeout=_LIMIT).status
            if found == health_pb2.HealthCheckResponse.NOT_SERVING:
                return
        pytest.fail("the server does not stop")


@pytest.fixture
def serving() -> Iterator[Serving]:
    """A server of its own."""
    running = Serving()
    yield running
    running.channel.close()
    running.thread.close()


class TestStop:
    """Server.stop."""

    def test_drains(self, serving: Serving) -> None:
        """A call under way is answered; new ones are refused by name meanwhile."""
        call = serving.ask()
        stopping = serving.stop(_LIMIT)
        reason = serving.list_contacts()
        serving.answer()
        assert ("SERVICE_UNAVAILABLE", True) == (reason, call.result(_LIMIT).success)
        assert stopping.result(_LIMIT) is None

    def test_gives_up(self, serving: Serving) -> None:
        """A call that outlasts the drain is ended."""
        call, start = serving.ask(), time.monotonic()
        serving.stop(0.3).result(_LIMIT)
        assert grpc.StatusCode.UNAVAILABLE == call.code()
        assert time.monotonic() - start < _LIMIT / 2

    def test_hurries(self, serving: Serving) -> None:
        """A second stop without patience ends the first."""
        call = serving.ask()
        stopping, start = serving.stop(60), time.monotonic()
        serving.thread.run(serving.thread.server.stop(0))
        assert stopping.result(_LIMIT) is None
        assert grpc.StatusCode.UNAVAILABLE == call.code()
        assert time.monotonic() - start < _LIMIT / 2

    def test_watchers_do_not_hold_it_up(self, serving: Serving) -> None:
        """Whoever watches a device is told at once that the service stops."""
        request = devices_pb.WatchDeviceRequest()
        states = serving.devices.WatchDevice(request, metadata=serving.auth, timeout=_LIMIT)
        first = next(states).state.state
        start = time.monotonic()
        stopping = serving.thread.begin(serving.thread.server.stop(60))
        reason = failure_of(lambda: next(states)).reason
        stopping.result(_LIMIT)
        assert (DeviceState.CONNECTED, "SERVICE_UNAVAILABLE") == (first, reason)
        assert time.monotonic() - start < _LIMIT / 2


class TestHealth:
    """grpc.health.v1 speaks of the service, not of devices."""

    @pytest.mark.parametrize("state", [DeviceState.BANNED, DeviceState.CRASH_LOOP])
    def test_a_device_in_trouble(self, serving: Serving, state: DeviceState) -> None:
        """The service can serve, whatever becomes of its only device."""
        serving.example.sessions.states[serving.example.device] = state
        assert "DEVICE_NOT_READY" == serving.list_contacts()
        stub: Any = health_pb2_grpc.HealthStub(serving.channel)
        names = ("", "wuts.contacts.v1.ContactsService", "wuts.devices.v1.DevicesService")
        requests = [health_pb2.HealthCheckRequest(service=name) for name in names]
        found = [stub.Check(request, timeout=_LIMIT).status for request in requests]
        assert [health_pb2.HealthCheckResponse.SERVING] * 3 == found
