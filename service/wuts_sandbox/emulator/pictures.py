"""Answers questions for profile pictures of people, groups and communities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wuts_sandbox.emulator.stanzas import (
    NOT_AUTHORIZED,
    NOT_FOUND,
    RATE_LIMITED,
    failure,
    result,
)
from wuts_sandbox.wire.node import Jid, Node
from wuts_sandbox.world.document import Picture

if TYPE_CHECKING:
    from wuts_sandbox.emulator.account import AccountState
    from wuts_sandbox.world.document import PictureWord

ERRORS = {"none": NOT_FOUND, "hidden": NOT_AUTHORIZED, "rate_limited": RATE_LIMITED}


def answer(account: AccountState, iq: Node) -> Node | None:
    """Answers one question; a silent picture has no answer."""
    asked, target = _asked(iq)
    if asked is None or target is None:
        return failure(iq, 400, "bad-request")
    picture = picture_of(account, target)
    if isinstance(picture, Picture):
        return result(iq, *_wrap(iq, _element(picture, asked)))
    return None if picture == "silent" else failure(iq, *ERRORS[picture])


def picture_of(account: AccountState, target: Jid) -> Picture | PictureWord:
    """Returns the picture behind an address; strangers have none."""
    directory = account.directory
    holder = directory.group(target) or directory.person(target.bare)
    return holder.picture if holder is not None else "none"


def _asked(iq: Node) -> tuple[Node | None, Jid | None]:
    group = iq.child("pictures")
    if group is None:
        target = iq.attrs.get("target")
        return iq.child("picture"), target if isinstance(target, Jid) else None
    asked = group.child("picture")
    parent = asked.attrs.get("parent_group_jid") if asked else None
    return asked, parent if isinstance(parent, Jid) else None


def _element(picture: Picture, asked: Node) -> list[Node]:
    if asked.text("id") == picture.id:
        return []
    kind = "preview" if asked.text("type") == "preview" else "image"
    size = picture.preview if kind == "preview" else picture.full
    attrs: dict[str, str | Jid] = {
        "id": picture.id,
        "url": size.url,
        "direct_path": size.direct_path,
        "type": kind,
    }
    return [Node("picture", attrs)]


def _wrap(iq: Node, found: list[Node]) -> list[Node]:
    return [Node("pictures", {}, found)] if iq.child("pictures") is not None else found
