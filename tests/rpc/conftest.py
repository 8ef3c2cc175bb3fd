"""The real server on fakes, behind a real channel."""

from __future__ import annotations

import asyncio
import threading
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest

from fakes import Example, enquiries_over
from wuts.contacts.v1 import contacts_service_pb2_grpc
from wuts.devices.v1 import devices_service_pb2_grpc
from wuts.rpc.page_tokens import PageTokens
from wuts.rpc.server import Ports, Server

from .conformance import conformance, conforming

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    import grpc

    from wuts.adapters.enquiries import Enquirer, Policy

__all__ = ["conformance", "conforming"]  # fixtures that hold for every test of this folder

MAX_LIST = 3
_LIMIT = 10


class ServerThread:
    """Runs the aio server on a loop of its own; the tests speak as plain callers."""

    def __init__(
        self,
        example: Example,
        policy: Policy | None = None,
        change: Callable[[Ports], Ports] = lambda ports: ports,
    ) -> None:
        """Starts it; `change` may replace what it answers from."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._open_things = AsyncExitStack()
        self.enquiries: Enquirer = self.run(
            self._open_things.enter_async_context(enquiries_over(example.sessions, policy))
        )
        self.server = self.run(self._start(example, self.enquiries, change))

    def run(self, work: Any) -> Any:  # whatever the coroutine gives
        """Runs a coroutine on the server's loop."""
        return self.begin(work).result(_LIMIT)

    def begin(self, work: Any) -> Future[Any]:
        """Begins to run a coroutine on the server's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self) -> None:
        """Stops server and loop."""
        self.run(self.server.stop(0))
        self.run(self._open_things.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_LIMIT)
        self._loop.close()

    @staticmethod
    async def _start(
        example: Example, enquiries: Enquirer, change: Callable[[Ports], Ports]
    ) -> Server:
        ports = Ports(
            store=example.store,
            sessions=example.sessions,
            enquiries=enquiries,
            directory=example.directory,
            devices=example.directory,
            page_tokens=PageTokens(b"k" * 32),
            max_list=MAX_LIST,
        )
        server = Server(change(ports), sandbox=True)
        await server.start("127.0.0.1", 0)
        return server


@pytest.fixture(scope="module")
def example() -> Example:
    """The world behind the server of this module."""
    return Example()


@pytest.fixture(scope="module")
def grpc_server(example: Example) -> Iterator[ServerThread]:
    """Our real aio server instead of the plugin's."""
    thread = ServerThread(example)
    yield thread
    thread.close()


@pytest.fixture(autouse=True)
def nothing_remembered(request: pytest.FixtureRequest) -> None:
    """Has each test begin with nothing that WhatsApp said in the one before."""
    if "grpc_server" in request.fixturenames:
        server, example = map(request.getfixturevalue, ("grpc_server", "example"))
        server.run(server.enquiries.forget(example.device))


@pytest.fixture(scope="module")
def grpc_addr(grpc_server: ServerThread) -> str:
    """Where the server listens."""
    return f"127.0.0.1:{grpc_server.server.port}"


@pytest.fixture(scope="module")
def grpc_stub_cls() -> type[contacts_service_pb2_grpc.ContactsServiceStub]:
    """The stub that `grpc_stub` is made of."""
    return contacts_service_pb2_grpc.ContactsServiceStub


@pytest.fixture(scope="module")
def devices_stub(grpc_channel: grpc.Channel) -> devices_service_pb2_grpc.DevicesServiceStub:
    """A stub of the other service."""
    return devices_service_pb2_grpc.DevicesServiceStub(grpc_channel)


@pytest.fixture
def auth(example: Example) -> tuple[tuple[str, str], ...]:
    """The metadata of a caller in good standing."""
    return (("authorization", f"Bearer {example.token}"),)
