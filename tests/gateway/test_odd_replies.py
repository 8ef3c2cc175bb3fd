"""Replies that the gateway has to act upon: bare statuses, freshness, ids, size."""

from __future__ import annotations

import gzip
import http.client
import json
import uuid
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from wuts.contacts.v1.contacts_service_pb2 import ListContactsRequest
from wuts.contacts.v1.contacts_service_pb2_grpc import ContactsServiceStub

from .exchange import Reply, envelope, over_http1, over_http2
from .odd_service import CACHE, ETAG, MANY, SECRET
from .probes import AUTH, Headers, Probe, picture

if TYPE_CHECKING:
    from .running import Gateway

_ID = "0f8fad5b-d9cb-469f-a165-70867728950e"
_TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
_STATUSES = (
    ("CANCELLED", 499, "SERVICE_UNAVAILABLE", "request cancelled"),
    ("UNKNOWN", 500, "INTERNAL_ERROR", "internal error"),
    ("INVALID_ARGUMENT", 400, "VALIDATION_ERROR", "validation failed"),
    ("DEADLINE_EXCEEDED", 504, "TIMEOUT", "request timed out"),
    ("NOT_FOUND", 404, "NOT_FOUND", "not found"),
    ("ALREADY_EXISTS", 409, "SERVICE_UNAVAILABLE", "conflict"),
    ("PERMISSION_DENIED", 403, "FORBIDDEN", "forbidden"),
    ("RESOURCE_EXHAUSTED", 429, "RATE_LIMITED", "too many requests"),
    ("FAILED_PRECONDITION", 400, "VALIDATION_ERROR", "validation failed"),
    ("ABORTED", 409, "SERVICE_UNAVAILABLE", "conflict"),
    ("OUT_OF_RANGE", 400, "VALIDATION_ERROR", "validation failed"),
    ("UNIMPLEMENTED", 501, "NOT_IMPLEMENTED", "not implemented"),
    ("INTERNAL", 500, "INTERNAL_ERROR", "internal error"),
    ("UNAVAILABLE", 503, "SERVICE_UNAVAILABLE", "service unavailable"),
    ("DATA_LOSS", 500, "INTERNAL_ERROR", "internal error"),
    ("UNAUTHENTICATED", 401, "UNAUTHORIZED", "missing or invalid token"),
)


def _list(gateway: Gateway, *headers: tuple[str, str], size: int = 0, method: str = "GET") -> Reply:
    probe = Probe("", f"/contacts?page_size={size}", method=method, headers=(*AUTH, *headers))
    return over_http1(gateway.port, probe)


def _told(reply: Reply) -> dict[str, str]:
    """Gives the headers that reached the service."""
    told: dict[str, str] = json.loads(reply.json()["next_page_token"])
    return told


class TestBareStatuses:
    """Statuses of gRPC that come without our envelope."""

    @pytest.mark.parametrize(("name", "status", "code", "text"), _STATUSES)
    @pytest.mark.parametrize("late", ["", "&number=1"])
    def test_fixed_words(
        self, odd: Gateway, name: str, status: int, code: str, text: str, late: str
    ) -> None:
        """Turns each into the documented envelope, also when metadata came first."""
        reply = over_http1(odd.port, picture(name, f"existing_id={name}{late}"))
        body = envelope(reply)
        assert (reply.status, body["error_code"], body["error"]) == (status, code, text)
        assert SECRET.encode() not in reply.body

    def test_every_status(self) -> None:
        """Leaves no status out."""
        assert {row[0] for row in _STATUSES} == {code.name for code in grpc.StatusCode} - {"OK"}


class TestNotModified:
    """The service's word that nothing has changed."""

    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_304(self, odd: Gateway, method: str) -> None:
        """Becomes an empty 304 with the ETag and what caches need to know."""
        reply = _list(odd, ("if-none-match", ETAG), method=method)
        found = (reply.status, reply.headers["etag"], reply.headers["cache-control"], reply.body)
        assert found == (304, ETAG, CACHE, b"")
        assert {"content-type", "content-length", "x-status"} & set(reply.headers) == set()

    def test_over_http2(self, odd: Gateway) -> None:
        """Does so over HTTP/2."""
        headers: Headers = (*AUTH, ("if-none-match", ETAG))
        reply = over_http2(odd.port, Probe("", "/contacts", headers=headers))
        assert (reply.status, reply.body) == (304, b"")

    def test_modified(self, odd: Gateway) -> None:
        """Passes ETag and Cache-Control on with a list."""
        reply = _list(odd, ("if-none-match", 'W/"0"'))
        assert (reply.status, reply.headers["etag"]) == (200, ETAG)
        assert reply.headers["cache-control"] == CACHE

    def test_the_connection_goes_on(self, odd: Gateway) -> None:
        """Leaves no byte behind that the next reply on the connection would begin with."""
        connection = http.client.HTTPConnection("127.0.0.1", odd.port, timeout=5)
        statuses = []
        for tag in (ETAG, 'W/"0"', ETAG):
            connection.request("GET", "/contacts", headers=dict(AUTH) | {"if-none-match": tag})
            response = connection.getresponse()
            response.read()
            statuses.append(response.status)
        connection.close()
        assert statuses == [304, 200, 304]

    def test_native(self, odd: Gateway) -> None:
        """Leaves the answer of native callers as it is."""
        with grpc.insecure_channel(f"127.0.0.1:{odd.port}") as channel:
            call = ContactsServiceStub(channel).ListContacts.with_call
            request = ListContactsRequest()
            metadata = (*AUTH, ("if-none-match", ETAG))
            response, context = call(request, metadata=metadata, timeout=5)
        assert (response.success, context.code()) == (True, grpc.StatusCode.OK)
        assert ("x-status", "304") in context.initial_metadata()


class TestCompression:
    """Big answers for callers who can read them compressed."""

    @pytest.mark.parametrize(
        ("accepted", "encoding"),
        [("gzip", "gzip"), ("br", "br"), ("gzip, br", "br"), ("br;q=0, gzip", "gzip")],
    )
    def test_big(self, odd: Gateway, accepted: str, encoding: str) -> None:
        """Are compressed, and keep their weak ETag."""
        reply = _list(odd, ("accept-encoding", accepted), size=MANY)
        assert reply.headers["content-encoding"] == encoding
        assert (reply.headers["etag"], reply.headers["vary"]) == (ETAG, "Accept-Encoding")
        assert len(reply.body) < len(_list(odd, size=MANY).body) / 4

    def test_the_same_answer(self, odd: Gateway) -> None:
        """Hold what they hold uncompressed."""
        packed = _list(odd, ("accept-encoding", "gzip"), size=MANY)
        assert len(json.loads(gzip.decompress(packed.body))["contacts"]) == MANY

    @pytest.mark.parametrize("accepted", ["", "identity", "deflate", "gzip;q=0"])
    def test_not_wanted(self, odd: Gateway, accepted: str) -> None:
        """Go out as they are to everybody else."""
        reply = _list(odd, ("accept-encoding", accepted), size=MANY)
        assert "content-encoding" not in reply.headers

    def test_small(self, odd: Gateway) -> None:
        """Small answers are not worth it."""
        reply = _list(odd, ("accept-encoding", "gzip, br"), size=5)
        assert "content-encoding" not in reply.headers

    def test_head(self, odd: Gateway) -> None:
        """A HEAD request is told what GET would be."""
        got = _list(odd, ("accept-encoding", "br"), size=MANY)
        asked = _list(odd, ("accept-encoding", "br"), size=MANY, method="HEAD")
        assert (asked.body, _lasting(asked)) == (b"", _lasting(got))

    def test_failures(self, odd: Gateway) -> None:
        """Failures go out as they are."""
        probe = Probe(
            "",
            "/contacts/profile-picture?existing_id=INTERNAL",
            headers=(*AUTH, ("accept-encoding", "gzip")),
        )
        assert envelope(over_http1(odd.port, probe))["error_code"] == "INTERNAL_ERROR"

    def test_native(self, odd: Gateway) -> None:
        """Messages of native callers are left alone."""
        headers = (("accept-encoding", "gzip, br"),)
        with grpc.insecure_channel(f"127.0.0.1:{odd.port}") as channel:
            call = ContactsServiceStub(channel).ListContacts.with_call
            response, context = call(ListContactsRequest(page_size=MANY), metadata=headers)
        assert len(response.contacts) == MANY
        assert "content-encoding" not in dict(_pairs(context.initial_metadata()))


def _pairs(metadata: Any) -> list[tuple[str, str | bytes]]:
    return [(key, value) for key, value in metadata]


def _lasting(reply: Reply) -> dict[str, str]:
    """Gives the headers that do not change from reply to reply."""
    return {k: v for k, v in reply.headers.items() if k not in {"date", "x-request-id"}}


class TestHead:
    """HEAD is GET without the body."""

    @pytest.mark.parametrize("size", [0, MANY])
    def test_the_same_headers(self, odd: Gateway, size: int) -> None:
        """Has the headers of GET, the length among them."""
        got, asked = _list(odd, size=size), _list(odd, size=size, method="HEAD")
        assert (asked.status, asked.body, _lasting(asked)) == (200, b"", _lasting(got))
        assert asked.headers["content-length"] == str(len(got.body))

    def test_over_http2(self, odd: Gateway) -> None:
        """Has the length over HTTP/2, too."""
        probe = Probe("", f"/contacts?page_size={MANY}", method="HEAD")
        reply = over_http2(odd.port, probe)
        length = reply.headers["content-length"]
        assert (reply.status, reply.body, int(length) > MANY) == (200, b"", True)


class TestIds:
    """Request ids and traces, from the caller to the service and back."""

    def test_kept(self, odd: Gateway) -> None:
        """A UUID of the caller's reaches the service and comes back."""
        reply = _list(odd, ("x-request-id", _ID))
        assert (_told(reply)["x-request-id"], reply.headers["x-request-id"]) == (_ID, _ID)

    @pytest.mark.parametrize("odd_id", ["", "5511999999999", _ID[:-1], f"{_ID}0", f"{_ID},{_ID}"])
    def test_replaced(self, odd: Gateway, odd_id: str) -> None:
        """Anything else is replaced by a new UUID, the same for both sides."""
        reply = _list(odd, ("x-request-id", odd_id))
        told = reply.headers["x-request-id"]
        assert (str(uuid.UUID(told)), _told(reply)["x-request-id"]) == (told, told)
        assert told not in {odd_id, _ID}

    def test_two_of_them(self, odd: Gateway) -> None:
        """Two ids are none."""
        reply = _list(odd, ("x-request-id", _ID), ("x-request-id", _ID))
        assert reply.headers["x-request-id"] != _ID

    def test_native(self, odd: Gateway) -> None:
        """Native callers are told the id in the initial metadata."""
        with grpc.insecure_channel(f"127.0.0.1:{odd.port}") as channel:
            call = ContactsServiceStub(channel).ListContacts.with_call
            _, context = call(ListContactsRequest(), metadata=(("x-request-id", _ID),), timeout=5)
        assert ("x-request-id", _ID) in _pairs(context.initial_metadata())

    def test_traces(self, odd: Gateway) -> None:
        """A caller's trace reaches the service; what might say anything does not."""
        reply = _list(odd, ("traceparent", _TRACE), ("tracestate", "a=b"), ("baggage", "a=b"))
        told = _told(reply)
        assert (told["traceparent"], "tracestate" in told, "baggage" in told) == (
            _TRACE,
            False,
            False,
        )

    def test_places_for_tokens(self, odd: Gateway) -> None:
        """Cookies do not reach the service."""
        assert "cookie" not in _told(_list(odd, ("cookie", "a=b")))


class TestDeadlines:
    """How long the service has."""

    @pytest.mark.parametrize(("asked", "most"), [("1S", 1), ("900m", 0.9), ("1M", 30), ("99H", 30)])
    def test_of_json_callers(self, odd: Gateway, asked: str, most: float) -> None:
        """The service hears of a shorter deadline of the caller's, never of a longer one."""
        left = float(_told(_list(odd, ("grpc-timeout", asked)))["seconds"])
        assert most - 1 < left <= most
