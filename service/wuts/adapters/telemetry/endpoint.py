"""Serves the metrics to Prometheus: one page, over HTTP, on loopback."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

if TYPE_CHECKING:
    from collections.abc import Callable

HOST = "127.0.0.1"

_READ_SECONDS = 5.0
_MAX_HEAD = 8192
_MAX_CALLERS = 16
_PATHS = {"/metrics", "/"}


class PortTaken(Exception):  # named after the situation
    """The port cannot be listened on."""


class MetricsEndpoint:
    """Answers GET /metrics on the event loop, so that what it looks at stands still.

    `text` writes the page. `port` is known after `start`. A caller has some
    seconds to ask and to read, and a connection answers once.
    """

    def __init__(self, text: Callable[[], bytes]) -> None:
        self.port = 0
        self._text = text
        self._server: asyncio.Server | None = None
        self._callers = 0

    async def start(self, port: int) -> None:
        """Listens; port 0 takes any free one. Raises PortTaken."""
        try:
            self._server = await asyncio.start_server(self._serve, HOST, port, limit=_MAX_HEAD)
        except OSError as error:
            raise PortTaken from error
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stops listening; who is being answered has until the end of the process."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._callers >= _MAX_CALLERS:
            writer.transport.abort()
            return
        self._callers += 1
        try:
            async with asyncio.timeout(_READ_SECONDS):
                writer.write(await self._answer(reader))
                await writer.drain()
        except (TimeoutError, ConnectionError):
            writer.transport.abort()
        finally:
            self._callers -= 1
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader) -> bytes:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return _response("400 Bad Request", b"")
        method, _, rest = head.decode("latin-1").partition(" ")
        if rest.split(" ")[0].partition("?")[0] not in _PATHS:
            return _response("404 Not Found", b"")
        if method not in {"GET", "HEAD"}:
            return _response("405 Method Not Allowed", b"", "allow: GET, HEAD\r\n")
        return _response("200 OK", self._text(), has_body=method == "GET")


def _response(status: str, body: bytes, more: str = "", *, has_body: bool = True) -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\ncontent-type: {CONTENT_TYPE_PLAIN_0_0_4}\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n{more}\r\n"
    )
    return head.encode() + (body if has_body else b"")
