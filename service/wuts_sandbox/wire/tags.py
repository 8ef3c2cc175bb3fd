"""Names the byte values that introduce an item of the binary XML."""

from __future__ import annotations

from enum import IntEnum

from wuts_sandbox.wire.node import LID_SERVER, PN_SERVER


class Tag(IntEnum):
    """The first byte of an item; every other value below 236 is a dictionary word."""

    LIST_EMPTY = 0
    DICTIONARY_0 = 236
    DICTIONARY_3 = 239
    AD_JID = 247
    LIST_8 = 248
    LIST_16 = 249
    JID_PAIR = 250
    HEX_8 = 251
    BINARY_8 = 252
    BINARY_20 = 253
    BINARY_32 = 254
    NIBBLE_8 = 255


AD_DOMAINS = {0: PN_SERVER, 1: LID_SERVER, 128: "hosted", 129: "hosted.lid"}
"""Servers by the domain byte of an address with a device part."""

COMPRESSED = 2
"""Bit of a frame's first byte: what follows is compressed with zlib."""
