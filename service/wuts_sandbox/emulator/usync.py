"""Answers number checks and questions about people (WhatsApp's `usync`)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wuts_sandbox.emulator.directory import lid_of
from wuts_sandbox.emulator.phone import certificate
from wuts_sandbox.emulator.stanzas import failure, result
from wuts_sandbox.wire.node import Jid, Node, lid_jid, pn_jid
from wuts_sandbox.world.document import Picture

if TYPE_CHECKING:
    from wuts_sandbox.emulator.account import AccountState
    from wuts_sandbox.world.document import Person

STATUS_TIME = "1700000000"
NO_DIGIT = re.compile(r"[^0-9]")


def answer(account: AccountState, iq: Node) -> Node:
    """Answers one query, a line for each user in its list."""
    usync = iq.child("usync")
    query = usync.child("query") if usync else None
    users = usync.child("list") if usync else None
    if usync is None or query is None or users is None:
        return failure(iq, 400, "bad-request")
    asked = {child.tag for child in query.children}
    lines = (_line(account, user, asked) for user in users.children)
    told: list[Node] = [line for line in lines if line is not None]
    content = [Node("result", {}, []), Node("list", {}, told)]
    return result(iq, Node("usync", dict(usync.attrs), content))


def numbers_asked(iq: Node) -> int:
    """Counts the numbers that one query checks."""
    usync = iq.child("usync")
    users = usync.child("list") if usync else None
    return sum(user.child("contact") is not None for user in users.children) if users else 0


def _line(account: AccountState, user: Node, asked: set[str]) -> Node | None:
    contact = user.child("contact")
    if contact is not None:
        return _number_check(account, contact.payload())
    jid = user.attrs.get("jid")
    if not isinstance(jid, Jid):
        return Node("user")
    return Node("user", {"jid": jid}, _facts(account, jid, asked))


def _number_check(account: AccountState, query: bytes) -> Node | None:
    number = NO_DIGIT.sub("", query.decode(errors="replace").partition("@")[0])
    person = account.directory.holder(number)
    own = account.document
    if person is None and number == own.pn:
        return _found(query, own.pn, own.lid)
    if person is not None and not person.answered:
        return None
    if person is None or not person.registered:
        missing: list[Node] = [Node("contact", {"type": "out"}, query)]
        return Node("user", {"jid": pn_jid(number)}, missing)
    return _found(query, person.pn or number, person.lid)


def _found(query: bytes, pn: str, lid: str | None) -> Node:
    attrs: dict[str, str | Jid] = {"jid": lid_jid(lid) if lid else pn_jid(pn), "pn_jid": pn_jid(pn)}
    return Node("user", attrs, [Node("contact", {"type": "in"}, query)])


def _facts(account: AccountState, jid: Jid, asked: set[str]) -> list[Node]:
    person = account.directory.person(jid.bare)
    if person is None or not person.registered:
        unknown = [Node("error", {"code": "404", "text": "item-not-found"})]
        return [Node("devices", {}, unknown)] if "devices" in asked else []
    facts = {
        "business": _business(person),
        "status": Node("status", {"t": STATUS_TIME}, person.about.encode()),
        "picture": _picture(person),
        "devices": Node("devices", {}, [Node("device-list", {}, [Node("device", {"id": "0"})])]),
        "lid": Node("lid", {"val": lid_jid(lid_of(person))}),
    }
    return [fact for name, fact in facts.items() if name in asked and fact is not None]


def _business(person: Person) -> Node | None:
    if not person.verified_name:
        return None
    named: list[Node] = [certificate(person.verified_name)]
    return Node("business", {}, named)


def _picture(person: Person) -> Node | None:
    picture = person.picture
    return Node("picture", {"id": picture.id}) if isinstance(picture, Picture) else None
