"""Links a device by a code that is typed into the phone.

The device tells the server an ephemeral key, sealed with the code that it shows.
Who knows the code opens it, answers with a key sealed in the same way, and gets
the device's identity under the secret that the two keys share.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from wuts_sandbox.emulator.linking import PAIRING_LIMIT_S, LinkingError, complete
from wuts_sandbox.emulator.stanzas import failure, new_id, now, result
from wuts_sandbox.wire.keys import CurveKey, hkdf
from wuts_sandbox.wire.node import SERVER_JID, Jid, Node

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wuts_sandbox.emulator.account import AccountState
    from wuts_sandbox.emulator.connection import Connection

TAG = "link_code_companion_reg"
BAD_REQUEST = (400, "bad-request")
KEY_SIZE = 32
SALT_SIZE = 32
IV_SIZE = 16
NONCE_SIZE = 12
SEALED_SIZE = SALT_SIZE + IV_SIZE + KEY_SIZE
ROUNDS = 131_072


@dataclass
class Pairing:
    """A device that shows a code for a phone number."""

    pn: str
    sealed_key: bytes
    ref: bytes = field(default_factory=lambda: os.urandom(KEY_SIZE))
    finish: asyncio.Future[Node] = field(default_factory=asyncio.Future)


def answer(connection: Connection, iq: Node) -> Node:
    """Answers the two questions that a device asks on its way."""
    asked = iq.child(TAG)
    stage = asked.text("stage") if asked else ""
    if asked is not None and stage == "companion_hello":
        return _begin(connection, iq, asked)
    pairing = connection.pairing
    if asked is None or stage != "companion_finish" or pairing is None or pairing.finish.done():
        return failure(iq, *BAD_REQUEST)
    pairing.finish.set_result(asked)
    return result(iq)


async def enter(code: str, account: AccountState, connections: Iterable[Connection]) -> None:
    """Links the device that shows this code for this account; raises LinkingError."""
    text = code.replace("-", "").strip().upper()
    for connection in connections:
        pairing = connection.pairing
        if pairing is not None and pairing.pn == account.pn and not pairing.finish.done():
            await _pair(connection, pairing, account, text)
            return
    message = "no waiting device asked for a code for this number"
    raise LinkingError(message)


def _begin(connection: Connection, iq: Node, asked: Node) -> Node:
    sealed = _payload(asked, "link_code_pairing_wrapped_companion_ephemeral_pub")
    noise_key = _payload(asked, "companion_server_auth_key_pub")
    if len(sealed) != SEALED_SIZE or noise_key != connection.noise_key:
        return failure(iq, *BAD_REQUEST)
    connection.pairing = Pairing(asked.text("jid").partition("@")[0], sealed)
    ref = Node("link_code_pairing_ref", {}, connection.pairing.ref)
    return result(iq, Node(TAG, {"stage": "companion_hello"}, [ref]))


async def _pair(connection: Connection, pairing: Pairing, account: AccountState, code: str) -> None:
    key = CurveKey.generate()
    device_key = await asyncio.to_thread(_crypt, code, pairing.sealed_key)
    salt_and_iv = os.urandom(SALT_SIZE + IV_SIZE)
    sealed = salt_and_iv + await asyncio.to_thread(_crypt, code, salt_and_iv + key.public)
    connection.send(_primary_hello(account, pairing, sealed))
    try:
        async with asyncio.timeout(PAIRING_LIMIT_S):
            finish = await asyncio.shield(pairing.finish)
    except TimeoutError:
        message = "the device did not answer"
        raise LinkingError(message) from None
    identity, secret = _opened(finish, account, key.exchange(device_key))
    await complete(connection, account, identity=identity, secret=secret)


def _primary_hello(account: AccountState, pairing: Pairing, sealed: bytes) -> Node:
    children: list[Node] = [
        Node("link_code_pairing_wrapped_primary_ephemeral_pub", {}, sealed),
        Node("primary_identity_pub", {}, account.identity.public),
        Node("link_code_pairing_ref", {}, pairing.ref),
    ]
    attrs: dict[str, str | Jid] = {"from": SERVER_JID, "type": TAG, "id": new_id(), "t": now()}
    return Node("notification", attrs, [Node(TAG, {"stage": "primary_hello"}, children)])


def _opened(finish: Node, account: AccountState, shared: bytes) -> tuple[bytes, bytes]:
    """Opens the device's bundle; gives its identity and the secret of the link."""
    bundle = _payload(finish, "link_code_pairing_wrapped_key_bundle")
    salt, rest = bundle[:SALT_SIZE], bundle[SALT_SIZE:]
    key = hkdf(shared, KEY_SIZE, salt=salt, info=b"link_code_pairing_key_bundle_encryption_key")
    try:
        plain = AESGCM(key).decrypt(rest[:NONCE_SIZE], rest[NONCE_SIZE:], None)
    except (InvalidTag, ValueError):
        message = "the code is wrong"
        raise LinkingError(message) from None
    identity, random = plain[:KEY_SIZE], plain[2 * KEY_SIZE :]
    secret = shared + account.identity.exchange(identity) + random
    return identity, hkdf(secret, KEY_SIZE, info=b"adv_secret")


def _crypt(code: str, sealed: bytes) -> bytes:
    """Seals or opens a key behind its salt and its counter block."""
    salt, iv = sealed[:SALT_SIZE], sealed[SALT_SIZE : SALT_SIZE + IV_SIZE]
    key = hashlib.pbkdf2_hmac("sha256", code.encode(), salt, ROUNDS, KEY_SIZE)
    encryptor = Cipher(algorithms.AES(key), modes.CTR(iv)).encryptor()
    return encryptor.update(sealed[SALT_SIZE + IV_SIZE :]) + encryptor.finalize()


def _payload(node: Node, tag: str) -> bytes:
    child = node.child(tag)
    return child.payload() if child is not None else b""
