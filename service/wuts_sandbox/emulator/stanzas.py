"""Builds the stanzas that several rooms of the emulator send."""

from __future__ import annotations

import os
import time

from wuts_sandbox.wire.node import SERVER_JID, Jid, Node

NOT_FOUND = (404, "item-not-found")
FORBIDDEN = (403, "forbidden")
NOT_AUTHORIZED = (401, "not-authorized")
RATE_LIMITED = (429, "rate-overlimit")
NOT_IMPLEMENTED = (501, "feature-not-implemented")


def new_id() -> str:
    """Returns a fresh stanza id."""
    return os.urandom(8).hex().upper()


def now() -> str:
    """Returns the present time in Unix seconds, as attributes carry it."""
    return str(int(time.time()))


def result(iq: Node, *children: Node, sender: Jid = SERVER_JID) -> Node:
    """Returns the positive answer to a question."""
    attrs: dict[str, str | Jid] = {"id": iq.text("id"), "from": sender, "type": "result"}
    return Node("iq", attrs, list(children) if children else None)


def failure(iq: Node, code: int, text: str, *, sender: Jid = SERVER_JID) -> Node:
    """Returns the negative answer to a question; clients compare the code and the text."""
    attrs: dict[str, str | Jid] = {"id": iq.text("id"), "from": sender, "type": "error"}
    return Node("iq", attrs, [Node("error", {"code": str(code), "text": text})])


def question(kind: str, namespace: str, child: Node) -> Node:
    """Returns a question of the server to a client; `kind` is `get` or `set`."""
    attrs: dict[str, str | Jid] = {
        "from": SERVER_JID,
        "type": kind,
        "id": new_id(),
        "t": now(),
        "xmlns": namespace,
    }
    return Node("iq", attrs, [child])
