"""One service on fakes and one gateway for all tests of this folder."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pytest

from wuts.contacts.v1.contacts_service_pb2_grpc import ContactsServiceStub

from .odd_service import running_odd_service
from .running import Gateway, hurried_config, running_gateway, running_service

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def service_port() -> Iterator[int]:
    """Runs the real gRPC server on fakes; gives its port."""
    with running_service() as service:
        yield service.port


@pytest.fixture
def folder() -> Iterator[Path]:
    """Gives an empty directory whose path is short enough for a Unix socket."""
    with tempfile.TemporaryDirectory(prefix="wuts") as path:
        yield Path(path)


@pytest.fixture(scope="session")
def gateway(service_port: int) -> Iterator[Gateway]:
    """Runs the gateway as it is delivered."""
    with (
        tempfile.TemporaryDirectory(prefix="wuts") as path,
        running_gateway(service_port, Path(path)) as running,
    ):
        yield running


@pytest.fixture(scope="session")
def hurried(service_port: int) -> Iterator[Gateway]:
    """Runs the gateway with limits on time far below what they are."""
    with (
        tempfile.TemporaryDirectory(prefix="wuts") as path,
        running_gateway(service_port, Path(path), config=hurried_config(Path(path))) as running,
    ):
        yield running


@pytest.fixture
def contacts(gateway: Gateway) -> Iterator[ContactsServiceStub]:
    """Gives a native client of the gateway."""
    with grpc.insecure_channel(f"127.0.0.1:{gateway.port}") as channel:
        yield ContactsServiceStub(channel)


@pytest.fixture(scope="session")
def odd() -> Iterator[Gateway]:
    """Runs the gateway in front of a server that says whatever it is asked to say."""
    with (
        tempfile.TemporaryDirectory(prefix="wuts") as path,
        running_odd_service() as port,
        running_gateway(port, Path(path)) as running,
    ):
        yield running
