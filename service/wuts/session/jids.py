"""Reads the JIDs that the engine gives."""

from __future__ import annotations

import re
from typing import Protocol

from wuts.domain.jid import Server

_DIGITS = re.compile(r"[0-9]{1,20}")
_GROUP = re.compile(r"[0-9]{1,25}(-[0-9]{1,15})?")


class EngineJid(Protocol):
    """A JID as the engine gives it; an absent one has an empty user."""

    User: str
    Server: str


def user_on(jid: EngineJid, server: Server) -> str:
    """Gives the user part of a JID without its device; empty for another server's."""
    # The device part has a field of its own; some calls leave it in the user.
    user = jid.User.partition(":")[0]
    form = _GROUP if server is Server.GROUP else _DIGITS
    return user if jid.Server == server and form.fullmatch(user) else ""
