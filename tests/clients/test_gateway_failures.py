"""Failures that the gateway makes itself have the same form for native callers."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from gateway.running import running_gateway
from wuts.client import Client, NotImplementedHere, PayloadTooLarge, ServiceUnavailable
from wuts.client.errors import error_of

if TYPE_CHECKING:
    from .stage import Stage


class TestGatewayFailures:
    """Native callers need not know who refused."""

    def test_an_unknown_service(self, stage: Stage) -> None:
        """A service that does not exist is NOT_IMPLEMENTED."""
        with grpc.insecure_channel(stage.gateway) as channel:
            call: Any = channel.unary_unary("/wuts.later.v1.LaterService/Later")
            with pytest.raises(grpc.RpcError) as caught:
                call(b"", timeout=10)
        error = error_of(caught.value)
        assert (NotImplementedHere, "NOT_IMPLEMENTED") == (type(error), error.reason)

    def test_an_unknown_method(self, stage: Stage) -> None:
        """A method that a later release may have is NOT_IMPLEMENTED, and nothing says why."""
        metadata = [("authorization", f"Bearer {stage.token}")]
        with grpc.insecure_channel(stage.gateway) as channel:
            call: Any = channel.unary_unary("/wuts.contacts.v1.ContactsService/Later")
            with pytest.raises(grpc.RpcError) as caught:
                call(b"", timeout=10, metadata=metadata)
        error = error_of(caught.value)
        assert (NotImplementedHere, "NOT_IMPLEMENTED") == (type(error), error.reason)
        assert "why" not in error.metadata

    def test_a_large_request(self, stage: Stage) -> None:
        """A request beyond 64 KiB is PAYLOAD_TOO_LARGE."""
        with (
            Client(stage.gateway, token=stage.token, tls=False) as client,
            pytest.raises(PayloadTooLarge) as caught,
        ):
            client.resolve(["9" * 70_000])
        assert grpc.StatusCode.UNKNOWN is caught.value.code

    def test_nobody_behind(self, stage: Stage) -> None:
        """Without a service behind the gateway calls are SERVICE_UNAVAILABLE."""
        with (
            tempfile.TemporaryDirectory(prefix="wuts") as path,
            running_gateway(1, Path(path), healthy=False) as lonely,
            Client(f"127.0.0.1:{lonely.port}", token=stage.token, tls=False, retries=0) as client,
            pytest.raises(ServiceUnavailable) as caught,
        ):
            client.devices()
        assert "SERVICE_UNAVAILABLE: service unavailable" == str(caught.value)
