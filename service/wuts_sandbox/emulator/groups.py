"""Answers questions for one group's metadata and for the list of joined groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wuts_sandbox.emulator.stanzas import FORBIDDEN, NOT_FOUND, RATE_LIMITED, failure, result
from wuts_sandbox.wire.node import Jid, Node, lid_jid, pn_jid
from wuts_sandbox.world.document import Participant

if TYPE_CHECKING:
    from wuts_sandbox.emulator.account import AccountState
    from wuts_sandbox.world.document import Group

CREATED = "1700000000"
ERRORS = {"not_found": NOT_FOUND, "rate_limited": RATE_LIMITED}


def answer(account: AccountState, iq: Node) -> Node | None:
    """Answers the question for one group; a silent group has no answer."""
    address = iq.attrs.get("to")
    group = account.directory.group(address) if isinstance(address, Jid) else None
    if group is None or not isinstance(address, Jid):
        return failure(iq, *NOT_FOUND)
    if group.answer == "silent":
        return None
    if group.answer != "ok":
        return failure(iq, *ERRORS[group.answer], sender=address)
    if not group.member:
        return failure(iq, *FORBIDDEN, sender=address)
    return result(iq, group_element(account, group), sender=address)


def answer_list(account: AccountState, iq: Node) -> Node:
    """Answers the question for all joined groups."""
    joined: list[Node] = [
        group_element(account, group) for group in account.document.groups if group.member
    ]
    return result(iq, Node("groups", {}, joined), sender=Jid("", "g.us"))


def roster(account: AccountState, group: Group) -> list[Participant]:
    """Returns a group's participants; the account itself is one of its own groups' members."""
    own = account.document
    listed = any(person.pn == own.pn or person.lid == own.lid for person in group.participants)
    return [*group.participants, *([] if listed else [Participant(pn=own.pn, lid=own.lid)])]


def group_element(account: AccountState, group: Group) -> Node:
    """Returns a group's metadata and roster."""
    members: list[Node] = [
        participant_element(person, group.addressing) for person in roster(account, group)
    ]
    attrs: dict[str, str | Jid] = {
        "id": group.jid.partition("@")[0],
        "subject": group.subject,
        "s_t": CREATED,
        "creation": CREATED,
        "addressing_mode": group.addressing,
        "size": str(len(members)),
    }
    return Node("group", attrs, members)


def participant_element(person: Participant, addressing: str) -> Node:
    """Returns one line of a roster."""
    pn = pn_jid(person.pn) if person.pn else None
    lid = lid_jid(person.lid) if person.lid else None
    if pn is not None and (addressing == "pn" or lid is None):
        return Node("participant", {"jid": pn, "lid": lid or ""})
    attrs = {"jid": lid or "", "phone_number": pn or "", "display_name": person.redacted}
    return Node("participant", attrs)
