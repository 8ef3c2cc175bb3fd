"""Runs the real gRPC server on fakes, as a process of its own; prints its port.

`python -m gateway.service PORT` in the folder `tests`; port 0 takes any.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import structlog

import fakes
from fakes import Example
from fakes_crowd import ENDLESS, Crowd
from fakes_store import InMemoryTokenDirectory, page_of
from wuts.domain import errors
from wuts.domain.caller import DeviceId, Role
from wuts.domain.contact import Contact
from wuts.domain.enquiry import NumberCheck, QueryClass
from wuts.domain.jid import pn_jid
from wuts.domain.state import DeviceState
from wuts.rpc.page_tokens import PageTokens
from wuts.rpc.server import Ports, Server

from . import world
from .enquiries import Enquiries
from .sessions import LINKED_DEVICES, Sessions, tell, wait_for_ever

if TYPE_CHECKING:
    from collections.abc import Collection

    from wuts.domain.contact import ContactPage
    from wuts.domain.jid import Jid
    from wuts.domain.knowledge import Knowledge
    from wuts.domain.picture import Picture

_OTHERS = {
    world.EMPTY: ("empty",),
    world.CROWDED: ("crowded",),
    world.BROKEN: ("broken",),
    world.NO_DEVICE: (),
    world.SEVERAL: ("one", "two"),
    world.STUCK: ("stuck",),
    world.ENDLESS: ("endless",),
    world.TORN: ("torn",),
}


def _crowd() -> list[Contact]:
    return [
        Contact(f"55119{n:08}@s.whatsapp.net", "", "Maria", f"Maria Silva {n}", "Maria", "Comercio")
        for n in range(world.CROWD)
    ]


async def _tear(start: int) -> None:
    if start >= world.TORN_AT:
        raise errors.StoreUnavailable


class Store:
    """The example's store, and devices whose names say how they behave."""

    def __init__(self, example: Example) -> None:
        self._example = example.store
        self._example.link(DeviceId("empty"), fakes.OWN)
        self._crowd = _crowd()
        self._endless, self._torn = Crowd(ENDLESS), Crowd(ENDLESS, before=_tear)

    async def page(self, device: DeviceId, *, after: str, limit: int) -> ContactPage:
        """Gives a page, fails, or never comes back."""
        if device == "broken":
            raise errors.StoreUnavailable
        if device == "stuck":
            await wait_for_ever()
        if device in {"endless", "torn"}:
            crowd = self._endless if device == "endless" else self._torn
            return await crowd.page(device, after=after, limit=limit)
        if device != "crowded":
            return await self._example.page(device, after=after, limit=limit)
        start, end = int(after or "0"), int(after or "0") + limit
        return page_of(self._crowd[start:end], str(end) if end < world.CROWD else "")

    async def lookup(
        self, device: DeviceId, *, pns: Collection[str], lids: Collection[str]
    ) -> Knowledge:
        """Asks the example."""
        return await self._example.lookup(device, pns=pns, lids=lids)

    async def account(self, device: DeviceId) -> Jid:
        """Asks the example."""
        return await self._example.account(device)

    def forget(self, device: DeviceId) -> None:
        """Forgets nothing."""


def _error(situation: str) -> errors.DomainError:
    facts: dict[str, tuple[object, ...]] = {
        "NotFound": ("device",),
        "DeviceNotReady": (DeviceState.RECONNECTING,),
        "RateLimited": (world.RETRY_AFTER,),
        "BudgetExhausted": (QueryClass.PICTURE, world.RETRY_AFTER),
        "WhatsappError": (500,),
    }
    error = getattr(errors, situation)(*facts.get(situation, ()))
    if not isinstance(error, errors.DomainError):
        raise TypeError(situation)
    return error


class Directory(InMemoryTokenDirectory):
    """Knows the tokens and devices of the world, which are the same in every run."""

    def __init__(self, example: Example) -> None:
        super().__init__()
        for number, (token, devices) in enumerate(_OTHERS.items()):
            self._settle("demo", f"user-{number}", token, devices)
        self._settle("demo", "demo", world.DEMO, (example.device,))
        mine = (*LINKED_DEVICES, world.NEW, world.MUTE, world.LOST)
        self._settle("works", "keeper", world.KEEPER, mine)
        self._settle("works", "manager", world.MANAGER, (world.MANAGED,), Role.MANAGER)
        self._settle("works", "admin", world.ADMIN, (), Role.ADMIN)
        self._settle("making", "maker", world.MAKER, ())
        self.add_token("works", "keeper", DeviceId(world.LINKED), token=world.BOUND)
        for device in LINKED_DEVICES:
            self.record_linked(DeviceId(device), pn_jid(fakes.OWN))

    def create_device(
        self, tenant: str, user: str, *, name: str | None = None, device_id: str | None = None
    ) -> DeviceId:
        """Creates the one device of the maker, over and over."""
        return super().create_device(tenant, user, name=name, device_id=device_id or world.MADE)

    def remove_device(self, device: DeviceId) -> None:
        """Removes nothing: other requests want to find what this one found."""

    def _settle(
        self,
        tenant: str,
        user: str,
        token: str,
        devices: Collection[str],
        role: Role = Role.USER,
    ) -> None:
        self.add_user(tenant, user, role)
        self.add_token(tenant, user, token=token)
        for device in devices:
            self.create_device(tenant, user, device_id=device, name=f"The {device} one")


async def main(port: int) -> None:
    """Serves until the process is ended."""
    # The log would fill the pipe that `tell` writes to; its own tests look at it.
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    example = Example()
    troubles: dict[str, Picture | errors.DomainError] = {
        world.person_of(situation): _error(situation) for situation in world.SITUATIONS
    }
    directory = Directory(example)
    sessions = Sessions(
        pictures=example.sessions.pictures | troubles,
        rosters=example.sessions.rosters,
        registered={fakes.MARIA: NumberCheck(fakes.MARIA, registered=True)},
        infos=example.sessions.infos,
        blocked=example.sessions.blocked,
    )
    ports = Ports(
        store=Store(example),
        sessions=sessions,
        enquiries=Enquiries(sessions),
        directory=directory,
        devices=directory,
        page_tokens=PageTokens(bytes(32)),
        max_list=2 * world.CROWD,
    )
    server = Server(ports)
    await server.start("127.0.0.1", port)
    tell(server.port)
    await server.wait()


if __name__ == "__main__":
    # Standard output is for the lines that the tests read; what nobody reads would fill it.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(main(int(sys.argv[1])))
