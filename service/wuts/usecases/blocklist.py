"""Reads and changes the list of those whom an account has blocked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from wuts.domain.errors import WhatsappError
from wuts.domain.jid import Jid, Server, lid_jid, parse_user, pn_jid
from wuts.usecases.targets import find_target, parse_target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wuts.domain.blocklist import Blocklist
    from wuts.domain.caller import DeviceId
    from wuts.ports import ContactStore, Enquiries


class Blocking(Protocol):
    """The part of the live sessions that the blocklist needs."""

    async def require_connected(self, device: DeviceId) -> None:
        """Returns when the device is connected, else raises DeviceNotReady."""
        ...

    async def blocklist(self, device: DeviceId) -> Blocklist:
        """Asks whom the account has blocked."""
        ...

    async def set_blocked(self, device: DeviceId, person: Jid, *, blocked: bool) -> Blocklist:
        """Has WhatsApp block or unblock a person."""
        ...


class FoundBlocklist(NamedTuple):
    """The blocked people, by phone number where that is known."""

    people: Sequence[Jid]
    dhash: str


@dataclass(frozen=True, slots=True)
class BlockChange:
    """Who was blocked or unblocked, and the length of the list since then."""

    person: Jid
    blocked: bool
    count: int
    dhash: str


async def get_blocklist(
    device: DeviceId, *, store: ContactStore, sessions: Blocking
) -> FoundBlocklist:
    """Asks for the list, and resolves its LIDs by what the store knows.

    Raises whatever the ports raise.
    """
    told = await sessions.blocklist(device)
    lids = {jid.user for jid in told.people if jid.server is Server.LID}
    known = await store.lookup(device, pns=(), lids=lids) if lids else None
    pn_of_lid = known.pn_of_lid if known else {}
    people = [
        pn_jid(pn_of_lid[jid.user]) if jid.server is Server.LID and jid.user in pn_of_lid else jid
        for jid in told.people
    ]
    return FoundBlocklist(people, told.dhash)


async def change_blocklist(
    device: DeviceId,
    *,
    jid: str,
    number: str,
    blocked: bool,
    store: ContactStore,
    sessions: Blocking,
    enquiries: Enquiries,
) -> BlockChange:
    """Blocks or unblocks the person named by `jid` or, when that is empty, by `number`.

    Raises ValidationFailed, NotOnWhatsapp for a phone number that nobody has,
    WhatsappError when the list does not show the change, and whatever the ports
    raise.
    """
    asked = parse_target(jid, number, parse_user)
    await sessions.require_connected(device)
    target = await find_target(device, asked, store, enquiries)
    lid = target.lid
    if lid is None:
        # The list holds LIDs; the question teaches the engine this one.
        info = await enquiries.user_info(device, target.person)
        lid = lid_jid(info.lid) if info.lid else None
    told = await sessions.set_blocked(device, target.person, blocked=blocked)
    is_listed = target.person in told.people or lid in told.people
    if is_listed != blocked:
        raise WhatsappError
    return BlockChange(target.person, is_listed, len(told.people), told.dhash)
