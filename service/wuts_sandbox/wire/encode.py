"""Writes binary XML; words go out as literals, so no dictionary is needed here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wuts_sandbox.wire.node import LID_SERVER, PN_SERVER, Jid
from wuts_sandbox.wire.tags import Tag

if TYPE_CHECKING:
    from wuts_sandbox.wire.node import Node

ONE_BYTE = 1 << 8
TWENTY_BITS = 1 << 20


def encode(node: Node) -> bytes:
    """Returns the uncompressed frame of an element; empty attributes are left out."""
    out = bytearray(b"\0")
    _write_node(out, node)
    return bytes(out)


def _write_node(out: bytearray, node: Node) -> None:
    attrs = {name: value for name, value in node.attrs.items() if value != ""}
    _write_list_size(out, 1 + 2 * len(attrs) + (node.content is not None))
    _write_blob(out, node.tag.encode())
    for name, value in attrs.items():
        _write_blob(out, name.encode())
        _write_value(out, value)
    if isinstance(node.content, list):
        _write_list_size(out, len(node.content))
        for child in node.content:
            _write_node(out, child)
    elif node.content is not None:
        _write_value(out, node.content)


def _write_value(out: bytearray, value: bytes | str | Jid) -> None:
    if isinstance(value, Jid):
        _write_jid(out, value)
    else:
        _write_blob(out, value.encode() if isinstance(value, str) else value)


def _write_jid(out: bytearray, jid: Jid) -> None:
    if jid.device and jid.server in {PN_SERVER, LID_SERVER}:
        out += bytes((Tag.AD_JID, int(jid.server == LID_SERVER), jid.device))
        _write_blob(out, jid.user.encode())
        return
    out.append(Tag.JID_PAIR)
    if jid.user:
        _write_blob(out, jid.user.encode())
    else:
        out.append(Tag.LIST_EMPTY)
    _write_blob(out, jid.server.encode())


def _write_list_size(out: bytearray, size: int) -> None:
    if size == 0:
        out.append(Tag.LIST_EMPTY)
    elif size < ONE_BYTE:
        out += bytes((Tag.LIST_8, size))
    else:
        out.append(Tag.LIST_16)
        out += size.to_bytes(2, "big")


def _write_blob(out: bytearray, blob: bytes) -> None:
    size = len(blob)
    if size < ONE_BYTE:
        out += bytes((Tag.BINARY_8, size))
    elif size < TWENTY_BITS:
        out.append(Tag.BINARY_20)
        out += size.to_bytes(3, "big")
    else:
        out.append(Tag.BINARY_32)
        out += size.to_bytes(4, "big")
    out += blob
