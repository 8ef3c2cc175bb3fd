"""What the clients of these tests talk to: the real service on fakes, behind the gateway."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import fakes
from fakes import Example
from fakes_sessions import PAIR_CODE_SECONDS, SINCE
from gateway.running import running_gateway
from rpc.conftest import ServerThread
from wuts.domain.device import PairCode
from wuts.domain.jid import pn_jid
from wuts.ports import Linked, QrText
from wuts.rpc import contacts
from wuts.usecases.get_profile_picture import get_profile_picture

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from wuts.domain.caller import DeviceId
    from wuts.domain.state import DeviceState

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Stage:
    """Where service and gateway listen, who may ask, and the world behind them."""

    example: Example
    thread: ServerThread
    gateway_port: int

    @property
    def gateway(self) -> str:
        """The gateway's address, HOST:PORT."""
        return f"127.0.0.1:{self.gateway_port}"

    @property
    def service(self) -> str:
        """The service's own address, HOST:PORT."""
        return f"127.0.0.1:{self.thread.server.port}"

    @property
    def token(self) -> str:
        """The token of demo/demo, whose one device is connected."""
        return self.example.token

    @property
    def device(self) -> str:
        """The device of demo/demo."""
        return str(self.example.device)

    def do(self, work: Callable[[], object]) -> None:
        """Changes the world on the service's own thread."""

        async def doing() -> None:
            work()

        self.thread.run(doing())

    def newcomer(self, name: str) -> tuple[str, DeviceId]:
        """Adds a user with a device that can be linked; gives the user's token, too."""
        self.example.directory.add_user("demo", name)
        device = linkable_device(self.example, name)
        return self.example.directory.add_token("demo", name), device

    def become(self, state: DeviceState, reason: str = "") -> None:
        """Changes the state of the device of demo/demo."""
        self.do(lambda: self.example.sessions.enter(self.example.device, state, reason))

    @contextlib.contextmanager
    def failing(self, error: Exception, *, times: int | None = None) -> Iterator[list[None]]:
        """Lets questions for a picture fail, all or the first few; counts them."""
        asked: list[None] = []

        async def fail() -> None:
            asked.append(None)
            if times is None or len(asked) <= times:
                raise error

        with self._before_pictures(fail):
            yield asked

    @contextlib.contextmanager
    def silent(self) -> Iterator[None]:
        """Lets questions for a picture go unanswered."""
        with self._before_pictures(asyncio.Event().wait):
            yield

    @staticmethod
    @contextlib.contextmanager
    def _before_pictures(happen: Callable[[], Awaitable[object]]) -> Iterator[None]:
        # The use case, and not a port below it: what is heard of WhatsApp may be kept.
        async def find(*asked: Any, **more: Any) -> Any:
            await happen()
            return await get_profile_picture(*asked, **more)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(contacts, "get_profile_picture", find)
            yield


def linkable_device(example: Example, user: str) -> DeviceId:
    """Creates a device of a user of tenant demo; a phone is waiting to link it."""
    device = example.directory.create_device("demo", user)
    phone = pn_jid(fakes.OWN)
    until = SINCE + timedelta(seconds=PAIR_CODE_SECONDS)
    code = PairCode("ABCD-1234", phone, until, cached=False)
    example.sessions.link_steps[device] = [QrText("2@invented"), code, Linked(phone)]
    return device


@contextlib.contextmanager
def staged() -> Iterator[Stage]:
    """Runs service and gateway on free ports."""
    example = Example()
    thread = ServerThread(example)
    try:
        with tempfile.TemporaryDirectory(prefix="wuts") as path:
            port = thread.server.port
            with running_gateway(port, Path(path)) as gateway:
                yield Stage(example, thread, gateway.port)
    finally:
        thread.close()
