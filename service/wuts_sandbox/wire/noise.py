"""Answers the Noise_XX handshake and seals the frames that follow it."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from wuts_sandbox.wire import protos
from wuts_sandbox.wire.keys import CurveKey, hkdf

if TYPE_CHECKING:
    from typing import Any

PATTERN = b"Noise_XX_25519_AESGCM_SHA256\0\0\0\0"
CONNECTION_HEADER = b"WA\x06\x03"
CERTIFICATE_LIFE_S = 2 * 24 * 3600
CLOCK_SKEW_S = 3600


class Cipher:
    """Seals or opens frames in one direction; each frame has its own counter."""

    def __init__(self, key: bytes) -> None:
        self._aead = AESGCM(key)
        self._counter = 0

    def seal(self, plain: bytes, context: bytes | None = None) -> bytes:
        """Encrypts the next frame."""
        return self._aead.encrypt(self._next_iv(), plain, context)

    def open(self, sealed: bytes, context: bytes | None = None) -> bytes:
        """Decrypts the next frame; raises InvalidTag when it is not authentic."""
        return self._aead.decrypt(self._next_iv(), sealed, context)

    def _next_iv(self) -> bytes:
        iv = self._counter.to_bytes(12, "big")
        self._counter += 1
        return iv


class NoiseState:
    """The running hash and keys of one handshake."""

    def __init__(self, header: bytes = CONNECTION_HEADER) -> None:
        self._hash = self._salt = PATTERN
        self._cipher = Cipher(PATTERN)
        self.authenticate(header)

    def authenticate(self, data: bytes) -> None:
        """Mixes public data into the hash."""
        self._hash = hashlib.sha256(self._hash + data).digest()

    def mix(self, secret: bytes) -> None:
        """Mixes a shared secret into the keys."""
        derived = hkdf(secret, 64, salt=self._salt)
        self._salt, self._cipher = derived[:32], Cipher(derived[32:])

    def seal(self, plain: bytes) -> bytes:
        """Encrypts a handshake field."""
        sealed = self._cipher.seal(plain, self._hash)
        self.authenticate(sealed)
        return sealed

    def open(self, sealed: bytes) -> bytes:
        """Decrypts a handshake field."""
        plain = self._cipher.open(sealed, self._hash)
        self.authenticate(sealed)
        return plain

    def split(self) -> tuple[bytes, bytes]:
        """Returns the two traffic keys, initiator to responder first."""
        derived = hkdf(b"", 64, salt=self._salt)
        return derived[:32], derived[32:]


class ServerIdentity:
    """The server's static key and the chain that ties it to the root key."""

    def __init__(self) -> None:
        root, intermediate, self.static = (CurveKey.generate() for _ in range(3))
        self.root_public = root.public
        self.chain: bytes = protos.cert.CertChain(
            leaf=_certificate(self.static, intermediate, serial=2, issuer_serial=1),
            intermediate=_certificate(intermediate, root, serial=1, issuer_serial=0),
        ).SerializeToString()


def _certificate(subject: CurveKey, issuer: CurveKey, *, serial: int, issuer_serial: int) -> Any:  # noqa: ANN401  # untyped message
    now = int(time.time())
    details = protos.cert.CertChain.NoiseCertificate.Details(
        serial=serial,
        issuerSerial=issuer_serial,
        key=subject.public,
        notBefore=now - CLOCK_SKEW_S,
        notAfter=now + CERTIFICATE_LIFE_S,
    ).SerializeToString()
    return protos.cert.CertChain.NoiseCertificate(details=details, signature=issuer.sign(details))


class Responder:
    """The server's half of one handshake: one answer, then the traffic ciphers."""

    def __init__(self, identity: ServerIdentity) -> None:
        self._identity = identity
        self._state = NoiseState()
        self._ephemeral = CurveKey.generate()

    def answer(self, client_hello: bytes) -> bytes:
        """Returns the server hello for the first message of a client."""
        hello = protos.wa6.HandshakeMessage.FromString(client_hello).clientHello
        state, static = self._state, self._identity.static
        state.authenticate(hello.ephemeral)
        state.authenticate(self._ephemeral.public)
        state.mix(self._ephemeral.exchange(hello.ephemeral))
        sealed_static = state.seal(static.public)
        state.mix(static.exchange(hello.ephemeral))
        server_hello = protos.wa6.HandshakeMessage.ServerHello(
            ephemeral=self._ephemeral.public,
            static=sealed_static,
            payload=state.seal(self._identity.chain),
        )
        message: bytes = protos.wa6.HandshakeMessage(serverHello=server_hello).SerializeToString()
        return message

    def finish(self, client_finish: bytes) -> tuple[bytes, bytes]:
        """Returns the client's noise key and its serialised ClientPayload."""
        finish = protos.wa6.HandshakeMessage.FromString(client_finish).clientFinish
        noise_key = self._state.open(finish.static)
        self._state.mix(self._ephemeral.exchange(noise_key))
        return noise_key, self._state.open(finish.payload)

    def ciphers(self) -> tuple[Cipher, Cipher]:
        """Returns the ciphers for reading from and writing to the client."""
        inbound, outbound = self._state.split()
        return Cipher(inbound), Cipher(outbound)
