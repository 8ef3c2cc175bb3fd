"""Sorts what a client sends into kinds; counters and faults speak of kinds."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wuts_sandbox.wire.node import Node


class Kind(StrEnum):
    """What a connection, request or stanza is for."""

    CONNECT = "connect"
    """A CONNECT request to the proxy."""
    MEDIA = "media"
    """A download over HTTP."""
    REGISTRATION = "registration"
    """A device that is not linked yet opens a session."""
    LOGIN = "login"
    """A linked device opens a session."""
    PICTURE = "picture"
    GROUP = "group"
    GROUP_LIST = "group_list"
    USYNC_CONTACT = "usync_contact"
    """Are these numbers on WhatsApp?"""
    USYNC_INFO = "usync_info"
    """Status, picture id, devices and LID of people."""
    USYNC_DEVICES = "usync_devices"
    APP_STATE = "app_state"
    PREKEY_COUNT = "prekey_count"
    PREKEY_UPLOAD = "prekey_upload"
    PREKEY_FETCH = "prekey_fetch"
    PASSIVE = "passive"
    PING = "ping"
    """The keep-alive."""
    MEDIA_HOSTS = "media_hosts"
    LOGOUT = "logout"
    PAIR_CODE = "pair_code"
    """A device that is not linked asks for a pair code, or answers the phone."""
    BLOCKLIST = "blocklist"
    QUERY = "query"
    """Any other question."""
    RESULT = "result"
    """An answer to a question of the emulator."""
    ACK = "ack"
    RECEIPT = "receipt"
    RETRY = "retry"
    """The device could not read a message and asks for it again."""
    PRESENCE = "presence"
    MESSAGE = "message"
    OTHER = "other"


_BY_TAG = {"ack": Kind.ACK, "presence": Kind.PRESENCE, "message": Kind.MESSAGE}
_BY_NAMESPACE = {
    "w:profile:picture": Kind.PICTURE,
    "w:sync:app:state": Kind.APP_STATE,
    "passive": Kind.PASSIVE,
    "w:p": Kind.PING,
    "w:m": Kind.MEDIA_HOSTS,
    "blocklist": Kind.BLOCKLIST,
}
_BY_CHILD = {
    ("encrypt", "count"): Kind.PREKEY_COUNT,
    ("encrypt", "registration"): Kind.PREKEY_UPLOAD,
    ("encrypt", "key"): Kind.PREKEY_FETCH,
    ("w:g2", "query"): Kind.GROUP,
    ("w:g2", "participating"): Kind.GROUP_LIST,
    ("w:g2", "pictures"): Kind.PICTURE,
    ("md", "remove-companion-device"): Kind.LOGOUT,
    ("md", "link_code_companion_reg"): Kind.PAIR_CODE,
}


def kind_of(node: Node) -> Kind:
    """Returns the kind of a stanza that a client sent."""
    if node.tag == "receipt":
        return Kind.RETRY if node.text("type") == "retry" else Kind.RECEIPT
    if node.tag == "iq":
        return _kind_of_iq(node)
    return _BY_TAG.get(node.tag, Kind.OTHER)


def _kind_of_iq(node: Node) -> Kind:
    if node.text("type") not in {"get", "set"}:
        return Kind.RESULT
    namespace = node.text("xmlns")
    if namespace == "usync":
        return _kind_of_usync(node)
    if namespace in _BY_NAMESPACE:
        return _BY_NAMESPACE[namespace]
    tag = node.children[0].tag if node.children else ""
    return _BY_CHILD.get((namespace, tag), Kind.QUERY)


def _kind_of_usync(node: Node) -> Kind:
    usync = node.child("usync")
    query = usync.child("query") if usync else None
    asked = {child.tag for child in query.children} if query else set()
    if "contact" in asked:
        return Kind.USYNC_CONTACT
    return Kind.USYNC_INFO if asked & {"status", "picture", "lid"} else Kind.USYNC_DEVICES
