"""Seals single changes of app state and keeps the running hash over them."""

from __future__ import annotations

import hmac
import json
import os
from dataclasses import dataclass
from typing import Any

from wuts_sandbox.wire import protos
from wuts_sandbox.wire.keys import encrypt_cbc, hkdf

KEYS_INFO = b"WhatsApp Mutation Keys"
HASH_INFO = b"WhatsApp Patch Integrity"
HASH_SIZE = 128
ACTION_VERSION = 2
SET_BYTE = b"\x01"
LANES = int.from_bytes(b"\xff\xff\x00\x00" * (HASH_SIZE // 4), "little")
BORROW = int.from_bytes(b"\x00\x00\x01\x00" * (HASH_SIZE // 4), "little")


@dataclass(frozen=True)
class AppStateKey:
    """The key a phone shares with its devices, and what is derived from it."""

    key_id: bytes
    data: bytes
    index: bytes
    encryption: bytes
    value_mac: bytes
    snapshot_mac: bytes
    patch_mac: bytes

    @classmethod
    def generate(cls) -> AppStateKey:
        """Makes a fresh key."""
        data = os.urandom(32)
        derived = hkdf(data, 160, info=KEYS_INFO)
        parts = [derived[start : start + 32] for start in range(0, 160, 32)]
        return cls(os.urandom(6), data, *parts)


@dataclass(frozen=True)
class Sealed:
    """One sealed SET: the MACs of index and value, and the blob of the value."""

    index_mac: bytes
    value_mac: bytes
    blob: bytes

    def record(self, key_id: bytes) -> Any:  # noqa: ANN401  # neonize's messages are untyped
        """Returns the message that carries it."""
        sync = protos.server_sync
        return sync.SyncdRecord(
            index=sync.SyncdIndex(blob=self.index_mac),
            value=sync.SyncdValue(blob=self.blob),
            keyID=sync.KeyId(ID=key_id),
        )


def seal(key: AppStateKey, index: list[str], value: Any) -> Sealed:  # noqa: ANN401  # untyped message
    """Seals the SET of one value under its index, for instance `["contact", jid]`."""
    name = json.dumps(index, separators=(",", ":")).encode()
    data = protos.sync_action.SyncActionData(
        index=name, value=value, padding=b"", version=ACTION_VERSION
    ).SerializeToString()
    iv = os.urandom(16)
    cipher = iv + encrypt_cbc(key.encryption, iv, data)
    associated = SET_BYTE + key.key_id
    length = len(associated).to_bytes(8, "big")
    value_mac = hmac.digest(key.value_mac, associated + cipher + length, "sha512")[:32]
    index_mac = hmac.digest(key.index, name, "sha256")
    return Sealed(index_mac, value_mac, cipher + value_mac)


class RunningHash:
    """The sum of all values' MACs, 64 lanes of 16 bits; the order does not matter."""

    def __init__(self) -> None:
        # Even and odd lanes apart, 32 bits each: one big addition never carries into the next
        # lane, which is far faster than 64 small ones.
        self._even = 0
        self._odd = 0

    def add(self, value_mac: bytes) -> None:
        """Adds a value."""
        even, odd = _lanes(value_mac)
        self._even = (self._even + even) & LANES
        self._odd = (self._odd + odd) & LANES

    def subtract(self, value_mac: bytes) -> None:
        """Takes a value away."""
        even, odd = _lanes(value_mac)
        self._even = (self._even + BORROW - even) & LANES
        self._odd = (self._odd + BORROW - odd) & LANES

    def digest(self) -> bytes:
        """Returns the 128 bytes of the hash."""
        return (self._even | self._odd << 16).to_bytes(HASH_SIZE, "little")


def _lanes(value_mac: bytes) -> tuple[int, int]:
    number = int.from_bytes(hkdf(value_mac, HASH_SIZE, info=HASH_INFO), "little")
    return number & LANES, number >> 16 & LANES
