"""Bearer tokens: from the metadata of a call to the caller behind it."""

from __future__ import annotations

import re
from contextvars import ContextVar
from typing import TYPE_CHECKING

from wuts.domain.errors import Unauthorized

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wuts.domain.caller import Caller
    from wuts.ports import TokenDirectory

_TOKEN = re.compile(
    r"(?:bearer +)?([0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}) *",
    re.IGNORECASE | re.ASCII,
)

_CALLER: ContextVar[Caller] = ContextVar("caller")


def authenticate(
    metadata: Iterable[tuple[str, str | bytes]] | None, directory: TokenDirectory
) -> None:
    """Makes the caller known to the rest of the call; raises Unauthorized.

    Exactly one `authorization` entry counts, `Bearer <uuid4>` in any case or
    the bare token; nothing else in a request is ever read as a token.
    """
    values = [value for key, value in metadata or () if key == "authorization"]
    match = _TOKEN.fullmatch(str(values[0])) if len(values) == 1 else None
    caller = directory.authenticate(match[1].lower()) if match else None
    if caller is None:
        raise Unauthorized
    _CALLER.set(caller)


def current_caller() -> Caller:
    """Gives the caller of the call being served; only inside a served call."""
    return _CALLER.get()
