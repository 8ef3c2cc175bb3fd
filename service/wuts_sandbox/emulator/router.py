"""Leads each question of a device to its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wuts_sandbox.emulator import blocklist, groups, housekeeping, pictures, usync
from wuts_sandbox.emulator.kinds import Kind
from wuts_sandbox.emulator.stanzas import NOT_IMPLEMENTED, failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from wuts_sandbox.emulator.account import AccountState
    from wuts_sandbox.wire.node import Node

    Answer = Callable[[AccountState, Node], Node | None]

ANSWERS: dict[Kind, Answer] = {
    Kind.PICTURE: pictures.answer,
    Kind.GROUP: groups.answer,
    Kind.GROUP_LIST: groups.answer_list,
    Kind.USYNC_CONTACT: usync.answer,
    Kind.USYNC_INFO: usync.answer,
    Kind.USYNC_DEVICES: usync.answer,
    Kind.APP_STATE: housekeeping.answer_app_state,
    Kind.PREKEY_COUNT: housekeeping.answer_prekey_count,
    Kind.PREKEY_UPLOAD: housekeeping.answer_prekey_upload,
    Kind.PREKEY_FETCH: housekeeping.answer_not_found,
    Kind.PASSIVE: housekeeping.answer_plainly,
    Kind.PING: housekeeping.answer_plainly,
    Kind.MEDIA_HOSTS: housekeeping.answer_media_hosts,
    Kind.LOGOUT: housekeeping.answer_plainly,
    Kind.BLOCKLIST: blocklist.answer,
}


def answer(kind: Kind, account: AccountState, iq: Node) -> Node | None:
    """Answers a question; None means silence."""
    handler = ANSWERS.get(kind)
    return handler(account, iq) if handler else failure(iq, *NOT_IMPLEMENTED)
