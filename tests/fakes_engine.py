"""JIDs and rows as the engine spells them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wuts.session.jids import EngineJid


@dataclass
class Spelled:
    """A JID as the engine spells it; an absent one is empty."""

    User: str = ""
    Server: str = ""


@dataclass
class Row:
    """An answer on one number as the engine spells it."""

    Query: str = ""
    JID: EngineJid = field(default_factory=Spelled)
    IsIn: bool = True


def jid(text: str) -> Spelled:
    """Makes a JID of its text; empty for an absent one."""
    return Spelled(*text.split("@")) if text else Spelled()
