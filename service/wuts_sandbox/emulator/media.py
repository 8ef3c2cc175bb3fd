"""Keeps encrypted blobs that clients download, and encrypts them as clients expect."""

from __future__ import annotations

import hashlib
import hmac
import os
import re

from wuts_sandbox.wire import protos
from wuts_sandbox.wire.keys import encrypt_cbc, hkdf

APP_STATE_INFO = b"WhatsApp App State Keys"
PATH_END = re.compile(r"[?&]")


class MediaStore:
    """Blobs by their path."""

    def __init__(self) -> None:
        self._blobs: dict[str, bytes] = {}

    def find(self, target: str) -> bytes | None:
        """Returns the blob of a request target; clients append parameters with `&`."""
        return self._blobs.get(PATH_END.split(target, maxsplit=1)[0])

    def publish(self, plain: bytes) -> bytes:
        """Encrypts and keeps app state; returns the serialised reference to it."""
        media_key = os.urandom(32)
        keys = hkdf(media_key, 112, info=APP_STATE_INFO)
        iv, cipher_key, mac_key = keys[:16], keys[16:48], keys[48:80]
        sealed = encrypt_cbc(cipher_key, iv, plain)
        sealed += hmac.digest(mac_key, iv + sealed, "sha256")[:10]
        digest = hashlib.sha256(sealed)
        path = f"/v/t62.0-0/{digest.hexdigest()[:24]}"
        self._blobs[path] = sealed
        reference: bytes = protos.server_sync.ExternalBlobReference(
            mediaKey=media_key,
            directPath=path,
            handle="sandbox",
            fileSizeBytes=len(sealed),
            fileSHA256=hashlib.sha256(plain).digest(),
            fileEncSHA256=digest.digest(),
        ).SerializeToString()
        return reference
