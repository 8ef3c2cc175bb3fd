"""Live sessions in memory: tests say what they answer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from wuts.domain.blocklist import Blocklist
from wuts.domain.device import DeviceStatus, PairCode, QrCode
from wuts.domain.enquiry import NumberCheck
from wuts.domain.errors import (
    AlreadyLinked,
    DeviceNotReady,
    DomainError,
    GroupNotFound,
    NotOnWhatsapp,
    PictureNotSet,
    QrTimeout,
)
from wuts.domain.jid import Server, lid_jid
from wuts.domain.picture import Picture, Unchanged
from wuts.domain.state import SERVING, DeviceState, Reason
from wuts.ports import Linked, QrText

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

    from wuts.domain.caller import DeviceId
    from wuts.domain.enquiry import Change
    from wuts.domain.group import Roster
    from wuts.domain.jid import Jid
    from wuts.domain.profile import UserInfo

SINCE = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
"""When everything happens here."""

CODE_SECONDS = 20
PAIR_CODE_SECONDS = 160

_RETRYING = frozenset({DeviceState.CONNECTING, DeviceState.RECONNECTING})
_UNLINKED = frozenset({DeviceState.NEW, DeviceState.LOGGED_OUT, DeviceState.LINKING})

Step = QrText | PairCode | Linked | DomainError


@dataclass
class FakeSessions:
    """Answers the port LiveSessions from dictionaries; errors in them are raised.

    `pictures` and `rosters` are keyed by the printed JID; a picture's kind
    follows the question. `registered` is keyed by the number as it is asked;
    nobody has a number that is not there, and on `silent` ones nothing is said.
    `number_errors` fail each query that holds their number. `link_steps` are
    what linking a device yields; it ends connected after a `Linked`. Codes come
    from there too; a device without any step has none in time. `statuses` holds
    more than the state, where a test wants that. `infos` are keyed by the
    printed JID, `asked_people` lists who was asked about; `blocked` is the
    blocklist, by LID where `infos` tells one. While `held` is not set,
    pictures, rosters and numbers are not answered. `asked` lists the JIDs asked
    about, `asked_numbers` the numbers of each query, `forgotten` the devices
    whose directories are gone.
    """

    states: dict[DeviceId, DeviceState] = field(default_factory=dict)
    statuses: dict[DeviceId, DeviceStatus] = field(default_factory=dict)
    pictures: dict[str, Picture | DomainError] = field(default_factory=dict)
    rosters: dict[str, Roster | DomainError] = field(default_factory=dict)
    registered: dict[str, NumberCheck] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    number_errors: dict[str, DomainError] = field(default_factory=dict)
    held: asyncio.Event | None = None
    accounts: dict[DeviceId, Jid] = field(default_factory=dict)
    link_steps: dict[DeviceId, Sequence[Step]] = field(default_factory=dict)
    logout_error: DomainError | None = None
    asked: list[str] = field(default_factory=list)
    asked_numbers: list[list[str]] = field(default_factory=list)
    infos: dict[str, UserInfo | DomainError] = field(default_factory=dict)
    blocked: list[Jid] = field(default_factory=list)
    blocklist_error: DomainError | None = None
    asked_people: list[str] = field(default_factory=list)
    forgotten: list[DeviceId] = field(default_factory=list)
    _codes: dict[DeviceId, QrCode] = field(default_factory=dict)
    _pair_codes: dict[DeviceId, PairCode] = field(default_factory=dict)
    _changed: dict[DeviceId, asyncio.Event] = field(default_factory=dict)
    _on_change: Callable[[DeviceId, Change], None] | None = None

    def enter(
        self,
        device: DeviceId,
        state: DeviceState,
        reason: str = "",
        *,
        next_retry_at: datetime | None = None,
        banned_until: datetime | None = None,
    ) -> None:
        """Changes the state of a device, which those who watch it hear of."""
        last = SINCE if state in SERVING else self.status(device).last_connected
        self.states[device] = state
        self.statuses[device] = DeviceStatus(
            state, SINCE, reason, next_retry_at, banned_until, last
        )
        self._changed.pop(device, asyncio.Event()).set()

    def state(self, device: DeviceId) -> DeviceState:
        """Tells the state that was set; NEW when none was."""
        return self.states.get(device, DeviceState.NEW)

    def status(self, device: DeviceId) -> DeviceStatus:
        """Tells the status that was set, else a plain one with the state."""
        state = self.state(device)
        status = self.statuses.get(device)
        if status is not None and status.state == state:
            return status
        return DeviceStatus(state, SINCE, last_connected=SINCE if state in SERVING else None)

    async def watch(self, device: DeviceId) -> AsyncGenerator[DeviceStatus]:
        """Yields the status now, and again after each `enter`."""
        while True:
            changed = self._changed.setdefault(device, asyncio.Event())
            yield self.status(device)
            await changed.wait()

    async def require_connected(self, device: DeviceId) -> None:
        """Raises DeviceNotReady unless the state is CONNECTED or SYNCING."""
        status = self.status(device)
        if status.state not in SERVING:
            seconds = 1 if status.state in _RETRYING else 0
            if seconds and status.next_retry_at is not None:
                seconds = max(1, int((status.next_retry_at - SINCE).total_seconds()))
            raise DeviceNotReady(status.state, reason=status.reason, retry_after=seconds)

    async def picture(
        self, device: DeviceId, chat: Jid, *, preview: bool, existing_id: str
    ) -> Picture | Unchanged:
        """Gives the picture that was set; raises PictureNotSet when none was."""
        await self.require_connected(device)
        self.asked.append(str(chat))
        await self._until_released()
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
        await self._until_released()
        answer = self.rosters.get(str(group)) or GroupNotFound()
        if isinstance(answer, DomainError):
            raise answer
        return answer

    async def check_numbers(
        self, device: DeviceId, numbers: Sequence[str]
    ) -> Mapping[str, NumberCheck]:
        """Gives what was set for each number; raises the first error among them."""
        await self.require_connected(device)
        self.asked_numbers.append(list(numbers))
        await self._until_released()
        for number in numbers:
            if number in self.number_errors:
                raise self.number_errors[number]
        return {
            number: self.registered.get(number) or NumberCheck(number, registered=False)
            for number in numbers
            if number not in self.silent
        }

    async def user_info(self, device: DeviceId, person: Jid) -> UserInfo:
        """Gives what was set; raises NotOnWhatsapp when nothing was."""
        await self.require_connected(device)
        self.asked_people.append(str(person))
        await self._until_released()
        answer = self.infos.get(str(person)) or NotOnWhatsapp()
        if isinstance(answer, DomainError):
            raise answer
        return answer

    async def blocklist(self, device: DeviceId) -> Blocklist:
        """Gives the list as it is; its mark counts and names those on it."""
        await self.require_connected(device)
        if self.blocklist_error is not None:
            raise self.blocklist_error
        mark = "".join(sorted(jid.user for jid in self.blocked))
        return Blocklist(tuple(self.blocked), f"2:{mark}")

    async def set_blocked(self, device: DeviceId, person: Jid, *, blocked: bool) -> Blocklist:
        """Changes the list; raises NotOnWhatsapp for a number whose LID nothing tells."""
        await self.blocklist(device)
        entry = person
        if person.server is Server.PN:
            info = self.infos.get(str(person)) or NotOnWhatsapp()
            if isinstance(info, DomainError):
                raise info
            entry = lid_jid(info.lid)
        others = [jid for jid in self.blocked if jid not in {entry, person}]
        self.blocked = [*others, entry] if blocked else others
        return await self.blocklist(device)

    def listen(self, on_change: Callable[[DeviceId, Change], None]) -> None:
        """Has `on_change` called by `change`."""
        self._on_change = on_change

    def change(self, device: DeviceId, change: Change) -> None:
        """Tells the listener, if there is one, that something changed."""
        if self._on_change is not None:
            self._on_change(device, change)

    async def link(
        self, device: DeviceId, *, phone: Jid | None = None
    ) -> AsyncGenerator[QrText | PairCode | Linked]:
        """Yields the steps that were set; a connected device is linked at once.

        QR codes are left out for a phone, pair codes without one.
        """
        if self.state(device) in SERVING:
            yield Linked(self.accounts[device])
            return
        self.states.setdefault(device, DeviceState.NEW)
        unwanted = PairCode if phone is None else QrText
        for step in self.link_steps.get(device, ()):
            if isinstance(step, unwanted):
                continue
            if isinstance(step, DomainError):
                raise step
            if isinstance(step, Linked):
                self.accounts[device] = step.account
                self.enter(device, DeviceState.CONNECTED)
            yield step

    async def qr_code(self, device: DeviceId, *, reuse: bool, refresh: bool) -> QrCode:
        """Gives the first QR code among the steps; raises QrTimeout without one."""
        self._require_unlinked(device)
        cached = self._codes.get(device)
        if cached is not None and reuse and not refresh:
            return replace(cached, cached=True)
        for step in self.link_steps.get(device, ()):
            if isinstance(step, DomainError):
                raise step
            if isinstance(step, QrText):
                code = QrCode(step.text, SINCE, SINCE + timedelta(seconds=step.ttl))
                self._codes[device] = code
                self.enter(device, DeviceState.LINKING)
                return code
        raise QrTimeout

    def qr_status(self, device: DeviceId) -> QrCode | None:
        """Gives the code that `qr_code` gave last."""
        return self._codes.get(device)

    async def pair_code(
        self, device: DeviceId, phone: Jid, *, reuse: bool, refresh: bool
    ) -> PairCode:
        """Gives the first pair code among the steps; raises QrTimeout without one."""
        self._require_unlinked(device)
        cached = self._pair_codes.get(device)
        if cached is not None and cached.phone == phone and reuse and not refresh:
            return replace(cached, cached=True)
        for step in self.link_steps.get(device, ()):
            if isinstance(step, DomainError):
                raise step
            if isinstance(step, PairCode):
                self._pair_codes[device] = code = replace(step, phone=phone)
                self.enter(device, DeviceState.LINKING)
                return code
        raise QrTimeout

    async def connect(self, device: DeviceId) -> DeviceStatus:
        """Connects a device that is linked, at once."""
        if self.state(device) not in _UNLINKED:
            self.enter(device, DeviceState.CONNECTED)
        return self.status(device)

    async def disconnect(self, device: DeviceId) -> None:
        """Ends the connection, or linking."""
        self._codes.pop(device, None)
        self._pair_codes.pop(device, None)
        if self.state(device) not in _UNLINKED:
            self.enter(device, DeviceState.DISCONNECTED, Reason.DISCONNECTED_BY_REQUEST)
        elif self.state(device) == DeviceState.LINKING:
            self.enter(device, DeviceState.NEW)

    async def logout(self, device: DeviceId) -> None:
        """Ends the link; raises `logout_error` where one was set."""
        await self.require_connected(device)
        if self.logout_error is not None:
            raise self.logout_error
        self.accounts.pop(device, None)
        self.enter(device, DeviceState.LOGGED_OUT, Reason.LOGGED_OUT_BY_REQUEST)

    async def forget(self, device: DeviceId) -> None:
        """Leaves nothing of the device."""
        for kept in (self.states, self.statuses, self.accounts, self._codes, self._pair_codes):
            kept.pop(device, None)
        self.forgotten.append(device)

    async def _until_released(self) -> None:
        if self.held is not None:
            await self.held.wait()

    def _require_unlinked(self, device: DeviceId) -> None:
        if self.state(device) not in _UNLINKED:
            raise AlreadyLinked
