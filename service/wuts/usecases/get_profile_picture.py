"""Finds the picture of a contact or a group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from wuts.domain.errors import ValidationFailed
from wuts.domain.jid import parse_chat
from wuts.usecases.targets import find_target, parse_target

if TYPE_CHECKING:
    from wuts.domain.caller import DeviceId
    from wuts.domain.enquiry import Heard
    from wuts.domain.jid import Jid
    from wuts.domain.picture import Picture, Unchanged
    from wuts.ports import ContactStore, Enquiries
    from wuts.usecases.list_contacts import ConnectionGate


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureQuestion:
    """Whose picture is wanted, by `jid` or, when that is empty, by `number`.

    `existing_id` is the picture the caller holds, empty for none. `refresh`
    asks WhatsApp although an earlier answer is still good.
    """

    jid: str = ""
    number: str = ""
    preview: bool = True
    existing_id: str = ""
    refresh: bool = False


class FoundPicture(NamedTuple):
    """The chat as it is told to the caller, and what was heard of its picture."""

    chat: Jid
    heard: Heard[Picture | Unchanged]


_MAX_ID = 64
_PRINTABLE = range(0x21, 0x7F)


async def get_profile_picture(
    device: DeviceId,
    question: PictureQuestion,
    *,
    store: ContactStore,
    sessions: ConnectionGate,
    enquiries: Enquiries,
) -> FoundPicture:
    """Finds the picture, remembered or asked for.

    Raises ValidationFailed, and whatever the ports raise: PictureHidden and
    PictureNotSet among them.
    """
    asked = parse_target(question.jid, question.number, parse_chat)
    _check_id(question.existing_id)
    # By contract a picture needs a connected device, also one that is remembered:
    # what was true when the connection was lost may have changed unnoticed.
    await sessions.require_connected(device)
    if not question.refresh:
        known = enquiries.recall_picture(
            device, asked, preview=question.preview, existing_id=question.existing_id
        )
        if known is not None:
            return FoundPicture(asked, known)
    target = await find_target(device, asked, store, enquiries)
    heard = await enquiries.picture(
        device,
        target.chat,
        person=target.person,
        is_proven=target.is_proven,
        preview=question.preview,
        existing_id=question.existing_id,
        refresh=question.refresh,
    )
    return FoundPicture(asked if question.jid else target.chat, heard)


def _check_id(text: str) -> None:
    if len(text) > _MAX_ID or any(ord(character) not in _PRINTABLE for character in text):
        message = f"must be the id of a picture, at most {_MAX_ID} characters"
        raise ValidationFailed("existing_id", message, text)
