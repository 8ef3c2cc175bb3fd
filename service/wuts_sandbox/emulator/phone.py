"""Plays the phone: links a device, shares its keys, sends names and LID pairs to the device."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wuts_sandbox.emulator.signal_session import SignalSession
from wuts_sandbox.emulator.stanzas import new_id, now
from wuts_sandbox.wire import protos
from wuts_sandbox.wire.keys import CurveKey
from wuts_sandbox.wire.node import Jid, Node

if TYPE_CHECKING:
    from wuts_sandbox.emulator.account import AccountState, LinkedDevice

ACCOUNT_SIGNATURE = b"\x06\x00"
DEVICE_SIGNATURE_SIZE = 64
KEY_SIZE = 32
KEY_INDEX = 1
PHONE = "phone"


class QrError(ValueError):
    """The text is no QR code of WhatsApp linking."""


@dataclass(frozen=True)
class QrCode:
    """What a device shows: a reference of the server, two public keys, a secret."""

    ref: bytes
    noise_key: bytes
    identity: bytes
    secret: bytes

    @classmethod
    def parse(cls, text: str) -> QrCode:
        """Reads the text behind a QR code; raises QrError."""
        parts = text.strip().rpartition("#")[2].split(",")
        try:
            ref, keys = parts[0].encode("ascii"), [_key(part) for part in parts[1:4]]
        except (UnicodeEncodeError, binascii.Error) as error:
            message = "the text is no QR code of WhatsApp linking"
            raise QrError(message) from error
        if not ref or len(keys) != 3 or any(len(key) != KEY_SIZE for key in keys):  # noqa: PLR2004  # noise key, identity, secret
            message = "the text is no QR code of WhatsApp linking"
            raise QrError(message)
        return cls(ref, *keys)


def _key(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def pair_success(account: AccountState, device: LinkedDevice, secret: bytes) -> Node:
    """Returns the element that tells a device it is linked."""
    details = protos.adv.ADVDeviceIdentity(
        rawID=77, timestamp=int(time.time()), keyIndex=KEY_INDEX
    ).SerializeToString()
    signature = account.identity.sign(ACCOUNT_SIGNATURE + details + device.identity)
    signed = protos.adv.ADVSignedDeviceIdentity(
        details=details,
        accountSignatureKey=account.identity.public,
        accountSignature=signature,
    ).SerializeToString()
    box = protos.adv.ADVSignedDeviceIdentityHMAC(
        details=signed, HMAC=hmac.digest(secret, signed, hashlib.sha256)
    ).SerializeToString()
    addresses: dict[str, str | Jid] = {
        "jid": account.address(),
        "lid": account.address(lid=True),
    }
    return Node(
        "pair-success",
        {},
        [
            Node("device-identity", {}, box),
            Node("device", addresses),
            Node("platform", {"name": "android"}),
        ],
    )


def accepted(reply: Node) -> bool:
    """Tells whether a device's answer to `pair-success` is a signed acceptance."""
    signed = reply.child("pair-device-sign")
    identity = signed.child("device-identity") if signed else None
    if reply.text("type") != "result" or identity is None:
        return False
    message = protos.adv.ADVSignedDeviceIdentity.FromString(identity.payload())
    return len(message.deviceSignature) == DEVICE_SIGNATURE_SIZE


def key_share(account: AccountState) -> Node:
    """Returns the message that gives the device the key of the app state."""
    e2e = protos.e2e
    fingerprint = e2e.AppStateSyncKeyFingerprint(rawID=1, currentIndex=0, deviceIndexes=[0, 1])
    key = e2e.AppStateSyncKey(
        keyID=e2e.AppStateSyncKeyId(keyID=account.key.key_id),
        keyData=e2e.AppStateSyncKeyData(
            keyData=account.key.data, timestamp=int(time.time() * 1000), fingerprint=fingerprint
        ),
    )
    protocol = e2e.ProtocolMessage(
        type=e2e.ProtocolMessage.APP_STATE_SYNC_KEY_SHARE,
        appStateSyncKeyShare=e2e.AppStateSyncKeyShare(keys=[key]),
    )
    return _peer_message(account, e2e.Message(protocolMessage=protocol))


def history_chunk(
    account: AccountState, names: list[tuple[str, str]], pairs: list[tuple[str, str]]
) -> Node:
    """Returns the message with push names `(jid, name)` and pairs `(lid_jid, pn_jid)`."""
    history, e2e = protos.history_sync, protos.e2e
    chunk = history.HistorySync(
        syncType=history.HistorySync.PUSH_NAME,
        pushnames=[history.Pushname(ID=jid, pushname=name) for jid, name in names],
        phoneNumberToLidMappings=[
            history.PhoneNumberToLIDMapping(pnJID=pn, lidJID=lid) for lid, pn in pairs
        ],
    )
    notification = e2e.HistorySyncNotification(
        syncType=e2e.HistorySyncType.Value("PUSH_NAME"),
        initialHistBootstrapInlinePayload=zlib.compress(chunk.SerializeToString()),
    )
    protocol = e2e.ProtocolMessage(
        type=e2e.ProtocolMessage.HISTORY_SYNC_NOTIFICATION, historySyncNotification=notification
    )
    return _peer_message(account, e2e.Message(protocolMessage=protocol))


def business_message(sender: Jid, business_name: str) -> Node:
    """Returns a message whose certificate teaches the device a business name, and nothing else.

    It holds no ciphertext: the device takes the name and answers with an acknowledgement, where
    an unreadable ciphertext would make it ask for the message again.
    """
    return inbound(sender, [certificate(business_name)])


def text_message(
    account: AccountState, sender: Jid, text: str, *, push_name: str, alias: Jid | None
) -> Node:
    """Returns a readable text message; raises NoPreKeysError."""
    message = protos.e2e.Message(conversation=text)
    node = inbound(sender, [_encrypted(account, str(sender), message)])
    node.attrs["notify"] = push_name
    if alias is not None:
        node.attrs["sender_pn" if sender.server == "lid" else "sender_lid"] = alias
    return node


def inbound(sender: Jid, content: list[Node]) -> Node:
    """Returns a message stanza from somebody."""
    attrs: dict[str, str | Jid] = {"from": sender, "type": "text", "id": new_id(), "t": now()}
    return Node("message", attrs, content)


def certificate(business_name: str) -> Node:
    """Returns the element that certifies a business' name, without signatures."""
    names = protos.verified_name
    details = names.VerifiedNameCertificate.Details(
        serial=1, issuer="smb:wa", verifiedName=business_name
    ).SerializeToString()
    certificate: bytes = names.VerifiedNameCertificate(details=details).SerializeToString()
    return Node("verified_name", {"v": "1", "verified_level": "unknown"}, certificate)


def _peer_message(account: AccountState, message: Any) -> Node:  # noqa: ANN401  # untyped message
    sender = account.address(lid=True, device=False)
    node = inbound(sender, [_encrypted(account, PHONE, message)])
    node.attrs["category"] = "peer"
    return node


def _encrypted(account: AccountState, sender: str, message: Any) -> Node:  # noqa: ANN401  # untyped message
    device = account.device
    if device is None:
        error = "no device is linked"
        raise RuntimeError(error)
    if sender not in device.sessions:
        key = account.identity if sender == PHONE else CurveKey.generate()
        device.sessions[sender] = SignalSession(key, device.bundle())
    sealed = device.sessions[sender].encrypt(message.SerializeToString())
    return Node("enc", {"v": "2", "type": "pkmsg"}, sealed)
