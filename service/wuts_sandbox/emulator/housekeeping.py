"""Answers what a device asks for its own upkeep: prekeys, app state, media hosts, keep-alive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wuts_sandbox.emulator.signal_session import PreKey
from wuts_sandbox.emulator.stanzas import NOT_FOUND, failure, result
from wuts_sandbox.wire.node import Node

if TYPE_CHECKING:
    from wuts_sandbox.emulator.account import AccountState

MEDIA_HOST = "mmg.whatsapp.net"


def answer_plainly(_account: AccountState, iq: Node) -> Node:
    """Answers with an empty result."""
    return result(iq)


def answer_not_found(_account: AccountState, iq: Node) -> Node:
    """Answers that there is nothing of that kind."""
    return failure(iq, *NOT_FOUND)


def answer_media_hosts(_account: AccountState, iq: Node) -> Node:
    """Answers where media are downloaded."""
    host = Node("host", {"hostname": MEDIA_HOST})
    life: dict[str, str] = {"auth": "sandbox", "ttl": "3600", "auth_ttl": "3600"}
    return result(iq, Node("media_conn", {**life, "max_buckets": "12"}, [host]))


def answer_prekey_count(account: AccountState, iq: Node) -> Node:
    """Answers how many one-time prekeys are left.

    A device without any is told 1: at 0 it would make 812 of them instead of 50, which takes
    seconds.
    """
    left = len(account.device.one_time) if account.device else 0
    return result(iq, Node("count", {"value": str(left or 1)}))


def answer_prekey_upload(account: AccountState, iq: Node) -> Node:
    """Takes a device's prekeys."""
    signed, one_time, identity = iq.child("skey"), iq.child("list"), iq.child("identity")
    if account.device is None or signed is None or one_time is None or identity is None:
        return failure(iq, 400, "bad-request")
    account.device.identity = identity.payload()
    account.device.signed = _prekey(signed)
    account.device.one_time = [_prekey(node) for node in one_time.children]
    return result(iq)


def answer_app_state(account: AccountState, iq: Node) -> Node:
    """Answers with the collections asked for."""
    sync = iq.child("sync")
    asked = sync.children if sync else []
    found: list[Node] = [
        account.collections[node.text("name")].answer(node)
        for node in asked
        if node.text("name") in account.collections
    ]
    return result(iq, Node("sync", {}, found))


def _prekey(node: Node) -> PreKey:
    number, value = node.child("id"), node.child("value")
    return PreKey(
        int.from_bytes(number.payload() if number else b"", "big"),
        value.payload() if value else b"",
    )
