"""Native gRPC, gRPC-Web, health and reflection on the same port."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import httpx
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from wuts.contacts.v1.contacts_service_pb2 import (
    ListContactsRequest,
    ListContactsResponse,
    ResolveIdentifiersRequest,
)

from . import world
from .exchange import over_http2, reason_of
from .probes import AUTH, Probe

if TYPE_CHECKING:
    from wuts.contacts.v1.contacts_service_pb2_grpc import ContactsServiceStub

    from .running import Gateway

_GRPCURL = Path(sys.executable).parent / "grpcurl"
_LIST = "/wuts.contacts.v1.ContactsService/ListContacts"


def _grpcurl(gateway: Gateway, *arguments: str) -> str:
    command = [str(_GRPCURL), "-plaintext", "-max-time", "10", *arguments[:-1]]
    command += [f"127.0.0.1:{gateway.port}", *arguments[-1].split(" ")]
    return subprocess.check_output(command, timeout=20, text=True)  # the installed grpcurl


def _from_text(text: str) -> bytes:
    """Decodes gRPC-Web text: every frame has its own padding."""
    return b"".join(base64.b64decode(part) for part in re.findall("[^=]+=*", text))


class TestNative:
    """A gRPC client."""

    def test_a_call(self, contacts: ContactsServiceStub) -> None:
        """Passes a call and its answer."""
        response = contacts.ListContacts(ListContactsRequest(), metadata=AUTH, timeout=5)
        assert [c.full_name for c in response.contacts] == ["Maria Silva", "Joao Pereira"]

    @pytest.mark.parametrize(
        "method",
        [
            "/wuts.contacts.v1.ContactsService/Missing",
            "/wuts.devices.v1.DevicesService/Missing",
            "/missing.Service/Missing",
            "/wuts.gateway.v1.TokenService/CheckToken",
        ],
    )
    def test_an_unknown_method(self, gateway: Gateway, method: str) -> None:
        """Answers UNIMPLEMENTED to methods and services that do not exist."""
        with grpc.insecure_channel(f"127.0.0.1:{gateway.port}") as channel:
            call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method)
            with pytest.raises(grpc.RpcError) as caught:
                call(b"", metadata=AUTH, timeout=5)
        assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED
        assert reason_of(caught.value) == "NOT_IMPLEMENTED"

    def test_a_large_request(self, contacts: ContactsServiceStub) -> None:
        """Refuses a request beyond 64 KiB."""
        request = ResolveIdentifiersRequest(jids=["a" * 70_000])
        with pytest.raises(grpc.RpcError) as caught:
            contacts.ResolveIdentifiers(request, metadata=AUTH, timeout=5)
        assert caught.value.code() == grpc.StatusCode.UNKNOWN
        assert reason_of(caught.value) == "PAYLOAD_TOO_LARGE"

    def test_on_a_json_path(self, gateway: Gateway) -> None:
        """Answers a caller that says it speaks gRPC in gRPC, on any path."""
        probe = Probe("mixed", "/contacts", headers=(*AUTH, ("content-type", "application/grpc")))
        reply = over_http2(gateway.port, probe)
        assert (reply.status, reply.headers["grpc-status"]) == (200, "2")

    def test_health(self, gateway: Gateway) -> None:
        """Passes health checks, which need no token."""
        with grpc.insecure_channel(f"127.0.0.1:{gateway.port}") as channel:
            name = "wuts.contacts.v1.ContactsService"
            check = channel.unary_unary(
                "/grpc.health.v1.Health/Check",
                request_serializer=HealthCheckRequest.SerializeToString,
                response_deserializer=HealthCheckResponse.FromString,
            )
            answer = check(HealthCheckRequest(service=name), timeout=5)
        assert answer.status == HealthCheckResponse.SERVING


class TestWeb:
    """A gRPC-Web client."""

    @pytest.mark.parametrize("text", [False, True])
    def test_a_call(self, gateway: Gateway, *, text: bool) -> None:
        """Passes a call in both encodings: a message frame, then a trailer frame."""
        kind = "application/grpc-web-text" if text else "application/grpc-web"
        empty = bytes(5)  # one frame with a message of no bytes
        reply = httpx.post(
            f"http://127.0.0.1:{gateway.port}{_LIST}",
            headers=dict(AUTH) | {"content-type": kind, "accept": kind},
            content=base64.b64encode(empty) if text else empty,
            trust_env=False,
        )
        frames = _from_text(reply.text) if text else reply.content
        length = int.from_bytes(frames[1:5], "big")
        assert ListContactsResponse.FromString(frames[5 : 5 + length]).count == 2
        assert b"grpc-status:0" in frames[5 + length :]

    def test_a_failure(self, gateway: Gateway) -> None:
        """Tells a failure as a gRPC status, not as our envelope."""
        reply = httpx.post(
            f"http://127.0.0.1:{gateway.port}{_LIST}",
            headers={"content-type": "application/grpc-web"},
            content=bytes(5),
            trust_env=False,
        )
        assert (reply.status_code, reply.headers["grpc-status"]) == (200, "16")


class TestGrpcurl:
    """The real grpcurl, which learns the services by reflection."""

    def test_list(self, gateway: Gateway) -> None:
        """Lists the services."""
        assert {
            "grpc.health.v1.Health",
            "wuts.contacts.v1.ContactsService",
            "wuts.devices.v1.DevicesService",
        } <= set(_grpcurl(gateway, "list").split())

    def test_describe(self, gateway: Gateway) -> None:
        """Describes a service."""
        described = _grpcurl(gateway, "describe wuts.contacts.v1.ContactsService")
        assert "rpc ListContacts ( .wuts.contacts.v1.ListContactsRequest )" in described

    def test_call(self, gateway: Gateway) -> None:
        """Calls a method with a token."""
        token = f"authorization: Bearer {world.DEMO}"
        answer = _grpcurl(gateway, "-H", token, "wuts.contacts.v1.ContactsService/ListContacts")
        assert '"Maria Silva"' in answer

    def test_status(self, gateway: Gateway) -> None:
        """Calls a method of the devices, which has a route of its own."""
        token = f"authorization: Bearer {world.BOUND}"
        answer = _grpcurl(gateway, "-H", token, "wuts.devices.v1.DevicesService/GetStatus")
        assert '"status": "connected"' in answer

    def test_link(self, hurried: Gateway) -> None:
        """Links a device, although its stream for reflection ends long before."""
        token = f"authorization: Bearer {world.DEMO}"
        answer = _grpcurl(hurried, "-H", token, "wuts.devices.v1.DevicesService/LinkDevice")
        assert '"jid": "5511900000000@s.whatsapp.net"' in answer
