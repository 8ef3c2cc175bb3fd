"""Whether a token is good: what the gateway asks before it tells a caller anything else.

Of no use to callers, and out of their reach: no route of the gateway leads here.
It has no proto file, since nothing is sent and nothing comes back; the guard of
every call has already refused a bad token when the handler runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
from google.protobuf.empty_pb2 import Empty

if TYPE_CHECKING:
    from grpc import aio

SERVICE, METHOD = "wuts.gateway.v1.TokenService", "CheckToken"


async def _check_token(request: Empty, context: object) -> Empty:  # noqa: ARG001  # a handler's signature
    return Empty()


def add_token_check(server: aio.Server) -> None:
    """Lets the gateway ask: OK for a good token, UNAUTHENTICATED for any other."""
    handler = grpc.unary_unary_rpc_method_handler(
        _check_token,
        request_deserializer=Empty.FromString,
        response_serializer=Empty.SerializeToString,
    )
    handlers = grpc.method_handlers_generic_handler(SERVICE, {METHOD: handler})
    server.add_generic_rpc_handlers((handlers,))
