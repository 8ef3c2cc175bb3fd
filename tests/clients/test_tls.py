"""wuts.client over TLS."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pytest

from gateway.certificates import Pair, make_pair
from gateway.running import running_gateway
from wuts.client import AsyncClient, Client, Unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wuts.client.channel import Tls

    from .stage import Stage


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """A certificate for 127.0.0.1 that signs itself."""
    with tempfile.TemporaryDirectory(prefix="wuts") as path:
        yield make_pair(Path(path), "gateway")


@pytest.fixture(scope="module")
def address(stage: Stage, pair: Pair) -> Iterator[str]:
    """The address of a gateway that speaks TLS only."""
    options = ("--tls-certificate", pair.certificate, "--tls-key", pair.key)
    with (
        tempfile.TemporaryDirectory(prefix="wuts") as path,
        running_gateway(stage.thread.server.port, Path(path), *options) as running,
    ):
        yield f"127.0.0.1:{running.port}"


class TestTls:
    """TLS is spoken when it is chosen, and only with whom is trusted."""

    def test_an_authority_of_ones_own(self, stage: Stage, address: str, pair: Pair) -> None:
        """PEM bytes name whom to trust."""
        pem = pair.certificate.read_bytes()
        with Client(address, token=stage.token, tls=pem) as client:
            assert stage.device == client.device_status().device_id

    async def test_asynchronous(self, stage: Stage, address: str, pair: Pair) -> None:
        """AsyncClient takes gRPC's own credentials as well."""
        credentials = grpc.ssl_channel_credentials(pair.certificate.read_bytes())
        async with AsyncClient(address, token=stage.token, tls=credentials) as client:
            assert stage.device == (await client.device_status()).device_id

    @pytest.mark.parametrize("tls", [True, False], ids=["well-known authorities", "plaintext"])
    def test_not_trusted(self, stage: Stage, address: str, tls: Tls) -> None:
        """Neither a stranger's certificate nor plaintext gets a connection."""
        with (
            Client(address, token=stage.token, tls=tls, retries=0, timeout=5) as client,
            pytest.raises(Unreachable),
        ):
            client.device_status()
