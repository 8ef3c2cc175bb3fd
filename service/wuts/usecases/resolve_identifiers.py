"""Resolves phone numbers, PN JIDs and LID JIDs to identities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from wuts.domain.errors import ValidationFailed
from wuts.domain.identity import Identity, identify, merge_roster
from wuts.domain.jid import Jid, JidError, Server, parse_group, parse_user

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wuts.domain.caller import DeviceId
    from wuts.domain.group import Roster
    from wuts.domain.knowledge import Knowledge
    from wuts.ports import ContactStore

MAX_INPUTS = 160
"""The most inputs of one call, as documented."""


class RosterSource(Protocol):
    """The part of the live sessions that resolving needs."""

    async def roster(self, device: DeviceId, group: Jid) -> Roster:
        """Asks for a group's participants; see wuts.ports.LiveSessions."""
        ...


@dataclass(frozen=True, slots=True)
class Invalid:
    """An input that is no identifier, and how to write one."""

    detail: str


async def resolve_identifiers(
    device: DeviceId,
    inputs: Sequence[str],
    *,
    group_jid: str,
    store: ContactStore,
    sessions: RosterSource,
) -> list[Identity | Invalid]:
    """Gives one result for each input, in their order.

    Asks nothing of WhatsApp but the roster of `group_jid`, when one is given.
    Raises ValidationFailed for a wrong number of inputs or a malformed group,
    and whatever the ports raise; one bad input never fails the others.
    """
    if not 1 <= len(inputs) <= MAX_INPUTS:
        message = f"must hold 1 to {MAX_INPUTS} identifiers"
        raise ValidationFailed("jids", message, str(len(inputs)))
    group = _parse_group(group_jid) if group_jid else None
    parsed = [_parse(text) for text in inputs]
    roster = await sessions.roster(device, group) if group else None
    known = await _known(device, parsed, roster, store)
    return [identify(item, known, roster) if isinstance(item, Jid) else item for item in parsed]


def _parse_group(text: str) -> Jid:
    try:
        return parse_group(text)
    except JidError as error:
        raise ValidationFailed("group_jid", str(error), text) from None


def _parse(text: str) -> Jid | Invalid:
    try:
        return parse_user(text)
    except JidError as error:
        return Invalid(str(error))


async def _known(
    device: DeviceId,
    parsed: Sequence[Jid | Invalid],
    roster: Roster | None,
    store: ContactStore,
) -> Knowledge:
    jids = [item for item in parsed if isinstance(item, Jid)]
    pns = {jid.user for jid in jids if jid.server is Server.PN}
    lids = {jid.user for jid in jids if jid.server is Server.LID}
    if roster is None:
        return await store.lookup(device, pns=pns, lids=lids)
    # The roster may pair an input with a JID whose row the store keeps.
    members = [p for p in roster.participants if p.pn in pns or p.lid in lids]
    pns |= {p.pn for p in members if p.pn}
    lids |= {p.lid for p in members if p.lid}
    return merge_roster(await store.lookup(device, pns=pns, lids=lids), roster)
