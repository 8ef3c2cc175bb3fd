"""Offers codes to devices that are not linked, and links one when the phone scans its code."""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING

from wuts_sandbox.emulator.http import HangUpError
from wuts_sandbox.emulator.phone import QrCode, accepted, pair_success
from wuts_sandbox.emulator.stanzas import question
from wuts_sandbox.wire.node import Node

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wuts_sandbox.emulator.account import AccountState
    from wuts_sandbox.emulator.connection import Connection

REF_SIZE = 24
PAIRING_LIMIT_S = 10


class LinkingError(RuntimeError):
    """The device could not be linked; the text says why."""


def offer(connection: Connection, codes: int) -> None:
    """Sends the references for so many codes."""
    connection.refs = [base64.b64encode(os.urandom(REF_SIZE)) for _ in range(codes)]
    refs: list[Node] = [Node("ref", {}, ref) for ref in connection.refs]
    connection.send(question("set", "md", Node("pair-device", {}, refs)))


async def scan(
    text: str,
    account: AccountState,
    connections: Iterable[Connection],
    *,
    spoil_hmac: bool = False,
) -> None:
    """Links the device that shows this code; raises QrError or LinkingError."""
    code = QrCode.parse(text)
    connection = _showing(code, connections)
    secret = os.urandom(len(code.secret)) if spoil_hmac else code.secret
    await complete(connection, account, identity=code.identity, secret=secret)


async def complete(
    connection: Connection, account: AccountState, *, identity: bytes, secret: bytes
) -> None:
    """Links the device at the other end, whose secret the phone knows; raises LinkingError."""
    if account.connection is not None:
        account.connection.send(removed())
    device = account.link(noise_key=connection.noise_key, identity=identity)
    iq = question("set", "md", pair_success(account, device, secret))
    try:
        reply = await connection.ask(iq, limit=PAIRING_LIMIT_S)
    except (TimeoutError, HangUpError) as error:
        account.unlink()
        message = "the device did not answer"
        raise LinkingError(message) from error
    if not accepted(reply):
        account.unlink()
        message = "the device refused"
        raise LinkingError(message)
    connection.send(Node("stream:error", {"code": "515"}))


def removed() -> Node:
    """Returns the stanza that tells a device that it is no longer linked."""
    conflict: list[Node] = [Node("conflict", {"type": "device_removed"})]
    return Node("stream:error", {"code": "401"}, conflict)


def _showing(code: QrCode, connections: Iterable[Connection]) -> Connection:
    for connection in connections:
        if code.ref in connection.refs:
            if connection.noise_key == code.noise_key:
                return connection
            message = "the code's key is not the device's"
            raise LinkingError(message)
    message = "no waiting device shows this code"
    raise LinkingError(message)
