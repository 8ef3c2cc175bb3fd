"""Carries Noise frames over a WebSocket, sans I/O by wsproto."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    Request,
)
from wsproto.utilities import RemoteProtocolError

from wuts_sandbox.emulator.http import READ_SIZE, HangUpError
from wuts_sandbox.wire.decode import MAX_FRAME

if TYPE_CHECKING:
    import asyncio

    import h11

LENGTH_SIZE = 3
GOING_AWAY = 1001


class WebSocket:
    """The server's end of one WebSocket."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: h11.Request
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._protocol = WSConnection(ConnectionType.SERVER)
        self._buffer = bytearray()
        self._upgrade(request)

    def send_frame(self, body: bytes) -> None:
        """Sends one Noise frame: its length and body."""
        self._send(BytesMessage(data=len(body).to_bytes(LENGTH_SIZE, "big") + body))

    async def read_frame(self) -> bytes:
        """Reads the body of the next Noise frame; raises HangUpError."""
        size = int.from_bytes(await self.read(LENGTH_SIZE), "big")
        return await self.read(size)

    async def read(self, size: int) -> bytes:
        """Reads exactly that many bytes of the messages' contents."""
        while len(self._buffer) < size:
            await self._receive()
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    async def drain(self) -> None:
        """Waits until most of what was sent has left."""
        await self._writer.drain()

    def close(self) -> None:
        """Sends a close frame."""
        self._send(CloseConnection(code=GOING_AWAY))

    def abort(self) -> None:
        """Breaks the connection without a word."""
        self._writer.transport.abort()

    def _upgrade(self, request: h11.Request) -> None:
        headers = [(bytes(name), bytes(value)) for name, value in request.headers]
        self._protocol.initiate_upgrade_connection(headers, request.target.decode("latin-1"))
        for event in self._protocol.events():
            if isinstance(event, Request):
                self._send(AcceptConnection())

    async def _receive(self) -> None:
        data = await self._reader.read(READ_SIZE)
        if not data or len(self._buffer) > MAX_FRAME:
            raise HangUpError
        try:
            self._protocol.receive_data(data)
            for event in self._protocol.events():
                self._take(event)
        except RemoteProtocolError as error:
            raise HangUpError from error

    def _take(self, event: Event) -> None:
        if isinstance(event, BytesMessage):
            self._buffer += event.data
        elif isinstance(event, Ping):
            self._send(event.response())
        elif isinstance(event, CloseConnection):
            raise HangUpError

    def _send(self, event: Event) -> None:
        if not self._writer.transport.is_closing():
            self._writer.write(self._protocol.send(event))
