"""Encrypts messages to a device as the Signal protocol's first sender does."""

from __future__ import annotations

import hmac
import os
from dataclasses import dataclass

from wuts_sandbox.wire.keys import CurveKey, encrypt_cbc, hkdf

VERSION = b"\x33"
KEY_TYPE = b"\x05"
DISCONTINUITY = b"\xff" * 32
NO_SALT = bytes(32)
REGISTRATION_ID = 1234
MAX_PADDING = 15


@dataclass(frozen=True)
class PreKey:
    """A prekey of a device: its number and 32-byte public key."""

    number: int
    public: bytes


@dataclass(frozen=True)
class Bundle:
    """What a sender needs of a device to open a session with it."""

    identity: bytes
    signed: PreKey
    one_time: PreKey


class SignalSession:
    """One sender's session with one device.

    The device never answers with a message of its own, so every message carries the prekey
    header and the chain never turns.
    """

    def __init__(self, sender: CurveKey, bundle: Bundle) -> None:
        self._sender = sender
        self._bundle = bundle
        self._base = CurveKey.generate()
        self._ratchet = CurveKey.generate()
        self._chain = self._first_chain()
        self._sent = 0

    def encrypt(self, plain: bytes) -> bytes:
        """Returns the `pkmsg` that carries a serialised message."""
        seed = hmac.digest(self._chain, b"\x01", "sha256")
        self._chain = hmac.digest(self._chain, b"\x02", "sha256")
        keys = hkdf(seed, 80, salt=NO_SALT, info=b"WhisperMessageKeys")
        sealed = encrypt_cbc(keys[:32], keys[64:80], plain + _padding())
        inner = self._signal_message(sealed, mac_key=keys[32:64])
        self._sent += 1
        return self._with_prekey(inner)

    def _first_chain(self) -> bytes:
        sender, bundle, signed = self._sender, self._bundle, self._bundle.signed.public
        secret = DISCONTINUITY + sender.exchange(signed)
        secret += self._base.exchange(bundle.identity) + self._base.exchange(signed)
        secret += self._base.exchange(bundle.one_time.public)
        root = hkdf(secret, 64, salt=NO_SALT, info=b"WhisperText")[:32]
        shared = self._ratchet.exchange(signed)
        return hkdf(shared, 64, salt=root, info=b"WhisperRatchet")[32:]

    def _signal_message(self, sealed: bytes, *, mac_key: bytes) -> bytes:
        body = VERSION + _bytes_field(1, KEY_TYPE + self._ratchet.public)
        body += _number_field(2, self._sent) + _number_field(3, 0) + _bytes_field(4, sealed)
        identities = KEY_TYPE + self._sender.public + KEY_TYPE + self._bundle.identity
        return body + hmac.digest(mac_key, identities + body, "sha256")[:8]

    def _with_prekey(self, inner: bytes) -> bytes:
        return (
            VERSION
            + _number_field(1, self._bundle.one_time.number)
            + _bytes_field(2, KEY_TYPE + self._base.public)
            + _bytes_field(3, KEY_TYPE + self._sender.public)
            + _bytes_field(4, inner)
            + _number_field(5, REGISTRATION_ID)
            + _number_field(6, self._bundle.signed.number)
        )


def _padding() -> bytes:
    size = os.urandom(1)[0] % MAX_PADDING + 1
    return bytes((size,)) * size


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:  # noqa: PLR2004  # seven bits a byte
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _bytes_field(field: int, value: bytes) -> bytes:
    return bytes((field << 3 | 2,)) + _varint(len(value)) + value


def _number_field(field: int, value: int) -> bytes:
    return bytes((field << 3,)) + _varint(value)
