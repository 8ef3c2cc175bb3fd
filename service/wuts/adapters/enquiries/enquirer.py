"""Answers the port Enquiries for all devices."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from wuts.adapters.enquiries.bans import Bans
from wuts.adapters.enquiries.desk import Desk
from wuts.adapters.enquiries.kin import Kin
from wuts.adapters.enquiries.notebook import NAME, Notebook
from wuts.adapters.enquiries.pictures import Wish
from wuts.adapters.enquiries.policy import Policy
from wuts.adapters.enquiries.scribe import Scribe
from wuts.domain.enquiry import ChangeKind
from wuts.domain.jid import Server
from wuts.instruments import NoMetrics

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from wuts.adapters.enquiries.kin import KinOf
    from wuts.domain.caller import DeviceId
    from wuts.domain.enquiry import Budget, Change, Heard, NumberCheck
    from wuts.domain.errors import DomainError
    from wuts.domain.group import Roster
    from wuts.domain.jid import Jid
    from wuts.domain.picture import Picture, Unchanged
    from wuts.domain.profile import UserInfo
    from wuts.instruments import Metrics
    from wuts.ports import LiveSessions

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class Enquirer:
    """Asks over `sessions`, and keeps `answers.db` in each device's directory.

    Belongs to one event loop. `directory` holds the devices' directories;
    `clock` tells the time of day. `kin_of` gives the other JIDs of people: an
    event may name a person by one that nobody has asked about.
    """

    def __init__(
        self,
        *,
        sessions: LiveSessions,
        directory: Path,
        policy: Policy | None = None,
        clock: Callable[[], datetime] | None = None,
        kin_of: KinOf | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._sessions = sessions
        self._directory = directory
        self._policy = policy or Policy()
        self._clock = clock or _now
        self._metrics = metrics or NoMetrics()
        self._accounts: dict[DeviceId, str] = {}
        self._desks: dict[DeviceId, Desk] = {}
        self._bans = Bans(sessions, self._note_ban)
        self._kin = Kin(kin_of)

    async def recall_numbers(
        self, device: DeviceId, numbers: Collection[str]
    ) -> Mapping[str, Heard[NumberCheck]]:
        """Gives what WhatsApp said earlier of these numbers."""
        return (await self._desk(device)).numbers.recall(numbers)

    async def check_numbers(
        self, device: DeviceId, numbers: Collection[str], *, fresh: bool
    ) -> Mapping[str, Heard[NumberCheck] | DomainError]:
        """Asks about phone numbers, 50 in a query, as many as there is budget for."""
        return await (await self._desk(device)).numbers.check(numbers, fresh=fresh)

    def recall_roster(self, device: DeviceId, group: Jid) -> Heard[Roster] | None:
        """Gives the roster of a group if it is known and still good."""
        desk = self._desks.get(device)
        return None if desk is None else desk.rosters.recall(group)

    async def roster(self, device: DeviceId, group: Jid, *, fresh: bool) -> Heard[Roster]:
        """Gives the roster of a group.

        Without budget for a new one it may be older than is good, unless `fresh`.
        """
        return await (await self._desk(device)).rosters.ask(group, fresh=fresh)

    def recall_picture(
        self, device: DeviceId, chat: Jid, *, preview: bool, existing_id: str
    ) -> Heard[Picture | Unchanged] | None:
        """Gives what WhatsApp has shown of this chat, if it is proven whose it is."""
        desk = self._desks.get(device)
        if desk is None:
            return None
        return desk.pictures.recall(chat, preview=preview, existing_id=existing_id)

    async def picture(
        self,
        device: DeviceId,
        chat: Jid,
        *,
        person: Jid,
        is_proven: bool,
        preview: bool,
        existing_id: str,
        refresh: bool,
    ) -> Heard[Picture | Unchanged]:
        """Gives the picture of a chat, remembered under `person`."""
        wish = Wish(
            chat=chat,
            person=person,
            is_proven=is_proven,
            preview=preview,
            existing_id=existing_id,
            refresh=refresh,
        )
        return await (await self._desk(device)).pictures.ask(wish)

    async def user_info(self, device: DeviceId, person: Jid) -> UserInfo:
        """Gives what a person tells of themselves, always asked for."""
        return await (await self._desk(device)).users.ask(person)

    async def budget(self, device: DeviceId) -> Budget:
        """Tells what the device may still ask."""
        return (await self._desk(device)).record.budgets.report()

    def know(self, device: DeviceId, account: Jid) -> None:
        """Takes note of a device that was linked before the service was started."""
        self._accounts[device] = str(account)
        self._bans.watch(device)

    async def on_linked(self, device: DeviceId, account: Jid) -> None:
        """Begins a quiet time after linking, with nothing learnt by another account.

        May be told again of a link that is known already.
        """
        desk = await self._desk(device)
        self.know(device, account)
        if not desk.record.is_read or desk.record.account != str(account):
            fresh = self._desks[device] = self._new_desk(device, desk.scribe)
            desk.record.retire()
            fresh.record.begin(str(account))
            await desk.close()
        elif not desk.record.is_linked:
            desk.record.link(str(account))

    async def on_unlinked(self, device: DeviceId) -> None:
        """Takes note that the link has ended: the next one begins in a quiet time."""
        self._accounts.pop(device, None)
        (await self._desk(device)).unlink()

    def on_change(self, device: DeviceId, change: Change) -> None:
        """Forgets what WhatsApp says is outdated; does not block."""
        desk = self._desks.get(device) or self._open(device)
        desk.change(change)
        if change.kind is ChangeKind.PICTURE and change.chat.server is not Server.GROUP:
            self._kin.follow(device, desk, change.chat)

    async def forget(self, device: DeviceId) -> None:
        """Lets go of a device that is removed; its file goes with its directory."""
        self._accounts.pop(device, None)
        self._kin.forget(device)
        await self._bans.forget(device)
        desk = self._desks.pop(device, None)
        if desk is not None:
            await desk.close()
            await self._wait_for_disks([desk], discard=True)

    async def close(self) -> None:
        """Ends what is under way, and writes what is not written yet."""
        desks = list(self._desks.values())
        await self._bans.close()
        await self._kin.close()
        await asyncio.gather(*(desk.close() for desk in desks))
        await self._wait_for_disks(desks)

    async def _desk(self, device: DeviceId) -> Desk:
        desk = self._desks.get(device) or self._open(device)
        await desk.record.loaded()
        desk = self._desks.get(device, desk)  # another account may be linked now
        banned_until = self._sessions.status(device).banned_until
        if banned_until is not None:
            desk.record.budgets.begin_quiet(banned_until)
        return desk

    def _open(self, device: DeviceId) -> Desk:
        notebook = Notebook(self._directory / device / NAME, self._policy.answers)
        scribe = Scribe(notebook, device, bound=2 * self._policy.answers)
        desk = self._desks[device] = self._new_desk(device, scribe)
        desk.load(self._accounts.get(device, ""))
        return desk

    def _new_desk(self, device: DeviceId, scribe: Scribe) -> Desk:
        return Desk(device, self._sessions, self._policy, self._clock, scribe, self._metrics)

    async def _note_ban(self, device: DeviceId, until: datetime) -> None:
        (await self._desk(device)).record.budgets.begin_quiet(until)

    async def _wait_for_disks(self, desks: Collection[Desk], *, discard: bool = False) -> None:
        closings = [asyncio.wrap_future(desk.scribe.close(discard=discard)) for desk in desks]
        if not closings:
            return
        _, late = await asyncio.wait(closings, timeout=self._policy.flush_seconds)
        if late:
            _log.warning("answers_not_written", devices=len(late))


def _now() -> datetime:
    return datetime.now(UTC)
