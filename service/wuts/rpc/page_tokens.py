"""Page tokens: a store's cursor, sealed so that it tells and accepts nothing."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from wuts.domain.errors import ValidationFailed

if TYPE_CHECKING:
    from wuts.domain.caller import DeviceId

KEY_BYTES = 32
_NONCE = 12
_BLOCK = 64
# Cursors are padded to whole blocks, so that a token's length tells nothing.


class PageTokens:
    """Seals cursors for one device each, with a key that outlives restarts."""

    def __init__(self, key: bytes) -> None:
        self._aead = AESGCM(key)
        self._key = key

    def tag(self, text: str) -> str:
        """Makes a short text of another: always the same one, and of no use to guess from."""
        digest = hashlib.blake2b(text.encode(), key=self._key, digest_size=15, person=b"wuts etag")
        return _written(digest.digest())

    def seal(self, cursor: str, device: DeviceId) -> str:
        """Makes the token for a cursor."""
        text = cursor.encode()
        padded = text + b"\0" * (-len(text) % _BLOCK)
        nonce = os.urandom(_NONCE)
        sealed = nonce + self._aead.encrypt(nonce, padded, device.encode())
        return _written(sealed)

    def open(self, token: str, device: DeviceId) -> str:
        """Gives the cursor back; raises ValidationFailed for any other token."""
        try:
            sealed = _read(token)
            nonce, rest = sealed[:_NONCE], sealed[_NONCE:]
            return self._aead.decrypt(nonce, rest, device.encode()).rstrip(b"\0").decode()
        except (binascii.Error, ValueError, InvalidTag):
            message = "is not a next_page_token of this device; start again without it"
            raise ValidationFailed("page_token", message, token) from None


def _written(sealed: bytes) -> str:
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def _read(token: str) -> bytes:
    sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    # Base64 has several spellings of the same bytes; only ours is no altered token.
    if _written(sealed) != token:
        raise ValueError
    return sealed
