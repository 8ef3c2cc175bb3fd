"""The gateway's question whether a token is good."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty

from failing import failure_of
from wuts.rpc.token_check import METHOD, SERVICE

if TYPE_CHECKING:
    from fakes import Example


def _check(channel: grpc.Channel, *authorization: str) -> Empty:
    """Asks as the gateway does, which sends and reads bytes."""
    ask: grpc.UnaryUnaryMultiCallable[None, Empty] = channel.unary_unary(
        f"/{SERVICE}/{METHOD}", lambda _: b"", response_deserializer=Empty.FromString
    )
    metadata = tuple(("authorization", value) for value in authorization)
    answer: Empty = ask(None, metadata=metadata, timeout=5)
    return answer


class TestTokenCheck:
    """One call without a word, but for the token."""

    def test_good(self, grpc_channel: grpc.Channel, example: Example) -> None:
        """A token of somebody's is good in every spelling."""
        for token in (example.token, f"Bearer {example.token.upper()}"):
            assert _check(grpc_channel, token) == Empty()

    @pytest.mark.parametrize("authorization", [(), ("",), ("x",), (f"Bearer {uuid.uuid4()}",)])
    def test_bad(self, grpc_channel: grpc.Channel, authorization: tuple[str, ...]) -> None:
        """Any other is not."""
        failure = failure_of(lambda: _check(grpc_channel, *authorization))
        assert (failure.code, failure.reason) == (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHORIZED")
