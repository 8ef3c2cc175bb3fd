"""Asks WhatsApp for the picture of a contact or a group."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from wuts.domain.errors import ValidationFailed
from wuts.domain.jid import Jid, JidError, parse_chat, parse_phone

if TYPE_CHECKING:
    from wuts.domain.caller import DeviceId
    from wuts.domain.picture import Picture, Unchanged


class PictureSource(Protocol):
    """The part of the live sessions that pictures need."""

    async def picture(
        self, device: DeviceId, chat: Jid, *, preview: bool, existing_id: str
    ) -> Picture | Unchanged:
        """Asks for the picture; see wuts.ports.LiveSessions."""
        ...


class FoundPicture(NamedTuple):
    """The chat that was asked for, and its picture."""

    chat: Jid
    picture: Picture | Unchanged


_MAX_ID = 64
_PRINTABLE = range(0x21, 0x7F)


async def get_profile_picture(
    device: DeviceId,
    *,
    jid: str,
    number: str,
    preview: bool,
    existing_id: str,
    sessions: PictureSource,
) -> FoundPicture:
    """Finds the picture of `jid`, or of `number` when no JID is given.

    Raises ValidationFailed, and whatever the live session raises: PictureHidden
    and PictureNotSet among them.
    """
    chat = _chat(jid, number)
    if len(existing_id) > _MAX_ID or any(ord(c) not in _PRINTABLE for c in existing_id):
        message = f"must be the id of a picture, at most {_MAX_ID} characters"
        raise ValidationFailed("existing_id", message, existing_id)
    found = await sessions.picture(device, chat, preview=preview, existing_id=existing_id)
    return FoundPicture(chat, found)


def _chat(jid: str, number: str) -> Jid:
    if not jid and not number:
        raise ValidationFailed("jid", "jid or number is required")
    field, text, parse = ("jid", jid, parse_chat) if jid else ("number", number, parse_phone)
    try:
        return parse(text)
    except JidError as error:
        raise ValidationFailed(field, str(error), text) from None
