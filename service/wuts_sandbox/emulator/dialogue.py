"""Leads one client through its session: registration or login, then question and answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from wuts_sandbox.emulator import linking, pair_code, router, usync
from wuts_sandbox.emulator.initial_sync import bring_world
from wuts_sandbox.emulator.kinds import Kind, kind_of
from wuts_sandbox.emulator.phone import key_share
from wuts_sandbox.emulator.stanzas import NOT_AUTHORIZED, failure, now
from wuts_sandbox.emulator.tally import NUMBERS_CHECKED
from wuts_sandbox.wire.node import Node

if TYPE_CHECKING:
    from wuts_sandbox.emulator.account import AccountState
    from wuts_sandbox.emulator.connection import Connection
    from wuts_sandbox.emulator.server import Emulator
    from wuts_sandbox.wire.node import Jid

CREATED = "1700000000"
UNANSWERED = {Kind.RESULT, Kind.ACK, Kind.RECEIPT, Kind.RETRY, Kind.PRESENCE, Kind.MESSAGE}


async def talk(emulator: Emulator, connection: Connection) -> None:
    """Serves a client until it goes; raises what its connection raises."""
    payload = await connection.handshake(emulator.identity)
    if payload.HasField("username"):
        if not await _log_in(emulator, connection, str(payload.username)):
            return
    else:
        emulator.tally.add(Kind.REGISTRATION)
        linking.offer(connection, emulator.faults.codes)
    while True:
        await _take(emulator, connection, await connection.read())
        await connection.drain()


async def _log_in(emulator: Emulator, connection: Connection, username: str) -> bool:
    account = emulator.account_of(connection.noise_key)
    emulator.tally.add(Kind.LOGIN, account.pn if account else None)
    fault = emulator.faults.for_login(account.pn if account else None)
    if fault is not None:
        await connection.dismiss(Node("failure", {**fault.attrs}))
        return False
    if account is None or account.pn != username:
        await connection.dismiss(Node("failure", {"reason": "401", "location": "sandbox"}))
        return False
    former, account.connection = account.connection, connection
    if former is not None:
        conflict: list[Node] = [Node("conflict", {"type": "replaced"})]
        emulator.spawn(former.dismiss(Node("stream:error", {}, conflict)))
    connection.account = account
    connection.send(_success(account))
    return True


def _success(account: AccountState) -> Node:
    attrs: dict[str, str | Jid] = {
        "t": now(),
        "lid": account.address(lid=True),
        "display_name": account.document.push_name,
        "location": "sandbox",
        "creation": CREATED,
        "props": "27",
    }
    return Node("success", attrs)


async def _take(emulator: Emulator, connection: Connection, node: Node) -> None:
    kind, account = kind_of(node), connection.account
    pn = account.pn if account else None
    emulator.tally.add(kind, pn)
    if kind == Kind.USYNC_CONTACT:
        emulator.tally.add(NUMBERS_CHECKED, pn, usync.numbers_asked(node))
    if kind == Kind.RESULT:
        connection.take_answer(node)
    elif kind in {Kind.ACK, Kind.RECEIPT, Kind.RETRY} and account is not None:
        await account.acknowledge(node.text("id"))
    elif node.tag == "iq":
        await _answer(emulator, connection, kind, node)


async def _answer(emulator: Emulator, connection: Connection, kind: Kind, iq: Node) -> None:
    account = connection.account
    if account is None:
        paired = kind == Kind.PAIR_CODE
        connection.send(
            pair_code.answer(connection, iq) if paired else failure(iq, *NOT_AUTHORIZED)
        )
        return
    if kind == Kind.APP_STATE:
        await account.filled.wait()
    fault = emulator.faults.for_query(kind, account.pn)
    if fault is None:
        _send_if_any(connection, router.answer(kind, account, iq))
        await _follow_up(emulator, connection, kind, iq)
    elif fault.error is not None:
        connection.send(failure(iq, *fault.error))
    elif fault.delay:
        emulator.spawn(_answer_late(connection, kind, iq, fault.delay))


async def _answer_late(connection: Connection, kind: Kind, iq: Node, delay: float) -> None:
    await asyncio.sleep(delay)
    if connection.account is not None:
        _send_if_any(connection, router.answer(kind, connection.account, iq))


def _send_if_any(connection: Connection, node: Node | None) -> None:
    if node is not None:
        connection.send(node)


async def _follow_up(emulator: Emulator, connection: Connection, kind: Kind, iq: Node) -> None:
    account = connection.account
    if account is None:
        return
    if kind == Kind.PASSIVE:
        connection.ready = True
        _resume(emulator, account)
    elif kind == Kind.APP_STATE:
        await _note_fetched(account, iq)
    elif kind == Kind.LOGOUT:
        account.unlink()
        await connection.dismiss(linking.removed())


def _resume(emulator: Emulator, account: AccountState) -> None:
    account.resend()
    if account.sync_task is None:
        account.sync_task = emulator.spawn(bring_world(account))
    elif account.key_shared and not account.synced:
        # The connection was lost while the device fetched its app state. It does not try again
        # by itself, but at each share of the key it fetches what it has not got yet.
        account.post(key_share(account))


async def _note_fetched(account: AccountState, iq: Node) -> None:
    sync: Any = iq.child("sync")
    for collection in sync.children if sync else []:
        await account.note_fetched(collection.text("name"))
