"""Would synchronise the app state, if the engine could be made to."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NoReturn

from wuts.domain.errors import EngineCannot, ValidationFailed

if TYPE_CHECKING:
    from collections.abc import Sequence


class Scope(StrEnum):
    """The documented parts of the app state."""

    CONTACTS = "contacts"
    CHATS = "chats"
    SETTINGS = "settings"
    PINS = "pins"
    CRITICAL = "critical"


def sync_app_state(scopes: Sequence[str]) -> NoReturn:
    """Raises ValidationFailed for a word that is no scope, else EngineCannot."""
    known = [str(scope) for scope in Scope]
    for place, scope in enumerate(scopes):
        if scope not in known:
            message = f"must be one of {', '.join(known)}"
            raise ValidationFailed(f"scopes[{place}]", message, scope)
    raise EngineCannot
