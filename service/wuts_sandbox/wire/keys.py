"""Makes curve keys that both sign and exchange, and derives secrets from them."""

from __future__ import annotations

import hashlib
import hmac
import os
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

HASH_SIZE = 32
SIGN_BIT = 0x80


class CurveKey:
    """A Curve25519 key pair whose signatures an XEdDSA verifier accepts.

    The pair starts as an Ed25519 seed: its clamped hash is the Montgomery private key, and a
    plain Ed25519 signature becomes an XEdDSA one when it also carries the sign bit of the
    Ed25519 public key, which the Montgomery form of the key has lost.
    """

    def __init__(self, seed: bytes) -> None:
        self._signer = Ed25519PrivateKey.from_private_bytes(seed)
        scalar = bytearray(hashlib.sha512(seed).digest()[:32])
        scalar[0] &= 0xF8
        scalar[31] = scalar[31] & 0x7F | 0x40
        self._exchanger = X25519PrivateKey.from_private_bytes(bytes(scalar))
        self._sign_bit = self._signer.public_key().public_bytes_raw()[31] & SIGN_BIT
        self.public = self._exchanger.public_key().public_bytes_raw()

    @classmethod
    def generate(cls) -> Self:
        """Makes a fresh key pair."""
        return cls(os.urandom(32))

    def exchange(self, public: bytes) -> bytes:
        """Returns the secret shared with the holder of a 32-byte public key."""
        return self._exchanger.exchange(X25519PublicKey.from_public_bytes(public))

    def sign(self, message: bytes) -> bytes:
        """Returns the 64-byte signature of a message."""
        signature = bytearray(self._signer.sign(message))
        signature[63] = signature[63] & ~SIGN_BIT | self._sign_bit
        return bytes(signature)


def hkdf(secret: bytes, length: int, *, salt: bytes = b"", info: bytes = b"") -> bytes:
    """Derives `length` bytes with HKDF-SHA256; an empty salt means 32 zero bytes."""
    # hmac.digest is several times faster than building a KDF object, and app state needs
    # one derivation for each contact.
    key = hmac.digest(salt or bytes(HASH_SIZE), secret, "sha256")
    out = block = b""
    for counter in range(1, -(-length // HASH_SIZE) + 1):
        block = hmac.digest(key, block + info + bytes((counter,)), "sha256")
        out += block
    return out[:length]


def encrypt_cbc(key: bytes, iv: bytes, plain: bytes) -> bytes:
    """Encrypts with AES-CBC and PKCS#7 padding; the IV is not part of the result."""
    padder = PKCS7(algorithms.AES.block_size).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    padded = padder.update(plain) + padder.finalize()
    return encryptor.update(padded) + encryptor.finalize()
