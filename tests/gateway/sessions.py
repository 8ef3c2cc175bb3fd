"""Live sessions whose devices are what their names say, whatever is done to them."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import fakes
from fakes_sessions import SINCE, FakeSessions
from wuts.domain.device import DeviceStatus, PairCode, QrCode
from wuts.domain.errors import AlreadyLinked, QrTimeout
from wuts.domain.jid import pn_jid
from wuts.domain.state import SERVING, DeviceState, Reason
from wuts.ports import Linked, QrText

from . import world

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from wuts.domain.blocklist import Blocklist
    from wuts.domain.caller import DeviceId
    from wuts.domain.jid import Jid
    from wuts.domain.picture import Picture, Unchanged

LINKED_DEVICES = (world.LINKED, world.SYNCING, world.OFF, world.RETRYING, world.BANNED)
"""The keeper's devices that are linked."""

_STATES = {
    world.SYNCING: (DeviceState.SYNCING, ""),
    world.OFF: (DeviceState.DISCONNECTED, Reason.DISCONNECTED_BY_REQUEST),
    world.RETRYING: (DeviceState.RECONNECTING, Reason.CONNECTION_LOST),
    world.BANNED: (DeviceState.BANNED, Reason.BANNED),
    world.NEW: (DeviceState.NEW, ""),
    world.MUTE: (DeviceState.NEW, Reason.QR_TIMEOUT),
    world.LOST: (DeviceState.LOGGED_OUT, Reason.REMOVED_FROM_PHONE),
    world.MADE: (DeviceState.NEW, ""),
}
_UNLINKED = {DeviceState.NEW, DeviceState.LOGGED_OUT}
_LATER = SINCE + timedelta(minutes=1)
_CODE_MADE = datetime(2126, 1, 2, 3, 4, 5, tzinfo=UTC)  # never out of date
_LINKING_SECONDS = 1.5  # longer than any limit of the hurried gateway


class Sessions(FakeSessions):
    """The example's sessions; devices are connected unless their names say otherwise."""

    def state(self, device: DeviceId) -> DeviceState:
        """Tells the state that the device is named after."""
        return self.status(device).state

    def status(self, device: DeviceId) -> DeviceStatus:
        """Tells the state with its circumstances."""
        state, reason = _STATES.get(device, (DeviceState.CONNECTED, ""))
        return DeviceStatus(
            state,
            SINCE,
            reason,
            next_retry_at=_LATER if device == world.RETRYING else None,
            banned_until=_LATER if device == world.BANNED else None,
            last_connected=SINCE if state in SERVING else None,
        )

    async def picture(
        self, device: DeviceId, chat: Jid, *, preview: bool, existing_id: str
    ) -> Picture | Unchanged:
        """Gives the example's picture unless this person stands for something else."""
        if str(chat) == world.SILENT:
            await wait_for_ever()
        if str(chat) == world.FAULTY:
            raise RuntimeError(world.FAULT)
        return await super().picture(device, chat, preview=preview, existing_id=existing_id)

    async def set_blocked(self, device: DeviceId, person: Jid, *, blocked: bool) -> Blocklist:
        """Tells the list as it would be, and changes nothing."""
        before = list(self.blocked)
        try:
            return await super().set_blocked(device, person, blocked=blocked)
        finally:
            self.blocked = before

    async def link(
        self, device: DeviceId, *, phone: Jid | None = None
    ) -> AsyncGenerator[QrText | PairCode | Linked]:
        """Shows one code, waits for the phone, and is linked."""
        yield QrText("2@invented")
        await asyncio.sleep(_LINKING_SECONDS)
        yield Linked(pn_jid(fakes.OWN))

    async def watch(self, device: DeviceId) -> AsyncGenerator[DeviceStatus]:
        """Tells the status, is silent for a while, tells it once more and then nothing."""
        yield self.status(device)
        await asyncio.sleep(_LINKING_SECONDS)
        yield self.status(device)
        await asyncio.Event().wait()

    async def qr_code(self, device: DeviceId, *, reuse: bool, refresh: bool) -> QrCode:
        """Gives a code that was shown before unless a new one is wanted."""
        self._require_unlinked(device)
        if device == world.MUTE:
            raise QrTimeout
        expires_at = _CODE_MADE + timedelta(seconds=60)
        return QrCode("2@invented", _CODE_MADE, expires_at, cached=reuse and not refresh)

    def qr_status(self, device: DeviceId) -> QrCode | None:
        """Tells of a code of new devices that are not mute."""
        if device != world.NEW:
            return None
        return QrCode("2@invented", _CODE_MADE, _CODE_MADE + timedelta(seconds=60))

    async def pair_code(
        self, device: DeviceId, phone: Jid, *, reuse: bool, refresh: bool
    ) -> PairCode:
        """Gives a code that was shown before unless a new one is wanted."""
        self._require_unlinked(device)
        if device == world.MUTE:
            raise QrTimeout
        expires_at = datetime.now(UTC) + timedelta(seconds=300)
        return PairCode("ABCD-1234", phone, expires_at, cached=reuse and not refresh)

    async def connect(self, device: DeviceId) -> DeviceStatus:
        """Connects nothing."""
        return self.status(device)

    async def disconnect(self, device: DeviceId) -> None:
        """Disconnects nothing."""

    async def logout(self, device: DeviceId) -> None:
        """Needs a connection, and ends nothing."""
        await self.require_connected(device)

    async def forget(self, device: DeviceId) -> None:
        """Forgets nothing."""

    def _require_unlinked(self, device: DeviceId) -> None:
        if self.state(device) not in _UNLINKED:
            raise AlreadyLinked


async def wait_for_ever() -> None:
    """Says so, and waits."""
    tell("waiting")
    await asyncio.Event().wait()


def tell(what: object) -> None:
    """Writes a line that the tests wait for."""
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()
