"""Finds out who is meant by a JID or a phone number."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from wuts.domain.errors import ValidationFailed
from wuts.domain.jid import Jid, JidError, Server, lid_jid, parse_phone, pn_jid
from wuts.domain.spelling import prove, settle
from wuts.usecases.identifiers import Wanted
from wuts.usecases.number_checks import recall

if TYPE_CHECKING:
    from collections.abc import Callable

    from wuts.domain.caller import DeviceId
    from wuts.ports import ContactStore, Enquiries


class Target(NamedTuple):
    """The chat that is meant, and the person it belongs to.

    `person` is named by phone number where that is known, `lid` is None where
    it is not; both are the group for a group. `is_proven` tells that nothing
    learnt later makes it another person or spelling.
    """

    chat: Jid
    person: Jid
    lid: Jid | None
    is_proven: bool


def parse_target(jid: str, number: str, parse_jid: Callable[[str], Jid]) -> Jid:
    """Reads `jid`, or when that is empty `number`; raises ValidationFailed."""
    if not jid and not number:
        raise ValidationFailed("jid", "jid or number is required")
    by_jid = ("jid", jid, parse_jid)
    field, text, parse = by_jid if jid else ("number", number, parse_phone)
    try:
        return parse(text)
    except JidError as error:
        raise ValidationFailed(field, str(error), text) from None


async def find_target(
    device: DeviceId, asked: Jid, store: ContactStore, enquiries: Enquiries
) -> Target:
    """Finds the proven spelling of a number, and the phone number of a LID."""
    if asked.server is Server.GROUP:
        return Target(asked, asked, asked, is_proven=True)
    wanted = Wanted.of([asked])
    known = await store.lookup(device, pns=wanted.pns, lids=wanted.lids)
    if asked.server is Server.LID:
        pn = known.pn_of_lid.get(asked.user)
        return Target(asked, pn_jid(pn) if pn else asked, asked, is_proven=pn is not None)
    local = prove(asked.user, known)
    answers = await recall(device, [local], enquiries)
    spelling = settle(local, answers).spelling
    best, lid = pn_jid(spelling.best), known.lid_of_pn.get(spelling.best)
    return Target(best, best, lid_jid(lid) if lid else None, spelling.proof is not None)
