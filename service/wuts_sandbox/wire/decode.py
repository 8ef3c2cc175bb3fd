"""Reads binary XML as clients write it: dictionary words, packed digits, addresses, literals."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from wuts_sandbox.wire.node import PN_SERVER, Jid, Node
from wuts_sandbox.wire.tags import AD_DOMAINS, COMPRESSED, Tag
from wuts_sandbox.wire.tokens import dictionary

if TYPE_CHECKING:
    from collections.abc import Callable

NIBBLES = "0123456789-.????"
HEX_DIGITS = "0123456789ABCDEF"
MAX_FRAME = 1 << 24
MAX_DEPTH = 32
ODD_LENGTH = 0x80
LIST_WIDTHS: dict[int, int] = {Tag.LIST_EMPTY: 0, Tag.LIST_8: 1, Tag.LIST_16: 2}


class WireError(ValueError):
    """The bytes are no binary XML."""


def decode(frame: bytes) -> Node:
    """Returns the element of a frame; raises WireError for anything malformed."""
    if not frame:
        message = "empty frame"
        raise WireError(message)
    body = _inflate(frame[1:]) if frame[0] & COMPRESSED else frame[1:]
    return _Reader(body).node()


def _inflate(data: bytes) -> bytes:
    inflater = zlib.decompressobj()
    try:
        body = inflater.decompress(data, MAX_FRAME)
    except zlib.error as error:
        message = "broken compression"
        raise WireError(message) from error
    if inflater.unconsumed_tail:
        message = "frame too long"
        raise WireError(message)
    return body


class _Reader:
    """Walks over one frame."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._depth = 0

    def node(self) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            message = "elements nested too deep"
            raise WireError(message)
        size = self._list_size(self._number(1))
        tag = self._word()
        attrs = {self._word(): self._attribute() for _ in range((size - 1) >> 1)}
        content = self._content() if size % 2 == 0 else None
        self._depth -= 1
        return Node(tag, attrs, content)

    def _attribute(self) -> str | Jid:
        value = self._scalar(self._number(1))
        return value.decode(errors="replace") if isinstance(value, bytes) else value

    def _word(self) -> str:
        return str(self._attribute())

    def _content(self) -> bytes | str | Jid | list[Node] | None:
        tag = self._number(1)
        if tag == Tag.LIST_EMPTY:
            return None
        if tag in {Tag.LIST_8, Tag.LIST_16}:
            return [self.node() for _ in range(self._list_size(tag))]
        return self._scalar(tag)

    def _scalar(self, tag: int) -> bytes | str | Jid:
        readers: dict[int, Callable[[], bytes | str | Jid]] = {
            Tag.LIST_EMPTY: str,
            Tag.BINARY_8: lambda: self._take(self._number(1)),
            Tag.BINARY_20: lambda: self._take(self._number(3)),
            Tag.BINARY_32: lambda: self._take(self._number(4)),
            Tag.JID_PAIR: lambda: Jid(self._word(), self._word()),
            Tag.AD_JID: self._device_jid,
            Tag.NIBBLE_8: lambda: self._packed(NIBBLES),
            Tag.HEX_8: lambda: self._packed(HEX_DIGITS),
        }
        return readers[tag]() if tag in readers else self._dictionary_word(tag)

    def _dictionary_word(self, tag: int) -> str:
        words = dictionary()
        if Tag.DICTIONARY_0 <= tag <= Tag.DICTIONARY_3:
            return words.double[tag - Tag.DICTIONARY_0][self._number(1)]
        if 0 < tag < len(words.single):
            return words.single[tag]
        message = f"unknown item {tag}"
        raise WireError(message)

    def _device_jid(self) -> Jid:
        domain, device = self._number(1), self._number(1)
        return Jid(self._word(), AD_DOMAINS.get(domain, PN_SERVER), device)

    def _packed(self, alphabet: str) -> str:
        head = self._number(1)
        pairs = self._take(head & ~ODD_LENGTH)
        text = "".join(alphabet[pair >> 4] + alphabet[pair & 15] for pair in pairs)
        return text[:-1] if head & ODD_LENGTH else text

    def _list_size(self, tag: int) -> int:
        if tag not in LIST_WIDTHS:
            message = f"item {tag} is no list"
            raise WireError(message)
        return self._number(LIST_WIDTHS[tag])

    def _number(self, width: int) -> int:
        return int.from_bytes(self._take(width), "big")

    def _take(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._data):
            message = "frame ends early"
            raise WireError(message)
        taken = self._data[self._at : end]
        self._at = end
        return taken
