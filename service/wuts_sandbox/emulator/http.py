"""Reads HTTP heads and writes short answers, sans I/O by h11."""

from __future__ import annotations

import asyncio

import h11

READ_SIZE = 1 << 16
REQUEST_LIMIT_S = 60
ALLOWED_DOMAINS = (".whatsapp.com", ".whatsapp.net")


class HangUpError(ConnectionError):
    """The other side went away or does not speak HTTP."""


class HttpPeer:
    """One HTTP/1.1 connection, seen from the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._protocol = h11.Connection(h11.SERVER)

    async def request(self) -> h11.Request:
        """Reads the next request, body and all; raises HangUpError or TimeoutError."""
        async with asyncio.timeout(REQUEST_LIMIT_S):
            return await self._request()

    async def _request(self) -> h11.Request:
        request: h11.Request | None = None
        while True:
            event = await self._next_event()
            if isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.ConnectionClosed):
                raise HangUpError
            elif isinstance(event, h11.EndOfMessage) and request is not None:
                return request

    def respond(self, status: int, body: bytes | None = None) -> None:
        """Answers the request; None is an answer without a body, as CONNECT wants it."""
        headers = [] if body is None else [("Content-Length", str(len(body)))]
        out = self._protocol.send(h11.Response(status_code=status, headers=headers)) or b""
        if body is not None:
            out += self._protocol.send(h11.Data(data=body)) or b""
            out += self._protocol.send(h11.EndOfMessage()) or b""
        self._writer.write(out)

    def next_cycle(self) -> bool:
        """Makes ready for the next request; False when the connection is used up."""
        if self._protocol.our_state is not h11.DONE or self._protocol.their_state is not h11.DONE:
            return False
        self._protocol.start_next_cycle()
        return True

    async def _next_event(self) -> h11.Event:
        try:
            while True:
                event = self._protocol.next_event()
                if event is h11.PAUSED:
                    raise HangUpError
                if event is not h11.NEED_DATA:
                    return event  # type: ignore[return-value]  # the two sentinels are excluded
                self._protocol.receive_data(await self._reader.read(READ_SIZE))
        except h11.RemoteProtocolError as error:
            raise HangUpError from error


def allowed(target: bytes) -> bool:
    """Tells whether CONNECT may name this target: only names of WhatsApp are played here."""
    host = target.decode("latin-1").rpartition(":")[0].lower()
    return f".{host}".endswith(ALLOWED_DOMAINS)


def wants_websocket(request: h11.Request) -> bool:
    """Tells whether a request asks to become a WebSocket."""
    headers = dict(request.headers)
    return headers.get(b"upgrade", b"").lower() == b"websocket"
