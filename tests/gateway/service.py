"""Runs the real gRPC server on fakes, as a process of its own; prints its port.

`python -m gateway.service PORT` in the folder `tests`; port 0 takes any.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import fakes
from fakes import Example
from fakes_sessions import FakeSessions
from fakes_store import InMemoryTokenDirectory
from wuts.domain import errors
from wuts.domain.caller import Caller, DeviceId, Role
from wuts.domain.contact import Contact, ContactPage
from wuts.domain.jid import pn_jid
from wuts.domain.state import DeviceState
from wuts.ports import Linked, QrText
from wuts.rpc.page_tokens import PageTokens
from wuts.rpc.server import Ports, Server

from . import world

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Collection

    from wuts.domain.jid import Jid
    from wuts.domain.knowledge import Knowledge
    from wuts.domain.picture import Picture, Unchanged

_OTHERS = {
    world.EMPTY: ("empty",),
    world.CROWDED: ("crowded",),
    world.BROKEN: ("broken",),
    world.NO_DEVICE: (),
    world.SEVERAL: ("empty", "crowded"),
    world.STUCK: ("stuck",),
}
_LINKING_SECONDS = 1.5  # longer than any limit of the hurried gateway


def _crowd() -> list[Contact]:
    return [
        Contact(f"55119{n:08}@s.whatsapp.net", "", "Maria", f"Maria Silva {n}", "Maria", "Comercio")
        for n in range(world.CROWD)
    ]


class Store:
    """The example's store, and devices whose names say how they behave."""

    def __init__(self, example: Example) -> None:
        self._example = example.store
        self._example.link(DeviceId("empty"), fakes.OWN)
        self._crowd = _crowd()

    async def page(self, device: DeviceId, *, after: str, limit: int) -> ContactPage:
        """Gives a page, fails, or never comes back."""
        if device == "broken":
            raise errors.StoreUnavailable
        if device == "stuck":
            await _wait_for_ever()
        if device != "crowded":
            return await self._example.page(device, after=after, limit=limit)
        start, end = int(after or "0"), int(after or "0") + limit
        return ContactPage(self._crowd[start:end], str(end) if end < world.CROWD else "")

    async def lookup(
        self, device: DeviceId, *, pns: Collection[str], lids: Collection[str]
    ) -> Knowledge:
        """Asks the example."""
        return await self._example.lookup(device, pns=pns, lids=lids)

    async def account(self, device: DeviceId) -> Jid:
        """Asks the example."""
        return await self._example.account(device)


class Sessions(FakeSessions):
    """The example's sessions; all devices are connected, and some people are trouble."""

    def state(self, device: DeviceId) -> DeviceState:  # all are connected
        """Tells that the device is connected."""
        return DeviceState.CONNECTED

    async def picture(
        self, device: DeviceId, chat: Jid, *, preview: bool, existing_id: str
    ) -> Picture | Unchanged:
        """Gives the example's picture unless this person stands for something else."""
        if str(chat) == world.SILENT:
            await _wait_for_ever()
        if str(chat) == world.FAULTY:
            raise RuntimeError(world.FAULT)
        return await super().picture(device, chat, preview=preview, existing_id=existing_id)

    async def link(self, device: DeviceId) -> AsyncGenerator[QrText | Linked]:
        """Shows one code, waits for the phone, and is linked."""
        yield QrText("2@invented")
        await asyncio.sleep(_LINKING_SECONDS)
        yield Linked(pn_jid(fakes.OWN))


def _error(situation: str) -> errors.DomainError:
    facts: dict[str, object] = {
        "NotFound": "device",
        "DeviceNotReady": DeviceState.RECONNECTING,
        "RateLimited": world.RETRY_AFTER,
        "WhatsappError": 500,
    }
    kind = getattr(errors, situation)
    error = kind(facts[situation]) if situation in facts else kind()
    if not isinstance(error, errors.DomainError):
        raise TypeError(situation)
    return error


class Directory(InMemoryTokenDirectory):
    """Knows the tokens of the world, which are the same in every run."""

    def __init__(self, example: Example) -> None:
        super().__init__()
        self._known = _OTHERS | {world.DEMO: (example.device,)}

    def authenticate(self, token: str) -> Caller | None:
        """Tells who holds the token."""
        if token not in self._known:
            return None
        devices = tuple(DeviceId(device) for device in self._known[token])
        return Caller("demo", "demo", Role.USER, None, devices)


async def _wait_for_ever() -> None:
    _tell("waiting")
    await asyncio.Event().wait()


def _tell(what: object) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


async def main(port: int) -> None:
    """Serves until the process is ended."""
    example = Example()
    troubles: dict[str, Picture | errors.DomainError] = {
        world.person_of(situation): _error(situation) for situation in world.SITUATIONS
    }
    ports = Ports(
        store=Store(example),
        sessions=Sessions(
            pictures=example.sessions.pictures | troubles, rosters=example.sessions.rosters
        ),
        directory=Directory(example),
        page_tokens=PageTokens(bytes(32)),
        max_list=2 * world.CROWD,
    )
    server = Server(ports)
    await server.start("127.0.0.1", port)
    _tell(server.port)
    await server.wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
