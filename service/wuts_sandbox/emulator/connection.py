"""Holds one client's session: the Noise handshake, then stanzas in both directions."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from wuts_sandbox.emulator.http import HangUpError
from wuts_sandbox.wire import protos
from wuts_sandbox.wire.decode import decode
from wuts_sandbox.wire.encode import encode
from wuts_sandbox.wire.noise import CONNECTION_HEADER, Cipher, Responder, ServerIdentity

if TYPE_CHECKING:
    from wuts_sandbox.emulator.account import AccountState
    from wuts_sandbox.emulator.pair_code import Pairing
    from wuts_sandbox.emulator.websocket import WebSocket
    from wuts_sandbox.wire.node import Node

HANDSHAKE_LIMIT_S = 30
SILENCE_LIMIT_S = 300
"""Clients send a keep-alive at least every 30 seconds."""

FAREWELL_S = 0.2
"""Pause between a last stanza and the end, without which a client may see only the end."""


class Connection:
    """One client from its handshake to its end."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._inbound: Cipher | None = None
        self._outbound: Cipher | None = None
        self._waiting: dict[str, asyncio.Future[Node]] = {}
        self.noise_key = b""
        self.account: AccountState | None = None
        self.refs: list[bytes] = []
        self.pairing: Pairing | None = None
        """The pair code that the device shows, if it asked for one."""
        self.ready = False

    async def handshake(self, identity: ServerIdentity) -> Any:  # noqa: ANN401  # untyped message
        """Answers the handshake; returns the client's payload."""
        async with asyncio.timeout(HANDSHAKE_LIMIT_S):
            if await self._socket.read(len(CONNECTION_HEADER)) != CONNECTION_HEADER:
                raise HangUpError
            responder = Responder(identity)
            self._socket.send_frame(responder.answer(await self._socket.read_frame()))
            self.noise_key, payload = responder.finish(await self._socket.read_frame())
        self._inbound, self._outbound = responder.ciphers()
        return protos.wa6.ClientPayload.FromString(payload)

    async def read(self) -> Node:
        """Reads the next stanza; raises HangUpError, WireError or TimeoutError."""
        async with asyncio.timeout(SILENCE_LIMIT_S):
            sealed = await self._socket.read_frame()
        if self._inbound is None:
            raise HangUpError
        return decode(self._inbound.open(sealed))

    def send(self, node: Node) -> None:
        """Sends a stanza; does nothing once the connection has ended."""
        self.send_frame(encode(node))

    def send_frame(self, body: bytes) -> None:
        """Sends any bytes as a sealed frame; an empty one makes the library panic."""
        if self._outbound is not None:
            self._socket.send_frame(self._outbound.seal(body))

    async def ask(self, iq: Node, *, limit: float) -> Node:
        """Sends a question and waits for its answer; raises TimeoutError or HangUpError."""
        name = iq.text("id")
        future: asyncio.Future[Node] = asyncio.get_running_loop().create_future()
        self._waiting[name] = future
        self.send(iq)
        try:
            async with asyncio.timeout(limit):
                return await future
        finally:
            self._waiting.pop(name, None)

    def take_answer(self, node: Node) -> None:
        """Hands an answer to whoever asked."""
        future = self._waiting.pop(node.text("id"), None)
        if future is not None and not future.done():
            future.set_result(node)

    async def drain(self) -> None:
        """Waits until most of what was sent has left."""
        await self._socket.drain()

    async def dismiss(self, last: Node) -> None:
        """Sends a last stanza and ends the connection."""
        self.ready = False
        self.send(last)
        await asyncio.sleep(FAREWELL_S)
        self.abort()

    def close(self) -> None:
        """Ends with a WebSocket close frame."""
        self._socket.close()

    def abort(self) -> None:
        """Ends without a word."""
        self.ready = False
        self._socket.abort()

    def forget(self) -> None:
        """Fails whoever still waits for an answer."""
        self.ready = False
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(HangUpError())
        self._waiting.clear()
