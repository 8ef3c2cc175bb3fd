"""Builds the notices that WhatsApp sends when a picture or a group changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wuts_sandbox.emulator.groups import group_element, participant_element, roster
from wuts_sandbox.emulator.stanzas import new_id, now
from wuts_sandbox.wire.node import GROUP_SERVER, Jid, Node
from wuts_sandbox.world.document import Participant, Picture

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wuts_sandbox.emulator.account import AccountState
    from wuts_sandbox.world.document import Group, PictureWord


def picture_notices(
    chat: Jid, former: Picture | PictureWord, present: Picture | PictureWord
) -> Iterator[Node]:
    """Says that a picture was set or removed, if it was.

    A new address of the same picture is no news, and nobody is told that
    somebody hides a picture.
    """
    if isinstance(present, Picture):
        if not isinstance(former, Picture) or former.id != present.id:
            yield _notification(chat, "picture", Node("set", {"jid": chat, "id": present.id}))
    elif present == "none" != former:
        yield _notification(chat, "picture", Node("delete", {"jid": chat}))


def group_notices(account: AccountState, former: Group | None, group: Group) -> Iterator[Node]:
    """Says what of a group has changed, one notice for each kind of change.

    Groups that the account does not belong to are none of its business.
    """
    chat = Jid(group.jid.partition("@")[0], GROUP_SERVER)
    if former is None or not former.member:
        if group.member:
            created: list[Node] = [group_element(account, group)]
            yield _notification(chat, "w:gp2", Node("create", {}, created))
        return
    for tag, people in _moves(account, former, group):
        listed: list[Node] = [participant_element(one, group.addressing) for one in people]
        yield _notification(chat, "w:gp2", Node(tag, {}, listed))
    if group.member and former.subject != group.subject:
        subject = Node("subject", {"subject": group.subject, "s_t": now()})
        yield _notification(chat, "w:gp2", subject)
    if group.member:
        yield from picture_notices(chat, former.picture, group.picture)


def _moves(
    account: AccountState, former: Group, group: Group
) -> Iterator[tuple[str, list[Participant]]]:
    before, after = roster(account, former), roster(account, group)
    if not group.member:
        own = account.document
        yield "remove", [Participant(pn=own.pn, lid=own.lid)]
        return
    moves = {"add": _missing(after, before), "remove": _missing(before, after)}
    yield from ((tag, people) for tag, people in moves.items() if people)


def _missing(some: list[Participant], others: list[Participant]) -> list[Participant]:
    """Lists those who stand in one roster and, under neither spelling, in the other."""
    known = {spelling for other in others for spelling in (other.pn, other.lid) if spelling}
    return [one for one in some if known.isdisjoint({one.pn, one.lid})]


def _notification(chat: Jid, kind: str, change: Node) -> Node:
    attrs: dict[str, str | Jid] = {"from": chat, "type": kind, "id": new_id(), "t": now()}
    return Node("notification", attrs, [change])
