"""Failures of the service, over both doors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status import rpc_status

from wuts.contacts.v1.contacts_service_pb2 import GetProfilePictureRequest, ListContactsRequest

from . import world
from .exchange import Reply, envelope, over_http1
from .probes import AUTH, Probe, picture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wuts.contacts.v1.contacts_service_pb2_grpc import ContactsServiceStub

    from .running import Gateway

_ROWS = (
    ("Unauthorized", 401, "UNAUTHORIZED", grpc.StatusCode.UNAUTHENTICATED),
    ("Forbidden", 403, "FORBIDDEN", grpc.StatusCode.PERMISSION_DENIED),
    ("PictureHidden", 403, "PICTURE_HIDDEN", grpc.StatusCode.PERMISSION_DENIED),
    ("GroupForbidden", 403, "GROUP_FORBIDDEN", grpc.StatusCode.PERMISSION_DENIED),
    ("NotFound", 404, "NOT_FOUND", grpc.StatusCode.NOT_FOUND),
    ("PictureNotSet", 404, "PICTURE_NOT_SET", grpc.StatusCode.NOT_FOUND),
    ("GroupNotFound", 404, "GROUP_NOT_FOUND", grpc.StatusCode.NOT_FOUND),
    ("NotOnWhatsapp", 404, "NOT_ON_WHATSAPP", grpc.StatusCode.NOT_FOUND),
    ("DeviceNotChosen", 409, "DEVICE_NOT_CHOSEN", grpc.StatusCode.ABORTED),
    ("RateLimited", 429, "RATE_LIMITED", grpc.StatusCode.RESOURCE_EXHAUSTED),
    ("BudgetExhausted", 429, "BUDGET_EXHAUSTED", grpc.StatusCode.RESOURCE_EXHAUSTED),
    ("NotImplementedHere", 501, "NOT_IMPLEMENTED", grpc.StatusCode.UNIMPLEMENTED),
    ("EngineCannot", 501, "NOT_IMPLEMENTED", grpc.StatusCode.UNIMPLEMENTED),
    ("DeviceNotReady", 503, "DEVICE_NOT_READY", grpc.StatusCode.UNAVAILABLE),
    ("StoreUnavailable", 503, "STORE_UNAVAILABLE", grpc.StatusCode.UNAVAILABLE),
    ("ServiceUnavailable", 503, "SERVICE_UNAVAILABLE", grpc.StatusCode.UNAVAILABLE),
    ("WhatsappError", 503, "WHATSAPP_ERROR", grpc.StatusCode.UNAVAILABLE),
    ("WhatsappTimeout", 504, "WHATSAPP_TIMEOUT", grpc.StatusCode.DEADLINE_EXCEEDED),
    ("QrTimeout", 504, "QR_TIMEOUT", grpc.StatusCode.DEADLINE_EXCEEDED),
    ("CallTimeout", 504, "TIMEOUT", grpc.StatusCode.DEADLINE_EXCEEDED),
)


def _ask(gateway: Gateway, person: str) -> Reply:
    return over_http1(gateway.port, picture(person, f"jid={person}"))


def _list(gateway: Gateway, token: str) -> tuple[int, str]:
    probe = Probe("list", "/contacts", headers=(("authorization", token),))
    reply = over_http1(gateway.port, probe)
    return reply.status, envelope(reply)["error_code"]


def _trailing(error: grpc.RpcError) -> set[str]:
    metadata: Sequence[tuple[str, str]] = error.trailing_metadata() or ()  # type: ignore[assignment]  # the stubs know no pairs
    return {key for key, _ in metadata}


class TestOverHttp:
    """JSON callers."""

    @pytest.mark.parametrize(("situation", "status", "code", "_grpc"), _ROWS)
    def test_every_situation(
        self, gateway: Gateway, situation: str, status: int, code: str, _grpc: object
    ) -> None:
        """Turns every situation into its status, its code and the documented envelope."""
        reply = _ask(gateway, world.person_of(situation))
        body = envelope(reply)
        assert (reply.status, body["error_code"]) == (status, code)
        assert "validation" not in body

    def test_every_situation_is_listed(self) -> None:
        """Leaves no situation of the world out of the table."""
        assert {row[0] for row in _ROWS} == set(world.SITUATIONS)

    @pytest.mark.parametrize("situation", ["RateLimited", "BudgetExhausted"])
    def test_retry_after(self, gateway: Gateway, situation: str) -> None:
        """Tells how long to wait when the service knows it."""
        reply = _ask(gateway, world.person_of(situation))
        assert reply.headers["retry-after"] == str(world.RETRY_AFTER)

    def test_a_fault_of_the_service(self, gateway: Gateway) -> None:
        """Answers a crash of a call with fixed words that tell nothing."""
        reply = _ask(gateway, world.FAULTY)
        assert (reply.status, envelope(reply)["error"]) == (500, "internal error")
        assert world.FAULT.encode() not in reply.body

    def test_the_service_writes_the_body(self, gateway: Gateway) -> None:
        """Passes the service's own envelope on, with the caller's value in it."""
        value = 'ção "☃"'
        probe = picture("odd", "jid=%C3%A7%C3%A3o%20%22%E2%98%83%22")
        body = envelope(over_http1(gateway.port, probe))
        assert body["validation"][0]["value"] == value

    @pytest.mark.parametrize(
        ("token", "expected"),
        [
            (world.BROKEN, (503, "STORE_UNAVAILABLE")),
            (world.SEVERAL, (409, "DEVICE_NOT_CHOSEN")),
            (world.NO_DEVICE, (503, "DEVICE_NOT_READY")),
        ],
    )
    def test_trouble_with_the_device(
        self, gateway: Gateway, token: str, expected: tuple[int, str]
    ) -> None:
        """Says what is wrong with the device behind the token."""
        assert _list(gateway, token) == expected


class TestOverGrpc:
    """Native callers."""

    @pytest.mark.parametrize(("situation", "_status", "code", "expected"), _ROWS)
    def test_every_situation(
        self,
        contacts: ContactsServiceStub,
        situation: str,
        _status: int,
        code: str,
        expected: grpc.StatusCode,
    ) -> None:
        """Passes the status with its one ErrorInfo."""
        request = GetProfilePictureRequest(jid=world.person_of(situation))
        with pytest.raises(grpc.RpcError) as caught:
            contacts.GetProfilePicture(request, metadata=AUTH)
        status, info = rpc_status.from_call(caught.value), ErrorInfo()  # type: ignore[arg-type]  # the stubs know no call that is an error
        assert status is not None
        assert status.details[0].Unpack(info)
        assert (caught.value.code(), info.reason) == (expected, code)

    def test_the_text(self, contacts: ContactsServiceStub) -> None:
        """Leaves grpc-message a plain text, and sends no JSON along."""
        with pytest.raises(grpc.RpcError) as caught:
            contacts.ListContacts(ListContactsRequest(), timeout=5)
        assert caught.value.details() == "missing or invalid token"
        assert "x-error-body" not in _trailing(caught.value)

    def test_a_forged_mark(self, contacts: ContactsServiceStub) -> None:
        """Does not take a native caller for a JSON caller that only says so."""
        forged = (("x-envoy-original-path", "/contacts"),)
        with pytest.raises(grpc.RpcError) as caught:
            contacts.ListContacts(ListContactsRequest(), metadata=forged, timeout=5)
        assert "x-error-body" not in _trailing(caught.value)
