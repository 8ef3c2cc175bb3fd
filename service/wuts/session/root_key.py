"""Finds whatsmeow's Noise root key in the loaded engine, and asserts that it is the genuine one.

The key is the 32 bytes with which the engine checks that it speaks to WhatsApp. They occur once
in the library file, in a writable segment, so their address follows from the file alone; a
library in which they do not is an unknown build and is refused.
"""

from __future__ import annotations

import ctypes
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

GENUINE_ROOT: Final = bytes.fromhex(
    "142375574d0a587166aae71ebe516437c4a28b73e3695c6ce1f7f9545da8ee6b"
)
ROOT_SIZE: Final = len(GENUINE_ROOT)

_ELF64_LITTLE_ENDIAN: Final = b"\x7fELF\x02\x01"
_PROGRAM_HEADER: Final = struct.Struct("<IIQQQQQQ")
_PT_LOAD: Final = 1
_PF_W: Final = 2


class RootKeyError(RuntimeError):
    """The root key is not where it must be, or is not the expected one."""


class _DlInfo(ctypes.Structure):
    _fields_ = (
        ("path", ctypes.c_char_p),
        ("base", ctypes.c_void_p),
        ("symbol", ctypes.c_char_p),
        ("address", ctypes.c_void_p),
    )


@dataclass(frozen=True)
class _Segment:
    kind: int
    flags: int
    offset: int
    address: int
    file_size: int


def assert_genuine(library: ctypes.CDLL) -> None:
    """Raises RootKeyError unless the engine trusts the genuine WhatsApp and nobody else."""
    address = find_root(library)
    if ctypes.string_at(address, ROOT_SIZE) != GENUINE_ROOT:
        message = "the engine's root key has been replaced"
        raise RootKeyError(message)


def find_root(library: ctypes.CDLL) -> int:
    """Returns the key's address in this process; raises RootKeyError for an unknown build."""
    path, base = _loaded_module(library)
    return base + locate_in_file(path.read_bytes())


def locate_in_file(image: bytes) -> int:
    """Returns the key's address relative to the load base of a library with this content."""
    if not image.startswith(_ELF64_LITTLE_ENDIAN):
        message = "the engine is no 64-bit little-endian ELF library"
        raise RootKeyError(message)
    offset = image.find(GENUINE_ROOT)
    if offset < 0 or image.find(GENUINE_ROOT, offset + 1) >= 0:
        message = "the engine is an unknown build: its root key does not occur exactly once"
        raise RootKeyError(message)
    for segment in _segments(image):
        end = segment.offset + segment.file_size
        if segment.kind == _PT_LOAD and segment.offset <= offset <= end - ROOT_SIZE:
            return _address_in(segment, offset)
    message = "the engine is an unknown build: its root key is in no loaded segment"
    raise RootKeyError(message)


def _address_in(segment: _Segment, offset: int) -> int:
    if not segment.flags & _PF_W:
        message = "the engine is an unknown build: its root key is in a read-only segment"
        raise RootKeyError(message)
    return segment.address + offset - segment.offset


def _segments(image: bytes) -> list[_Segment]:
    try:
        (table,) = struct.unpack_from("<Q", image, 32)
        size, count = struct.unpack_from("<HH", image, 54)
        headers = [_PROGRAM_HEADER.unpack_from(image, table + at * size) for at in range(count)]
    except struct.error as error:
        message = "the engine's ELF headers are damaged"
        raise RootKeyError(message) from error
    return [_Segment(kind, flags, offset, address, file_size)
            for kind, flags, offset, address, _, file_size, _, _ in headers]  # fmt: skip


def _loaded_module(library: ctypes.CDLL) -> tuple[Path, int]:
    info = _DlInfo()
    symbol = ctypes.cast(library.GetVersion, ctypes.c_void_p)
    if not ctypes.CDLL(None).dladdr(symbol, ctypes.byref(info)) or not info.path or not info.base:
        message = "the engine's library cannot be found in memory"
        raise RootKeyError(message)
    return Path(info.path.decode()), int(info.base)
