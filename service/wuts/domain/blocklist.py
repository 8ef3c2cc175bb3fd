"""Whom an account has blocked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wuts.domain.jid import Jid


@dataclass(frozen=True, slots=True)
class Blocklist:
    """The blocked people as WhatsApp names them, most of them by LID.

    `dhash` is WhatsApp's mark of this state of the list.
    """

    people: tuple[Jid, ...] = ()
    dhash: str = ""
