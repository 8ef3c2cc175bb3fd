"""An enquirer over sessions in memory, with a clock and a disk of its own."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from fakes_sessions import FakeSessions
from wuts.adapters.enquiries import Enquirer, Policy
from wuts.domain.budget import Allowance
from wuts.domain.caller import DeviceId
from wuts.domain.enquiry import QueryClass
from wuts.domain.errors import DomainError
from wuts.domain.jid import Jid, Server, lid_jid, pn_jid
from wuts.domain.picture import Picture
from wuts.domain.state import DeviceState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping
    from pathlib import Path

    from wuts.domain.enquiry import Budget, Heard, NumberCheck, QueryBudget
    from wuts.domain.picture import Unchanged

A, B = DeviceId("device-a"), DeviceId("device-b")
ACCOUNT, OTHER_ACCOUNT = pn_jid("5511900000000"), pn_jid("5511900000001")
MARIA, MARIA_LID = pn_jid("5511999999999"), lid_jid("112233445566778")
GROUP = Jid("120363039000000000", Server.GROUP)
START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

_LIMIT = 5.0


class Clock:
    """A time of day that tests move."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        """Tells the time."""
        return self.now

    def advance(self, **time: float) -> None:
        """Lets time pass."""
        self.now += timedelta(**time)


class Sessions(FakeSessions):
    """Sessions that also note the id that each picture was asked for with."""

    def __init__(self) -> None:
        super().__init__(states={A: DeviceState.CONNECTED, B: DeviceState.CONNECTED})
        self.asked_ids: list[str] = []

    async def picture(
        self, device: DeviceId, chat: Jid, *, preview: bool, existing_id: str
    ) -> Picture | Unchanged:
        """Notes the id; see FakeSessions."""
        self.asked_ids.append(existing_id)
        return await super().picture(device, chat, preview=preview, existing_id=existing_id)


def picture_of(id_: str, *, ends: datetime | None = None) -> Picture:
    """A picture whose address tells its end, if there is one."""
    end = "" if ends is None else f"?oe={int(ends.timestamp()):X}"
    return Picture(f"https://pps.whatsapp.net/{id_}.jpg{end}", id_, "preview", f"/{id_}.jpg")


@dataclass
class Office:
    """The enquirer, and all that is around it. `kin` holds who else somebody is."""

    directory: Path
    policy: Policy = field(default_factory=Policy)
    clock: Clock = field(default_factory=Clock)
    sessions: Sessions = field(default_factory=Sessions)
    kin: dict[Jid, Jid] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Makes the devices' directories, and the enquirer."""
        for device in (A, B):
            (self.directory / device).mkdir(exist_ok=True)
        self.enquirer = self._new()

    def file(self, device: DeviceId = A) -> Path:
        """What the enquirer keeps of a device."""
        return self.directory / device / "answers.db"

    async def restart(self) -> None:
        """Ends the enquirer, and begins again with what is on disk."""
        await self.enquirer.close()
        self.enquirer = self._new()

    async def check(
        self, numbers: Collection[str], *, fresh: bool = False, device: DeviceId = A
    ) -> Mapping[str, Heard[NumberCheck] | DomainError]:
        """Checks numbers."""
        return await self.enquirer.check_numbers(device, numbers, fresh=fresh)

    async def picture(
        self,
        chat: Jid = MARIA,
        *,
        person: Jid | None = None,
        is_proven: bool = True,
        preview: bool = True,
        existing_id: str = "",
        refresh: bool = False,
        device: DeviceId = A,
    ) -> Heard[Picture | Unchanged]:
        """Asks for a picture."""
        return await self.enquirer.picture(
            device,
            chat,
            person=person or chat,
            is_proven=is_proven,
            preview=preview,
            existing_id=existing_id,
            refresh=refresh,
        )

    async def budget(self, query_class: QueryClass, device: DeviceId = A) -> QueryBudget:
        """Tells what is left of one class."""
        told = await self.enquirer.budget(device)
        return next(each for each in told.queries if each.query_class == query_class)

    async def whole_budget(self, device: DeviceId = A) -> Budget:
        """Tells what is left of all."""
        return await self.enquirer.budget(device)

    def _new(self) -> Enquirer:
        async def kin_of(_device: DeviceId, chats: Collection[Jid]) -> list[Jid]:
            return [self.kin[chat] for chat in chats if chat in self.kin]

        return Enquirer(
            sessions=self.sessions,
            directory=self.directory,
            policy=self.policy,
            clock=self.clock,
            kin_of=kin_of,
        )


async def reached(condition: Callable[[], bool]) -> bool:
    """Waits, for a time, until a condition holds."""
    try:
        async with asyncio.timeout(_LIMIT):
            while not condition():
                await asyncio.sleep(0.005)
    except TimeoutError:
        return condition()
    return True


async def error_of(call: Awaitable[object]) -> DomainError | None:
    """Gives the error that a call ends with."""
    try:
        await call
    except DomainError as error:
        return error
    return None


PLENTY = Policy(
    allowances={name: Allowance(per_hour=1_000_000, burst=5_000) for name in QueryClass}
)
"""Budgets that no test uses up."""
