"""Fields that have several names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wuts.domain.errors import ValidationFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.protobuf.message import Message


def flag(request: Message, names: Sequence[str], *, default: bool) -> bool:
    """Reads a flag under whichever of its names it came; raises ValidationFailed.

    Names that contradict each other are refused: whichever won, half of the
    callers would be surprised.
    """
    given = {name: bool(getattr(request, name)) for name in names if request.HasField(name)}
    values = set(given.values())
    if len(values) > 1:
        name = list(given)[-1]
        message = f"contradicts another of {', '.join(names)}"
        raise ValidationFailed(name, message, str(given[name]).lower())
    return values.pop() if values else default
