"""A server of the contacts service that says whatever it is asked to say.

Stands in where the real service never would: statuses without our envelope, and
replies whose metadata the gateway has to act upon.
"""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from wuts.contacts.v1.contact_pb2 import Contact
from wuts.contacts.v1.contacts_service_pb2 import (
    GetProfilePictureRequest,
    GetProfilePictureResponse,
    ListContactsRequest,
    ListContactsResponse,
    StreamContactsRequest,
    StreamContactsResponse,
)
from wuts.rpc import token_check

if TYPE_CHECKING:
    from collections.abc import Iterator

    _Handlers = dict[str, grpc.RpcMethodHandler[Any, Any]]

SERVICE = "wuts.contacts.v1.ContactsService"
ETAG = 'W/"17-4"'
CACHE = "private, max-age=5"
SECRET = "kaboom"
MANY = 500
"""Contacts of a list that is worth compressing."""

GATE = threading.Event()
"""What streams wait for behind their first message; closed by whoever asks for a stream."""

REST = "go on here"
"""The page token of each message that is not the last."""

_PATIENCE = 20.0
_TOLD = ("x-request-id", "traceparent", "tracestate", "baggage", "cookie")


@contextmanager
def running_odd_service(asked: list[str] | None = None) -> Iterator[int]:
    """Runs the server in this process; gives its port.

    It knows every token, and writes down in `asked` which ones it was asked about.
    """
    server, servicer = grpc.server(ThreadPoolExecutor(4)), health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    servicer.set(SERVICE, health_pb2.HealthCheckResponse.SERVING)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, _HANDLERS),))
    server.add_generic_rpc_handlers((_token_service(asked if asked is not None else []),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield port
    server.stop(0).wait()


def _token_service(asked: list[str]) -> grpc.GenericRpcHandler:
    def check(request: bytes, context: grpc.ServicerContext) -> bytes:
        received = {str(key): str(value) for key, value in context.invocation_metadata()}
        asked.append(received["authorization"])
        return request

    handlers: _Handlers = {token_check.METHOD: grpc.unary_unary_rpc_method_handler(check)}
    return grpc.method_handlers_generic_handler(token_check.SERVICE, handlers)


def _list_contacts(
    request: ListContactsRequest, context: grpc.ServicerContext
) -> ListContactsResponse:
    """Tells in the page token which headers and how much time arrived; knows one ETag."""
    received = {str(key): str(value) for key, value in context.invocation_metadata()}
    freshness = (("etag", ETAG), ("cache-control", CACHE))
    if received.get("if-none-match") == ETAG:
        context.send_initial_metadata((*freshness, ("x-status", "304")))
        return ListContactsResponse(success=True)
    context.send_initial_metadata(freshness)
    facts: dict[str, object] = {key: received[key] for key in _TOLD if key in received}
    told = json.dumps(facts | {"seconds": f"{context.time_remaining() or 0:06.2f}"})
    contacts = [Contact(jid=f"{n}", full_name="Maria") for n in range(request.page_size)]
    return ListContactsResponse(success=True, contacts=contacts, next_page_token=told)


def _get_picture(
    request: GetProfilePictureRequest, context: grpc.ServicerContext
) -> GetProfilePictureResponse:
    """Fails with the code named by `existing_id`; `number` says how early."""
    code = next(code for code in grpc.StatusCode if code.name == request.existing_id)
    if request.number:
        context.send_initial_metadata(())
    context.abort(code, SECRET)


def _stream_contacts(
    request: StreamContactsRequest, context: grpc.ServicerContext
) -> Iterator[StreamContactsResponse]:
    """Sends a message, waits for the gate, and fails, or ends with another one."""
    contacts = [Contact(jid=f"{n}", full_name="Maria") for n in range(request.page_size)]
    message = StreamContactsResponse(success=True, count=len(contacts), contacts=contacts)
    yield StreamContactsResponse(
        success=True, count=len(contacts), contacts=contacts, next_page_token=REST
    )
    GATE.wait(_PATIENCE)
    if request.view == "failed":
        context.set_trailing_metadata(
            (("x-error-code", SECRET), ("x-error-body", SECRET), ("retry-after", "17"))
        )
        context.abort(grpc.StatusCode.UNAVAILABLE, SECRET)
    else:
        yield message


_HANDLERS: _Handlers = {
    "StreamContacts": grpc.unary_stream_rpc_method_handler(
        _stream_contacts,
        request_deserializer=StreamContactsRequest.FromString,
        response_serializer=StreamContactsResponse.SerializeToString,
    ),
    "ListContacts": grpc.unary_unary_rpc_method_handler(
        _list_contacts,
        request_deserializer=ListContactsRequest.FromString,
        response_serializer=ListContactsResponse.SerializeToString,
    ),
    "GetProfilePicture": grpc.unary_unary_rpc_method_handler(
        _get_picture,
        request_deserializer=GetProfilePictureRequest.FromString,
        response_serializer=GetProfilePictureResponse.SerializeToString,
    ),
}
