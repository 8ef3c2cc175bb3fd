"""Tests of keys, the Noise handshake, certificates and the seals of app state."""

from __future__ import annotations

import asyncio
import datetime as dt
import hmac
import struct

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher as BlockCipher
from cryptography.hazmat.primitives.ciphers import algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.padding import PKCS7
from hypothesis import given
from hypothesis import strategies as st

from wuts_sandbox.emulator.collection import Collection, contact_entry
from wuts_sandbox.emulator.media import MediaStore
from wuts_sandbox.emulator.mutations import HASH_INFO, AppStateKey, RunningHash, seal
from wuts_sandbox.wire import protos
from wuts_sandbox.wire.certificates import make_authority
from wuts_sandbox.wire.keys import CurveKey, hkdf
from wuts_sandbox.wire.node import Node
from wuts_sandbox.wire.noise import Cipher, NoiseState, Responder, ServerIdentity

PRIME = 2**255 - 19
seeds = st.binary(min_size=32, max_size=32)


def is_signed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Verifies as XEdDSA does: the Montgomery key becomes an Edwards one, with the sign bit."""
    u = int.from_bytes(public, "little")
    y = (u - 1) * pow(u + 1, PRIME - 2, PRIME) % PRIME
    edwards = bytearray(y.to_bytes(32, "little"))
    edwards[31] |= signature[63] & 0x80
    plain = signature[:63] + bytes((signature[63] & 0x7F,))
    Ed25519PublicKey.from_public_bytes(bytes(edwards)).verify(plain, message)
    return True


def unpad(key: bytes, iv: bytes, sealed: bytes) -> bytes:
    """Decrypts AES-CBC with PKCS#7 padding."""
    decryptor = BlockCipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
    padder = PKCS7(128).unpadder()
    return padder.update(decryptor.update(sealed) + decryptor.finalize()) + padder.finalize()


class TestCurveKey:
    """One key signs and exchanges."""

    @given(seeds, st.binary(max_size=100))
    def test_sign(self, seed: bytes, message: bytes) -> None:
        """A signature is valid under the Montgomery form of the public key."""
        key = CurveKey(seed)
        assert is_signed(key.public, message, key.sign(message))

    @given(seeds, seeds)
    def test_exchange(self, one: bytes, other: bytes) -> None:
        """Both sides get the same secret."""
        first, second = CurveKey(one), CurveKey(other)
        assert first.exchange(second.public) == second.exchange(first.public)

    @given(st.binary(max_size=64), st.integers(1, 200), st.binary(max_size=40), st.binary())
    def test_hkdf(self, secret: bytes, length: int, salt: bytes, info: bytes) -> None:
        """The short derivation equals the library's."""
        expected = HKDF(hashes.SHA256(), length, salt or None, info).derive(secret)
        assert expected == hkdf(secret, length, salt=salt, info=info)


class TestNoise:
    """The responder answers an initiator as the protocol says."""

    def test_handshake(self) -> None:
        """Both sides end with the same keys, and the initiator's payload arrives."""
        identity, noise, ephemeral = ServerIdentity(), CurveKey.generate(), CurveKey.generate()
        responder, state = Responder(identity), NoiseState()
        hello = protos.wa6.HandshakeMessage.ClientHello(ephemeral=ephemeral.public)
        answer = protos.wa6.HandshakeMessage.FromString(
            responder.answer(protos.wa6.HandshakeMessage(clientHello=hello).SerializeToString())
        ).serverHello
        state.authenticate(ephemeral.public)
        state.authenticate(answer.ephemeral)
        state.mix(ephemeral.exchange(answer.ephemeral))
        static = state.open(answer.static)
        state.mix(ephemeral.exchange(static))
        assert identity.chain == state.open(answer.payload)
        sealed = state.seal(noise.public)
        state.mix(noise.exchange(answer.ephemeral))
        finish = protos.wa6.HandshakeMessage.ClientFinish(
            static=sealed, payload=state.seal(b"payload")
        )
        message = protos.wa6.HandshakeMessage(clientFinish=finish).SerializeToString()
        assert responder.finish(message) == (noise.public, b"payload")
        inbound, outbound = responder.ciphers()
        to_server, to_client = (Cipher(key) for key in state.split())
        assert inbound.open(to_server.seal(b"up")) == b"up"
        assert to_client.open(outbound.seal(b"down")) == b"down"

    def test_chain(self) -> None:
        """The root signs the intermediate key, and that one the server's."""
        identity = ServerIdentity()
        chain = protos.cert.CertChain.FromString(identity.chain)
        details = protos.cert.CertChain.NoiseCertificate.Details
        intermediate = details.FromString(chain.intermediate.details)
        leaf = details.FromString(chain.leaf.details)
        assert is_signed(
            identity.root_public, chain.intermediate.details, chain.intermediate.signature
        )
        assert is_signed(intermediate.key, chain.leaf.details, chain.leaf.signature)
        assert (identity.static.public, 1) == (leaf.key, leaf.issuerSerial)

    def test_repeated_frame(self) -> None:
        """A frame cannot be read twice."""
        sealed = Cipher(bytes(32)).seal(b"x")
        reader = Cipher(bytes(32))
        reader.open(sealed)
        with pytest.raises(InvalidTag):
            reader.open(sealed)


class TestAuthority:
    """The throw-away CA can do no harm outside."""

    def test_constraints(self) -> None:
        """The CA is confined to WhatsApp's names, critically, and lives two days."""
        ca = x509.load_pem_x509_certificate(make_authority().pem)
        names = ca.extensions.get_extension_for_class(x509.NameConstraints)
        permitted = {str(name.value) for name in names.value.permitted_subtrees or []}
        life = ca.not_valid_after_utc - ca.not_valid_before_utc
        assert (names.critical, permitted) == (True, {"whatsapp.com", "whatsapp.net"})
        assert life <= dt.timedelta(days=2, hours=1)

    def test_key(self) -> None:
        """The file that clients trust holds no key."""
        assert b"PRIVATE" not in make_authority().pem


def lanes(value_macs: list[bytes]) -> bytes:
    """Adds lane by lane."""
    total = [0] * 64
    for mac in value_macs:
        parts = struct.unpack("<64H", hkdf(mac, 128, info=HASH_INFO))
        total = [(one + other) & 0xFFFF for one, other in zip(total, parts, strict=True)]
    return struct.pack("<64H", *total)


class TestAppState:
    """Collections are sealed as clients verify them."""

    @given(st.lists(seeds, max_size=20), st.lists(seeds, max_size=5))
    def test_running_hash(self, kept: list[bytes], removed: list[bytes]) -> None:
        """Adding and taking away leaves the sum of the rest."""
        running = RunningHash()
        for mac in [*removed, *kept]:
            running.add(mac)
        for mac in removed:
            running.subtract(mac)
        assert lanes(kept) == running.digest()

    def test_sealed_value(self) -> None:
        """A sealed contact can be opened with the shared key, and its MACs hold."""
        key = AppStateKey.generate()
        index, value = contact_entry("1@lid", full_name="F", first_name="")
        sealed = seal(key, index, value)
        cipher, mac = sealed.blob[:-32], sealed.blob[-32:]
        associated = b"\x01" + key.key_id
        covered = associated + cipher + len(associated).to_bytes(8, "big")
        assert hmac.digest(key.value_mac, covered, "sha512")[:32] == mac
        data = protos.sync_action.SyncActionData.FromString(
            unpad(key.encryption, cipher[:16], cipher[16:])
        )
        assert (data.index, data.value.contactAction.fullName) == (b'["contact","1@lid"]', "F")

    def test_versions(self) -> None:
        """A first question gets a snapshot, a later one the patches since."""
        collection = Collection("c", AppStateKey.generate(), MediaStore())
        asyncio.run(collection.fill([contact_entry("1@lid", full_name="F", first_name="")]))
        collection.change([contact_entry("1@lid", full_name="G", first_name="")])
        first = collection.answer(Node("collection", {"return_snapshot": "true"}))
        later = collection.answer(Node("collection", {"version": "1"}))
        current = collection.answer(Node("collection", {"version": "2"}))
        patches = later.child("patches")
        assert [node.tag for node in first.children] == ["snapshot"]
        assert patches is not None
        assert (len(patches.children), current.children) == (1, [])

    def test_patch_macs(self) -> None:
        """A patch proves the state it leads to."""
        key = AppStateKey.generate()
        collection = Collection("c", key, MediaStore())
        collection.change([contact_entry("1@lid", full_name="F", first_name="")])
        node = collection.answer(Node("collection", {"version": "0"})).child("patches")
        assert node is not None
        patch = protos.server_sync.SyncdPatch.FromString(node.children[0].payload())
        place = (1).to_bytes(8, "big") + b"c"
        value_macs = [item.record.value.blob[-32:] for item in patch.mutations]
        state = hmac.digest(key.snapshot_mac, lanes(value_macs) + place, "sha256")
        whole = hmac.digest(key.patch_mac, state + b"".join(value_macs) + place, "sha256")
        assert (state, whole) == (patch.snapshotMAC, patch.patchMAC)

    def test_media(self) -> None:
        """A blob is found by its path with the parameters that clients append, and opens."""
        media = MediaStore()
        reference = protos.server_sync.ExternalBlobReference.FromString(media.publish(b"plain"))
        blob = media.find(f"{reference.directPath}&hash=x&mms-type=y")
        assert blob is not None
        keys = hkdf(reference.mediaKey, 112, info=b"WhatsApp App State Keys")
        assert unpad(keys[16:48], keys[:16], blob[:-10]) == b"plain"
