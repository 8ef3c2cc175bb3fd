"""Runs the emulator: one listener that is proxy, TLS server, media server and WhatsApp."""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import TYPE_CHECKING, TypeVar

from cryptography.exceptions import InvalidTag
from google.protobuf.message import DecodeError

from wuts_sandbox.emulator.account import AccountState
from wuts_sandbox.emulator.connection import SILENCE_LIMIT_S, Connection
from wuts_sandbox.emulator.dialogue import talk
from wuts_sandbox.emulator.faults import Door, Faults
from wuts_sandbox.emulator.http import READ_SIZE, HttpPeer, allowed, wants_websocket
from wuts_sandbox.emulator.kinds import Kind
from wuts_sandbox.emulator.media import MediaStore
from wuts_sandbox.emulator.tally import Tally
from wuts_sandbox.emulator.websocket import WebSocket
from wuts_sandbox.wire.certificates import make_authority
from wuts_sandbox.wire.decode import WireError
from wuts_sandbox.wire.noise import ServerIdentity

if TYPE_CHECKING:
    from collections.abc import Coroutine

    import h11

    from wuts_sandbox.world.document import World

HOST = "127.0.0.1"
MAX_CONNECTIONS = 1000
TLS_LIMIT_S = 30
EXPECTED_ENDS = (OSError, EOFError, TimeoutError, InvalidTag, WireError, DecodeError)

Outcome = TypeVar("Outcome")
log = logging.getLogger(__name__)


class Emulator:
    """A whole loopback WhatsApp; it never opens a connection itself."""

    def __init__(self, world: World) -> None:
        self.identity = ServerIdentity()
        self.authority = make_authority()
        self.media = MediaStore()
        self.accounts = [AccountState(account, self.media) for account in world.accounts]
        self.connections: set[Connection] = set()
        self.faults = Faults()
        self.tally = Tally()
        self.port = 0
        self._listener: asyncio.Server | None = None
        self._reserved: socket.socket | None = None
        self._clients: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[object]] = set()

    @property
    def proxy(self) -> str:
        """The URL that clients take as their HTTPS proxy."""
        return f"http://{HOST}:{self.port}"

    async def start(self) -> None:
        """Opens the listener on a free port and begins to seal the accounts' app state."""
        await self.open_door()
        for account in self.accounts:
            self.spawn(account.fill_collections())

    async def stop(self) -> None:
        """Closes everything."""
        self.stop_listening()
        if self._reserved is not None:
            self._reserved.close()
        self.break_connections()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def open_door(self) -> None:
        """Listens, on the former port if there was one."""
        if self._listener is None:
            self._listener = await asyncio.start_server(self._serve, HOST, self.port)
            self.port = self._listener.sockets[0].getsockname()[1]
        if self._reserved is not None:
            self._reserved.close()
            self._reserved = None

    def stop_listening(self) -> None:
        """Closes the port, which stays this emulator's; connections go on."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
            self._reserved = _reserve(self.port)

    def break_connections(self) -> int:
        """Breaks all connections without a word; returns how many there were."""
        for client in list(self._clients):
            client.transport.abort()
        return len(self._clients)

    def spawn(self, work: Coroutine[object, object, Outcome]) -> asyncio.Task[Outcome]:
        """Runs something in the background until it or the emulator ends."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(_report)
        return task

    def account_of(self, noise_key: bytes) -> AccountState | None:
        """Returns the account whose linked device has this key."""
        for account in self.accounts:
            if account.device is not None and account.device.noise_key == noise_key:
                return account
        return None

    def account(self, pn: str) -> AccountState | None:
        """Returns the account of that number."""
        return next((account for account in self.accounts if account.pn == pn), None)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._clients) >= MAX_CONNECTIONS:
            writer.transport.abort()
            return
        self._clients.add(writer)
        try:
            await self._receive(reader, writer)
        except EXPECTED_ENDS as error:
            log.debug("connection ended: %s", type(error).__name__)
        finally:
            self._clients.discard(writer)
            writer.close()

    async def _receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.faults.door == Door.BLACK_HOLE:
            await _ignore(reader)
            return
        peer = HttpPeer(reader, writer)
        request = await peer.request()
        self.tally.add(Kind.CONNECT)
        refusal = self._refusal(request)
        if refusal:
            peer.respond(refusal, b"")
            return
        peer.respond(200)
        await writer.start_tls(self.authority.tls, ssl_handshake_timeout=TLS_LIMIT_S)
        await self._serve_host(reader, writer)

    def _refusal(self, request: h11.Request) -> int:
        if request.method != b"CONNECT":
            return 405
        if not allowed(request.target):
            return 403
        return 503 if self.faults.door == Door.REFUSING else 0

    async def _serve_host(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = HttpPeer(reader, writer)
        while True:
            request = await peer.request()
            if wants_websocket(request):
                await self._serve_socket(WebSocket(reader, writer, request), reader)
                return
            self.tally.add(Kind.MEDIA)
            blob = self.media.find(request.target.decode("latin-1"))
            peer.respond(200 if blob is not None else 404, blob or b"")
            await writer.drain()
            if not peer.next_cycle():
                return

    async def _serve_socket(self, socket: WebSocket, reader: asyncio.StreamReader) -> None:
        if self.faults.door == Door.SILENT_HANDSHAKE:
            await _ignore(reader)
            return
        connection = Connection(socket)
        self.connections.add(connection)
        try:
            await talk(self, connection)
        finally:
            self.connections.discard(connection)
            connection.forget()
            account = connection.account
            if account is not None and account.connection is connection:
                account.connection = None


async def _ignore(reader: asyncio.StreamReader) -> None:
    async with asyncio.timeout(SILENCE_LIMIT_S):
        while await reader.read(READ_SIZE):
            pass


def _reserve(port: int) -> socket.socket | None:
    """Keeps a port that nobody listens on from becoming the source of a connection.

    Without it a client that dials on and on may even reach itself.
    """
    reserved = socket.socket()
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        reserved.bind((HOST, port))
    except OSError:
        reserved.close()
        return None
    return reserved


def _report(task: asyncio.Task[object]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error("background work failed: %s", type(task.exception()).__name__)
