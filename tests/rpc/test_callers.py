"""Who may call: tokens, devices, the open services, and the gateway's metadata."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from failing import failure_of
from wuts.contacts.v1 import contacts_service_pb2 as pb
from wuts.devices.v1 import devices_service_pb2 as devices_pb
from wuts.domain.errors import DeviceNotReady, DomainError
from wuts.domain.jid import pn_jid
from wuts.domain.state import DeviceState
from wuts.ports import Linked, QrText

if TYPE_CHECKING:
    from fakes import Example

Stub = Any  # the plugin's fixture is untyped
REQUEST = pb.ResolveIdentifiersRequest(jids=["5511999999999"])


def refused(stub: Stub, *metadata: tuple[str, str]) -> str:
    """Calls with this metadata; gives the reason of the refusal."""
    return failure_of(lambda: stub.ResolveIdentifiers(REQUEST, metadata=metadata)).reason


class TestAuthentication:
    """Every call of ours needs a good token."""

    @pytest.mark.parametrize("form", ["Bearer {}", "bearer {}", "BEARER  {}", "{}"])
    def test_takes_every_spelling(self, grpc_stub: Stub, example: Example, form: str) -> None:
        """The scheme may be in any case, or missing."""
        for token in (example.token, example.token.upper()):
            metadata = [("authorization", form.format(token))]
            assert grpc_stub.ResolveIdentifiers(REQUEST, metadata=metadata).success

    @pytest.mark.parametrize(
        "value",
        [
            "",
            "Bearer",
            "Bearer x",
            "Bearer 9d3f6c1e-52a4-4b0e-9c77-2f5a1e8b6d40",
            "Basic 9d3f6c1e-52a4-4b0e-9c77-2f5a1e8b6d40",
            "Bearer 9d3f6c1e-52a4-11ee-9c77-2f5a1e8b6d40",
            "Bearer {token}{token}",
            "Bearer {token},Bearer {token}",
            "{token} x",
        ],
    )
    def test_refuses_anything_else(self, grpc_stub: Stub, example: Example, value: str) -> None:
        """A missing, malformed or unknown token is refused."""
        value = value.replace("{token}", example.token)
        assert "UNAUTHORIZED" == refused(grpc_stub, ("authorization", value))

    def test_refuses_two_tokens(self, grpc_stub: Stub, example: Example) -> None:
        """Two authorization entries are no token, even if both are good."""
        good = ("authorization", example.token)
        assert "UNAUTHORIZED" == refused(grpc_stub, good, good)

    def test_refuses_a_token_elsewhere(self, grpc_stub: Stub, example: Example) -> None:
        """A token in another entry counts for nothing."""
        assert "UNAUTHORIZED" == refused(grpc_stub, ("cookie", example.token))

    def test_a_revoked_token_stops_working(self, grpc_stub: Stub, example: Example) -> None:
        """The first call after a revocation is refused."""
        token = example.directory.add_token("demo", "demo")
        metadata = [("authorization", token)]
        assert grpc_stub.ResolveIdentifiers(REQUEST, metadata=metadata).success
        example.directory.revoke_token(token)
        assert "UNAUTHORIZED" == refused(grpc_stub, *metadata)


class TestDeviceChoice:
    """The token says which device is meant."""

    def test_several_devices_need_a_choice(self, grpc_stub: Stub, example: Example) -> None:
        """An unbound token of a user with two devices is refused, with a remedy."""
        token = example.add_user("several", devices=2)
        failure = failure_of(
            lambda: grpc_stub.ResolveIdentifiers(REQUEST, metadata=[("authorization", token)])
        )
        assert (grpc.StatusCode.ABORTED, "DEVICE_NOT_CHOSEN") == (failure.code, failure.reason)
        assert "--device" in failure.message

    def test_a_bound_token_chooses(self, grpc_stub: Stub, example: Example) -> None:
        """A token bound to one of the devices is good for it."""
        other = example.directory.create_device("demo", "demo")
        try:
            token = example.directory.add_token("demo", "demo", example.device)
            metadata = [("authorization", token)]
            assert grpc_stub.ResolveIdentifiers(REQUEST, metadata=metadata).success
        finally:
            example.directory.remove_device(other)

    def test_without_a_device_nothing_is_ready(self, grpc_stub: Stub, example: Example) -> None:
        """A user without any device is told that none is ready."""
        token = example.add_user("none", devices=0)
        assert "DEVICE_NOT_READY" == refused(grpc_stub, ("authorization", token))


class TestGatewayMetadata:
    """What the gateway needs is sent to the gateway only."""

    def test_a_transcoded_call_gets_the_envelope(self, grpc_stub: Stub) -> None:
        """With the transcoder's mark the finished JSON body comes along."""
        metadata = [("x-envoy-original-path", "/contacts/resolve")]
        failure = failure_of(lambda: grpc_stub.ResolveIdentifiers(REQUEST, metadata=metadata))
        body = json.loads(failure.trailing["x-error-body"])
        assert ("UNAUTHORIZED", False) == (body["error_code"], body["success"])

    def test_a_native_call_gets_none(self, grpc_stub: Stub) -> None:
        """Without the mark only the code travels beside the status."""
        failure = failure_of(lambda: grpc_stub.ResolveIdentifiers(REQUEST))
        assert (True, False) == (
            "x-error-code" in failure.trailing,
            "x-error-body" in failure.trailing,
        )


class TestRawBytes:
    """What no stub would send."""

    def call(self, channel: grpc.Channel, method: str, data: bytes, *auth: tuple[str, str]) -> Any:
        """Sends bytes to a method."""
        path = f"/wuts.contacts.v1.ContactsService/{method}"
        ask: Any = channel.unary_unary(path)
        return ask(data, metadata=auth)

    @pytest.mark.parametrize("data", [b"\xff\xff\xff", b"\x0a\x02\xff\xfe"])
    def test_undecodable_bytes(
        self, grpc_channel: grpc.Channel, example: Example, data: bytes
    ) -> None:
        """Bytes that are no request are a validation error, in our words only."""
        good = ("authorization", example.token)
        failure = failure_of(lambda: self.call(grpc_channel, "ResolveIdentifiers", data, good))
        assert ("VALIDATION_ERROR", ["request"]) == (failure.reason, failure.fields)
        assert "validation failed" == failure.message

    def test_the_token_comes_first(self, grpc_channel: grpc.Channel) -> None:
        """Without a token nothing is said of the bytes."""
        failure = failure_of(lambda: self.call(grpc_channel, "ListContacts", b"\xff"))
        assert "UNAUTHORIZED" == failure.reason

    def test_an_unknown_method(self, grpc_channel: grpc.Channel, example: Example) -> None:
        """A method that does not exist is NOT_IMPLEMENTED, with its ErrorInfo."""
        good = ("authorization", example.token)
        failure = failure_of(lambda: self.call(grpc_channel, "DropContacts", b"", good))
        expected = (grpc.StatusCode.UNIMPLEMENTED, "NOT_IMPLEMENTED")
        assert expected == (failure.code, failure.reason)


class TestOpenServices:
    """Health and reflection need no token."""

    def test_health_serves(self, grpc_channel: grpc.Channel) -> None:
        """Overall, both services and the sandbox's mark are SERVING."""
        stub: Any = health_pb2_grpc.HealthStub(grpc_channel)
        names = ["", "wuts.contacts.v1.ContactsService", "wuts.devices.v1.DevicesService"]
        found = [
            stub.Check(health_pb2.HealthCheckRequest(service=name)).status
            for name in [*names, "wuts.sandbox"]
        ]
        assert [health_pb2.HealthCheckResponse.SERVING] * 4 == found

    def test_reflection_lists_the_services(self, grpc_channel: grpc.Channel) -> None:
        """Whoever explores finds every service."""
        make_stub: Any = reflection_pb2_grpc.ServerReflectionStub
        stub = make_stub(grpc_channel)
        question = reflection_pb2.ServerReflectionRequest(list_services="*")
        answer = next(iter(stub.ServerReflectionInfo(iter([question]))))
        names = {service.name for service in answer.list_services_response.service}
        assert {"wuts.contacts.v1.ContactsService", "wuts.devices.v1.DevicesService"} <= names


class TestLinkDevice:
    """LinkDevice streams codes until the device is linked."""

    def link(self, stub: Stub, token: str, device: str = "") -> list[devices_pb.LinkDeviceResponse]:
        """Links and gives all steps."""
        request = devices_pb.LinkDeviceRequest(device_id=device)
        return list(stub.LinkDevice(request, metadata=[("authorization", token)]))

    def test_streams_codes_then_linked(self, devices_stub: Stub, example: Example) -> None:
        """Each QR code comes, and at last the account."""
        token = example.add_user("linker", devices=1)
        caller = example.directory.authenticate(token)
        assert caller is not None
        steps: list[QrText | Linked | DomainError] = [
            QrText("one"),
            QrText("two"),
            Linked(pn_jid("5511900000009")),
        ]
        example.sessions.link_steps[caller.device()] = steps
        found = self.link(devices_stub, token)
        texts = [step.qr_code.text for step in found[:-1]]
        assert (["one", "two"], "5511900000009@s.whatsapp.net") == (texts, found[-1].linked.jid)

    def test_makes_the_first_device(self, devices_stub: Stub, example: Example) -> None:
        """A user without devices gets one on the way."""
        token = example.add_user("fresh", devices=0)
        self.link(devices_stub, token)
        caller = example.directory.authenticate(token)
        assert caller is not None
        assert len(caller.devices) == 1

    def test_says_why_it_failed(self, devices_stub: Stub, example: Example) -> None:
        """A failed pairing ends the stream with the state it ended in."""
        token = example.add_user("unlucky", devices=1)
        caller = example.directory.authenticate(token)
        assert caller is not None
        example.sessions.link_steps[caller.device()] = [DeviceNotReady(DeviceState.NEW)]
        failure = failure_of(lambda: self.link(devices_stub, token))
        assert ("DEVICE_NOT_READY", {"state": "NEW"}) == (failure.reason, failure.metadata)

    def test_touches_only_own_devices(self, devices_stub: Stub, example: Example) -> None:
        """Another user's device does not exist for the caller."""
        token = example.add_user("stranger", devices=1)
        failure = failure_of(lambda: self.link(devices_stub, token, example.device))
        assert (grpc.StatusCode.NOT_FOUND, "NOT_FOUND") == (failure.code, failure.reason)
