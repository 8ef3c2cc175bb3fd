"""The live sessions of all devices."""

from __future__ import annotations

import asyncio
import re
import shutil
from contextvars import Context
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from wuts.adapters.sessions.changes import Changes
from wuts.adapters.sessions.device import DeviceSession
from wuts.adapters.sessions.limits import Limits
from wuts.adapters.sessions.questions import Questions
from wuts.adapters.sessions.surroundings import Surroundings, Tallies
from wuts.adapters.sessions.upkeep import keep_up
from wuts.domain.device import DeviceStatus
from wuts.domain.errors import NotFound, ServiceUnavailable
from wuts.domain.state import DeviceState
from wuts.instruments import SILENT, Instruments

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from wuts.adapters.sessions.surroundings import (
        AccountOf,
        Clock,
        IsSynced,
        OnLinked,
        OnLoggedOut,
    )
    from wuts.domain.blocklist import Blocklist
    from wuts.domain.caller import DeviceId
    from wuts.domain.device import PairCode, QrCode
    from wuts.domain.enquiry import Change, NumberCheck
    from wuts.domain.group import Roster
    from wuts.domain.jid import Jid
    from wuts.domain.picture import Picture, Unchanged
    from wuts.domain.profile import UserInfo
    from wuts.ports import Linked, QrText

_FOLDER_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,63}")


class Sessions:
    """Answers the port LiveSessions with one session process for each device.

    Belongs to one event loop, on which it is made. `command` is the argv of a
    session process, to which its directory and socket are appended; `sandbox`
    must be what that process says of itself. Processes run from `start`,
    `connect` or `link` on until `stop` or `disconnect`, or until WhatsApp ends
    the link. Without `is_synced` no device is ever SYNCING. `clock` tells the
    time of day; no wait depends on it.
    """

    def __init__(  # noqa: PLR0913 # one argument for each thing it cannot know
        self,
        devices_directory: Path,
        *,
        command: Sequence[str],
        sandbox: bool,
        account_of: AccountOf,
        on_linked: OnLinked,
        on_logged_out: OnLoggedOut,
        is_synced: IsSynced | None = None,
        session_log: bool = False,
        limits: Limits | None = None,
        clock: Clock | None = None,
        instruments: Instruments = SILENT,
    ) -> None:
        limits = limits or Limits()
        self.tallies = Tallies()
        self._around = Surroundings(
            devices_directory=devices_directory,
            command=tuple(command),
            sandbox=sandbox,
            session_log=session_log,
            limits=limits,
            account_of=account_of,
            on_linked=on_linked,
            on_logged_out=on_logged_out,
            is_synced=is_synced,
            clock=clock or _now,
            starting=asyncio.Semaphore(limits.starts_at_once),
            tallies=self.tallies,
            instruments=instruments,
            changes=Changes(),
        )
        self._questions = Questions(self._around, self._session)
        self._sessions: dict[DeviceId, DeviceSession] = {}
        self._begun = self._around.clock()
        self._is_stopped = False
        self._upkeep: asyncio.Task[None] | None = None

    def start(self, devices: Iterable[DeviceId]) -> None:
        """Begins to connect linked devices; returns before they are connected."""
        for device in devices:
            self._session(device).start()

    def recall(self, device: DeviceId, state: DeviceState, reason: str = "") -> None:
        """Takes over how a device that is not started stood before a restart.

        DISCONNECTED, LOGGED_OUT and STORE_REFUSED are known from outside; a device
        of which something is known here already is left as it is.
        """
        self._session(device).recall(state, reason)

    def end_streams(self) -> None:
        """Ends everyone's watching and linking with ServiceUnavailable; calls go on.

        For a service that is told to stop: those streams would never end.
        """
        for session in self._sessions.values():
            session.end_streams(ServiceUnavailable())

    async def stop(self) -> None:
        """Ends all processes at once: a request, a few seconds, then a kill."""
        self._is_stopped = True
        if self._upkeep is not None:
            self._upkeep.cancel()
        stops = (session.stop() for session in self._sessions.values())
        # One that fails to stop keeps no other from being waited for.
        outcomes = await asyncio.gather(*stops, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    def states(self) -> dict[DeviceId, DeviceState]:
        """Tells the states of all devices that were ever started here."""
        return {device: session.state for device, session in self._sessions.items()}

    def pids(self) -> dict[DeviceId, int]:
        """Tells the ids of the processes that run now."""
        lives = {device: session.life for device, session in self._sessions.items()}
        pids = {device: life.pid for device, life in lives.items() if life is not None}
        return {device: pid for device, pid in pids.items() if pid is not None}

    def load(self) -> dict[str, int]:
        """Counts the calls of all devices: under way, abandoned among them, waiting."""
        tables = [session.calls for session in self._sessions.values()]
        return {
            "under_way": sum(table.under_way for table in tables if table is not None),
            "abandoned": sum(table.abandoned for table in tables if table is not None),
            "waiting": sum(session.waiting for session in self._sessions.values()),
        }

    def state(self, device: DeviceId) -> DeviceState:
        """Tells the state of the device now; NEW for one that was never started."""
        session = self._sessions.get(device)
        return DeviceState.NEW if session is None else session.state

    async def require_connected(self, device: DeviceId) -> None:
        """Returns when the device is connected, else raises DeviceNotReady."""
        await self._session(device).connected()

    async def picture(
        self, device: DeviceId, chat: Jid, *, preview: bool, existing_id: str
    ) -> Picture | Unchanged:
        """Asks for the picture of a contact or a group."""
        return await self._questions.picture(device, chat, preview=preview, existing_id=existing_id)

    async def roster(self, device: DeviceId, group: Jid) -> Roster:
        """Asks for a group's participants."""
        return await self._questions.roster(device, group)

    async def check_numbers(
        self, device: DeviceId, numbers: Sequence[str]
    ) -> Mapping[str, NumberCheck]:
        """Asks in one query which phone numbers are on WhatsApp."""
        return await self._questions.numbers(device, numbers)

    async def user_info(self, device: DeviceId, person: Jid) -> UserInfo:
        """Asks what a person tells of themselves."""
        return await self._questions.user_info(device, person)

    async def blocklist(self, device: DeviceId) -> Blocklist:
        """Asks whom the account has blocked."""
        return await self._questions.blocklist(device)

    async def set_blocked(self, device: DeviceId, person: Jid, *, blocked: bool) -> Blocklist:
        """Has WhatsApp block or unblock a person."""
        return await self._questions.set_blocked(device, person, blocked=blocked)

    def listen(self, on_change: Callable[[DeviceId, Change], None]) -> None:
        """Has `on_change` called on the event loop; an error of its own is logged."""
        self._around.changes.listen(on_change)

    def link(
        self, device: DeviceId, *, phone: Jid | None = None
    ) -> AsyncGenerator[QrText | PairCode | Linked]:
        """Links the device; several callers at a time watch the same attempt."""
        return self._session(device).link(phone)

    def status(self, device: DeviceId) -> DeviceStatus:
        """Tells the state of the device with its circumstances."""
        session = self._sessions.get(device)
        if session is None:
            return DeviceStatus(DeviceState.NEW, self._begun)
        return session.status

    def watch(self, device: DeviceId) -> AsyncGenerator[DeviceStatus]:
        """Yields the status now, and after each change.

        Raises ServiceUnavailable at the end of the service, and NotFound when the
        device is forgotten.
        """
        return self._session(device).watch()

    async def qr_code(self, device: DeviceId, *, reuse: bool, refresh: bool) -> QrCode:
        """Gives a QR code; the attempt to link then goes on by itself."""
        return await self._session(device).codes.qr_code(reuse=reuse, refresh=refresh)

    def qr_status(self, device: DeviceId) -> QrCode | None:
        """Gives the valid QR code being shown, if any."""
        session = self._sessions.get(device)
        return None if session is None else session.codes.qr_status()

    async def pair_code(
        self, device: DeviceId, phone: Jid, *, reuse: bool, refresh: bool
    ) -> PairCode:
        """Gives a pair code; the attempt to link then goes on by itself.

        Also raises what WhatsApp says of the number: RateLimited, WhatsappError.
        """
        return await self._session(device).codes.pair_code(phone, reuse=reuse, refresh=refresh)

    async def connect(self, device: DeviceId) -> DeviceStatus:
        """Connects a linked device, and waits a few seconds for it."""
        return await self._session(device).connect()

    async def disconnect(self, device: DeviceId) -> None:
        """Ends the connection, or linking, and keeps the credentials."""
        await self._session(device).disconnect()

    async def logout(self, device: DeviceId) -> None:
        """Logs the device out of WhatsApp; its credentials are wiped."""
        await self._session(device).logout()

    async def forget(self, device: DeviceId) -> None:
        """Ends the process and deletes the device's directory.

        Whoever watches or links the device is told NotFound. Raises
        ServiceUnavailable when something of the directory is left.
        """
        session = self._session(device)
        try:
            await session.stop(NotFound("device"))
            await asyncio.to_thread(_delete, self._around.devices_directory / device)
        finally:
            if self._sessions.get(device) is session:
                del self._sessions[device]

    def _session(self, device: DeviceId) -> DeviceSession:
        if self._is_stopped:
            raise ServiceUnavailable
        session = self._sessions.get(device)
        if session is None:
            session = self._sessions[device] = DeviceSession(self._around, _checked(device))
        if self._upkeep is None:
            upkeep = keep_up(self._around, lambda: self._sessions)
            self._upkeep = asyncio.create_task(upkeep, context=Context())
        return session


def _checked(device: DeviceId) -> DeviceId:
    """Refuses an id that is no plain folder name."""
    if not _FOLDER_NAME.fullmatch(device):
        message = "device id is no folder name"
        raise ValueError(message)
    return device


def _delete(directory: Path) -> None:
    try:
        shutil.rmtree(directory)
    except FileNotFoundError:
        return
    except OSError:
        raise ServiceUnavailable from None


def _now() -> datetime:
    return datetime.now(UTC)
