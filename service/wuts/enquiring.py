"""Puts together who asks WhatsApp, and who tells it which account it asks for."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import TYPE_CHECKING

from wuts.adapters.enquiries import Enquirer, Policy
from wuts.domain.enquiry import QueryClass
from wuts.domain.errors import NotFound
from wuts.domain.jid import Jid, Server, lid_jid, pn_jid

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from wuts.adapters.registry import Registry
    from wuts.domain.caller import DeviceId
    from wuts.instruments import Metrics
    from wuts.ports import ContactStore, LiveSessions
    from wuts.settings import Settings


class Links:
    """Records which account each device is linked to, and tells the enquirer."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self.enquirer: Enquirer | None = None
        """Is made after the sessions, which call the rest of this."""

    def recall(self) -> None:
        """Tells the enquirer which devices are linked already."""
        for device in self._registry.devices():
            if self.enquirer is not None and device.account is not None:
                self.enquirer.know(device.id, device.account)

    async def on_linked(self, device: DeviceId, account: Jid) -> None:
        """Records that a device is linked; may be told so again."""
        self._registry.record_linked(device, account)
        if self.enquirer is not None:
            await self.enquirer.on_linked(device, account)

    async def on_logged_out(self, device: DeviceId) -> None:
        """Records that WhatsApp has ended a device's link."""
        # A device that is being removed may be gone already.
        with contextlib.suppress(NotFound):
            self._registry.record_unlinked(device)
            if self.enquirer is not None:
                await self.enquirer.on_unlinked(device)


def make_enquirer(
    settings: Settings,
    devices: Path,
    sessions: LiveSessions,
    store: ContactStore,
    metrics: Metrics | None = None,
) -> Enquirer:
    """Makes the enquirer, and has it told what changes; `devices` holds their directories."""

    async def kin_of(device: DeviceId, chats: Collection[Jid]) -> list[Jid]:
        pns = {chat.user for chat in chats if chat.server is Server.PN}
        lids = {chat.user for chat in chats if chat.server is Server.LID}
        known = await store.lookup(device, pns=pns, lids=lids)
        others = [pn_jid(known.pn_of_lid[lid]) for lid in lids if lid in known.pn_of_lid]
        return others + [lid_jid(known.lid_of_pn[pn]) for pn in pns if pn in known.lid_of_pn]

    enquirer = Enquirer(
        sessions=sessions,
        directory=devices,
        policy=policy_of(settings),
        kin_of=kin_of,
        metrics=metrics,
    )
    sessions.listen(enquirer.on_change)
    return enquirer


def policy_of(settings: Settings) -> Policy:
    """Reads from the settings how often WhatsApp may be asked, and what is remembered."""
    return Policy(
        allowances={
            QueryClass.NUMBER_CHECK: settings.budget_numbers,
            QueryClass.USER_INFO: settings.budget_users,
            QueryClass.PICTURE: settings.budget_pictures,
            QueryClass.GROUP_INFO: settings.budget_groups,
        },
        quiet=timedelta(hours=settings.quiet_hours),
        picture=timedelta(seconds=settings.picture_seconds),
        roster=timedelta(seconds=settings.roster_seconds),
        hidden_picture=timedelta(seconds=settings.hidden_picture_seconds),
        no_picture=timedelta(seconds=settings.no_picture_seconds),
        not_registered=timedelta(seconds=settings.not_registered_seconds),
    )
