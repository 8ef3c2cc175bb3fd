"""Answers questions for the blocklist, and changes it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from wuts_sandbox.emulator.stanzas import failure, result
from wuts_sandbox.wire.node import LID_SERVER, Jid, Node

if TYPE_CHECKING:
    from wuts_sandbox.emulator.account import AccountState

MARK_LENGTH = 12


def answer(account: AccountState, iq: Node) -> Node:
    """Answers with the list as it is, after the change that was asked for."""
    if iq.text("type") == "set" and not _change(account, iq):
        return failure(iq, 400, "bad-request")
    entries: list[Node] = [Node("item", {"jid": _jid(text)}) for text in account.document.blocklist]
    return result(iq, Node("list", {"dhash": mark(account.document.blocklist)}, entries))


def mark(blocklist: list[str]) -> str:
    """Returns the mark of a state of the list, such as `2:def456abc789`."""
    text = "\n".join(sorted(blocklist))
    return f"2:{hashlib.sha256(text.encode()).hexdigest()[:MARK_LENGTH]}"


def _change(account: AccountState, iq: Node) -> bool:
    """Changes the list; tells whether the question could be understood.

    As WhatsApp does, it takes LIDs only, and knows people by either spelling.
    """
    item = iq.child("item")
    jid = item.attrs.get("jid") if item else None
    action = item.text("action") if item else ""
    if not isinstance(jid, Jid) or jid.server != LID_SERVER or action not in {"block", "unblock"}:
        return False
    person = account.directory.person(jid)
    spellings = {str(jid), f"{person.pn}@s.whatsapp.net" if person and person.pn else ""}
    others = [text for text in account.document.blocklist if text not in spellings]
    account.document.blocklist = [*others, str(jid)] if action == "block" else others
    return True


def _jid(text: str) -> Jid:
    user, _, server = text.partition("@")
    return Jid(user, server)
