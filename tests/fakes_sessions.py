"""Live sessions in memory: tests say what they answer."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from wuts.domain.errors import DeviceNotReady, DomainError, GroupNotFound, PictureNotSet
from wuts.domain.picture import Picture, Unchanged
from wuts.domain.state import DeviceState
from wuts.ports import Linked

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from wuts.domain.caller import DeviceId
    from wuts.domain.group import Roster
    from wuts.domain.jid import Jid
    from wuts.ports import QrText


@dataclass
class FakeSessions:
    """Answers the port LiveSessions from dictionaries; errors in them are raised.

    `pictures` and `rosters` are keyed by the printed JID; a picture's kind
    follows the question. `link_steps` are what linking a device yields; it ends
    connected after a `Linked`. `asked` lists the JIDs asked about.
    """

    states: dict[DeviceId, DeviceState] = field(default_factory=dict)
    pictures: dict[str, Picture | DomainError] = field(default_factory=dict)
    rosters: dict[str, Roster | DomainError] = field(default_factory=dict)
    accounts: dict[DeviceId, Jid] = field(default_factory=dict)
    link_steps: dict[DeviceId, Sequence[QrText | Linked | DomainError]] = field(
        default_factory=dict
    )
    asked: list[str] = field(default_factory=list)

    def state(self, device: DeviceId) -> DeviceState:
        """Tells the state that was set; NEW when none was."""
        return self.states.get(device, DeviceState.NEW)

    async def require_connected(self, device: DeviceId) -> None:
        """Raises DeviceNotReady unless the state is CONNECTED."""
        if self.state(device) != DeviceState.CONNECTED:
            raise DeviceNotReady(self.state(device))

    async def picture(
        self, device: DeviceId, chat: Jid, *, preview: bool, existing_id: str
    ) -> Picture | Unchanged:
        """Gives the picture that was set; raises PictureNotSet when none was."""
        await self.require_connected(device)
        self.asked.append(str(chat))
        answer = self.pictures.get(str(chat)) or PictureNotSet()
        if isinstance(answer, DomainError):
            raise answer
        if answer.id == existing_id:
            return Unchanged(existing_id)
        return replace(answer, kind="preview" if preview else "image")

    async def roster(self, device: DeviceId, group: Jid) -> Roster:
        """Gives the roster that was set; raises GroupNotFound when none was."""
        await self.require_connected(device)
        self.asked.append(str(group))
        answer = self.rosters.get(str(group)) or GroupNotFound()
        if isinstance(answer, DomainError):
            raise answer
        return answer

    async def link(self, device: DeviceId) -> AsyncGenerator[QrText | Linked]:
        """Yields the steps that were set; a connected device is linked at once."""
        if self.state(device) == DeviceState.CONNECTED:
            yield Linked(self.accounts[device])
            return
        self.states.setdefault(device, DeviceState.NEW)
        for step in self.link_steps.get(device, ()):
            if isinstance(step, DomainError):
                raise step
            if isinstance(step, Linked):
                self.states[device] = DeviceState.CONNECTED
                self.accounts[device] = step.account
            yield step
