"""The live sessions of all devices."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, TypeVar

from wuts.adapters.sessions import answers
from wuts.adapters.sessions.device import DeviceSession
from wuts.adapters.sessions.limits import Limits
from wuts.adapters.sessions.surroundings import Surroundings, Tallies
from wuts.domain.errors import DomainError, ServiceUnavailable
from wuts.domain.state import DeviceState
from wuts.session.v1 import session_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
    from pathlib import Path

    from wuts.adapters.sessions.surroundings import AccountOf, OnLinked, OnLoggedOut
    from wuts.domain.caller import DeviceId
    from wuts.domain.group import Roster
    from wuts.domain.jid import Jid
    from wuts.domain.picture import Picture, Unchanged
    from wuts.ports import Linked, QrText

_FOLDER_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,63}")

A = TypeVar("A")


class Sessions:
    """Answers the port LiveSessions with one session process for each device.

    Belongs to one event loop, on which it is made. `command` is the argv of a
    session process, to which its directory and socket are appended; `sandbox`
    must be what that process says of itself. Processes run from `start` or
    `link` on until `stop`, or until WhatsApp ends the link.
    """

    def __init__(  # one argument for each thing it cannot know
        self,
        devices_directory: Path,
        *,
        command: Sequence[str],
        sandbox: bool,
        account_of: AccountOf,
        on_linked: OnLinked,
        on_logged_out: OnLoggedOut,
        session_log: bool = False,
        limits: Limits | None = None,
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
            starting=asyncio.Semaphore(limits.starts_at_once),
            tallies=self.tallies,
        )
        self._sessions: dict[DeviceId, DeviceSession] = {}
        self._is_stopped = False

    def start(self, devices: Iterable[DeviceId]) -> None:
        """Begins to connect linked devices; returns before they are connected."""
        for device in devices:
            self._session(device).start()

    async def stop(self) -> None:
        """Ends all processes at once: a request, a few seconds, then a kill."""
        self._is_stopped = True
        await asyncio.gather(*(session.stop() for session in self._sessions.values()))

    def states(self) -> dict[DeviceId, DeviceState]:
        """Tells the states of all devices that were ever started here."""
        return {device: session.state for device, session in self._sessions.items()}

    def pids(self) -> dict[DeviceId, int]:
        """Tells the ids of the processes that run now."""
        pids = {device: session.pid for device, session in self._sessions.items()}
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
        request = pb.PictureRequest(
            user=chat.user, server=chat.server, preview=preview, existing_id=existing_id
        )
        return await self._ask(
            device,
            pb.Request(picture=request),
            lambda reply: answers.picture(
                reply, existing_id=existing_id, slow_down_seconds=self._slow_down_seconds
            ),
        )

    async def roster(self, device: DeviceId, group: Jid) -> Roster:
        """Asks for a group's participants."""
        return await self._ask(
            device,
            pb.Request(roster=pb.RosterRequest(user=group.user)),
            lambda reply: answers.roster(reply, slow_down_seconds=self._slow_down_seconds),
        )

    def link(self, device: DeviceId) -> AsyncGenerator[QrText | Linked]:
        """Links the device; several callers at a time watch the same attempt."""
        return self._session(device).link()

    @property
    def _slow_down_seconds(self) -> int:
        return self._around.limits.rate_limit_seconds

    async def _ask(self, device: DeviceId, request: pb.Request, read: Callable[[pb.Reply], A]) -> A:
        try:
            answer = read(await self._session(device).ask(request))
        except DomainError as error:
            self.tallies.calls[type(error).__name__] += 1
            raise
        self.tallies.calls["OK"] += 1
        return answer

    def _session(self, device: DeviceId) -> DeviceSession:
        if self._is_stopped:
            raise ServiceUnavailable
        session = self._sessions.get(device)
        if session is None:
            session = self._sessions[device] = DeviceSession(self._around, _checked(device))
        return session


def _checked(device: DeviceId) -> DeviceId:
    """Refuses an id that is no plain folder name."""
    if not _FOLDER_NAME.fullmatch(device):
        message = "device id is no folder name"
        raise ValueError(message)
    return device
