"""Size and time: what is too long, too slow, or allowed to last."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack
from http.client import HTTPResponse
from typing import TYPE_CHECKING

import grpc
import pytest

from wuts.contacts.v1.contacts_service_pb2 import GetProfilePictureRequest
from wuts.contacts.v1.contacts_service_pb2_grpc import ContactsServiceStub
from wuts.devices.v1.devices_service_pb2 import LinkDeviceRequest, WatchDeviceRequest
from wuts.devices.v1.devices_service_pb2_grpc import DevicesServiceStub

from . import world
from .exchange import Reply, envelope, over_http1
from .probes import AUTH, Probe, picture
from .running import HURRIED_CALL, changed_config, running_gateway

if TYPE_CHECKING:
    from pathlib import Path

    from .running import Gateway

_SMALL_ANSWER = "max_response_body_size: 100000"
_SLACK = 2.0  # seconds that a busy machine may add


def _begin(gateway: Gateway, data: str) -> Reply:
    """Sends the beginning of a request, then nothing; gives the reply."""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as connection:
        connection.sendall(data.encode())
        response = HTTPResponse(connection)
        response.begin()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, headers, response.read())


def _is_closed(connection: socket.socket) -> bool:
    """Waits for the other side; tells whether it has hung up."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


class TestSize:
    """Large answers."""

    def test_a_hundred_thousand_contacts(self, gateway: Gateway) -> None:
        """Passes a list of 100,000 contacts as JSON."""
        headers = (("authorization", world.CROWDED),)
        reply = over_http1(gateway.port, Probe("crowd", "/contacts", headers=headers))
        body = reply.json()
        found = (reply.status, body["count"], len(body["contacts"]))
        assert found == (200, world.CROWD, world.CROWD)

    def test_a_longer_answer(self, service_port: int, folder: Path) -> None:
        """Answers 500 when the JSON would be longer than allowed, and goes on."""
        config = changed_config(folder, ("max_response_body_size: 67108864", _SMALL_ANSWER))
        headers = (("authorization", world.CROWDED),)
        with running_gateway(service_port, folder, config=config) as gateway:
            reply = over_http1(gateway.port, Probe("crowd", "/contacts", headers=headers))
            after = over_http1(gateway.port, Probe("few", "/contacts"))
        found = (reply.status, envelope(reply)["error_code"], after.status)
        assert found == (500, "INTERNAL_ERROR", 200)

    def test_an_endless_body(self, gateway: Gateway) -> None:
        """Answers 413 while the caller is still sending."""
        head = f"POST /contacts/resolve HTTP/1.1\r\nhost: x\r\nauthorization: {world.DEMO}\r\n"
        length = "content-length: 1000000000\r\n\r\n"
        reply = _begin(gateway, f"{head}{length}{'a' * 100_000}")
        assert (reply.status, envelope(reply)["error_code"]) == (413, "PAYLOAD_TOO_LARGE")


class TestLoad:
    """More than the gateway takes."""

    def test_memory(self, service_port: int, folder: Path) -> None:
        """Answers 503 when its memory is used up."""
        little = ("max_heap_size_bytes: 1073741824", "max_heap_size_bytes: 1000000")
        config = changed_config(folder, little)
        with running_gateway(service_port, folder, config=config) as gateway:
            reply, end = over_http1(gateway.port, Probe("", "/contacts")), time.monotonic() + 10
            while reply.status == 200 and time.monotonic() < end:  # it looks every 0.25 s
                reply = over_http1(gateway.port, Probe("", "/contacts"))
        assert (reply.status, envelope(reply)["error_code"]) == (503, "SERVICE_UNAVAILABLE")

    def test_connections(self, service_port: int, folder: Path) -> None:
        """Closes connections beyond its limit, without an answer."""
        few = ("connections: 1000", "connections: 3")
        config = changed_config(folder, few)
        with running_gateway(service_port, folder, config=config) as gateway, ExitStack() as stack:
            address = ("127.0.0.1", gateway.port)
            held = [stack.enter_context(socket.create_connection(address, 5)) for _ in range(4)]
            assert _is_closed(held[-1])
            held[0].sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            assert held[0].recv(12) == b"HTTP/1.1 404"


class TestTime:
    """Patience; the hurried gateway has little of it."""

    def test_slow_headers(self, hurried: Gateway) -> None:
        """Answers 408 to a caller that does not finish its headers."""
        reply = _begin(hurried, "GET /contacts HTTP/1.1\r\nhost: x\r\n")
        assert (reply.status, envelope(reply)["error_code"]) == (408, "TIMEOUT")

    def test_slow_body(self, hurried: Gateway) -> None:
        """Answers 408 to a caller that does not finish its body."""
        head = f"POST /contacts/resolve HTTP/1.1\r\nhost: x\r\nauthorization: {world.DEMO}\r\n"
        reply = _begin(hurried, f'{head}content-length: 100\r\n\r\n{{"jids"')
        assert (reply.status, envelope(reply)["error_code"]) == (408, "TIMEOUT")

    def test_a_silent_service(self, hurried: Gateway) -> None:
        """Answers 504 when the service does not answer in time."""
        reply = over_http1(hurried.port, picture("silent", f"jid={world.SILENT}"))
        assert (reply.status, envelope(reply)["error_code"]) == (504, "TIMEOUT")

    @pytest.mark.parametrize(
        ("asked", "given"), [(None, HURRIED_CALL), (60.0, HURRIED_CALL), (0.2, 0.2)]
    )
    def test_deadlines_of_native_callers(
        self, hurried: Gateway, asked: float | None, given: float
    ) -> None:
        """Lets a native caller ask for less time, never for more."""
        request, start = GetProfilePictureRequest(jid=world.SILENT), time.monotonic()
        with grpc.insecure_channel(f"127.0.0.1:{hurried.port}") as channel:
            stub = ContactsServiceStub(channel)
            with pytest.raises(grpc.RpcError) as caught:
                stub.GetProfilePicture(request, metadata=AUTH, timeout=asked)
        assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        assert given * 0.9 <= time.monotonic() - start < given + _SLACK

    def test_linking_outlives_them(self, hurried: Gateway) -> None:
        """Lets LinkDevice last longer than any call, and be silent meanwhile."""
        with grpc.insecure_channel(f"127.0.0.1:{hurried.port}") as channel:
            steps = DevicesServiceStub(channel).LinkDevice(LinkDeviceRequest(), metadata=AUTH)
            seen = [step.WhichOneof("step") for step in steps]
        assert seen == ["qr_code", "linked"]

    def test_watching_outlives_them(self, hurried: Gateway) -> None:
        """Lets WatchDevice be silent for longer than any call may last."""
        with grpc.insecure_channel(f"127.0.0.1:{hurried.port}") as channel:
            states = DevicesServiceStub(channel).WatchDevice(WatchDeviceRequest(), metadata=AUTH)
            seen = [next(states).state.state for _ in range(2)]
            states.cancel()
        assert seen == ["CONNECTED", "CONNECTED"]
