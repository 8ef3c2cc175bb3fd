"""Asks WhatsApp what somebody tells of themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from wuts.domain.jid import parse_user
from wuts.usecases.targets import find_target, parse_target

if TYPE_CHECKING:
    from wuts.domain.caller import DeviceId
    from wuts.domain.jid import Jid
    from wuts.domain.profile import UserInfo
    from wuts.ports import ContactStore, Enquiries
    from wuts.usecases.list_contacts import ConnectionGate


class FoundProfile(NamedTuple):
    """The person as they are told to the caller, and what they tell."""

    jid: Jid
    info: UserInfo


async def get_contact_profile(
    device: DeviceId,
    *,
    jid: str,
    number: str,
    store: ContactStore,
    sessions: ConnectionGate,
    enquiries: Enquiries,
) -> FoundProfile:
    """Asks about the person named by `jid` or, when that is empty, by `number`.

    Raises ValidationFailed, and whatever the ports raise: NotOnWhatsapp among
    them.
    """
    asked = parse_target(jid, number, parse_user)
    await sessions.require_connected(device)
    target = await find_target(device, asked, store, enquiries)
    info = await enquiries.user_info(device, target.person)
    return FoundProfile(asked if jid else target.chat, info)
