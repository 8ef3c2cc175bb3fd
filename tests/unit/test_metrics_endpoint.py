"""The page that Prometheus reads."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from wuts.adapters.telemetry import endpoint as module
from wuts.adapters.telemetry.endpoint import HOST, MetricsEndpoint, PortTaken

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]

_LIMIT = 10


@pytest_asyncio.fixture
async def endpoint() -> AsyncIterator[MetricsEndpoint]:
    """An endpoint with a page of one word."""
    made = MetricsEndpoint(lambda: b"page")
    await made.start(0)
    yield made
    await made.stop()


@contextlib.asynccontextmanager
async def connected(endpoint: MetricsEndpoint) -> AsyncIterator[Connection]:
    """Connects, and leaves nothing open."""
    reader, writer = await asyncio.open_connection(HOST, endpoint.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def ask(endpoint: MetricsEndpoint, request: bytes) -> tuple[str, bytes]:
    """Sends some bytes; gives the status line and the body of the answer."""
    async with asyncio.timeout(_LIMIT), connected(endpoint) as (reader, writer):
        writer.write(request)
        answer = b""
        with contextlib.suppress(ConnectionError):
            answer = await reader.read()
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.split(b"\r\n")[0].decode(), body


class TestMetricsEndpoint:
    """MetricsEndpoint."""

    @pytest.mark.parametrize(
        ("line", "status", "body"),
        [
            ("GET /metrics HTTP/1.1", "200 OK", b"page"),
            ("GET /metrics?name=x HTTP/1.0", "200 OK", b"page"),
            ("GET / HTTP/1.1", "200 OK", b"page"),
            ("HEAD /metrics HTTP/1.1", "200 OK", b""),
            ("POST /metrics HTTP/1.1", "405 Method Not Allowed", b""),
            ("GET /contacts HTTP/1.1", "404 Not Found", b""),
            ("nonsense", "404 Not Found", b""),
        ],
    )
    async def test_answers(
        self, endpoint: MetricsEndpoint, line: str, status: str, body: bytes
    ) -> None:
        """One page for one question, and a plain status for any other."""
        found = await ask(endpoint, f"{line}\r\nhost: x\r\n\r\n".encode())
        assert (f"HTTP/1.1 {status}", body) == found

    async def test_too_long(self, endpoint: MetricsEndpoint) -> None:
        """A request without end is refused."""
        status, _ = await ask(endpoint, b"GET /metrics HTTP/1.1\r\n" + b"a" * 20_000)
        assert "HTTP/1.1 400 Bad Request" == status

    async def test_cut_off(self, endpoint: MetricsEndpoint) -> None:
        """A caller who leaves in the middle is nobody's trouble."""
        async with connected(endpoint) as (_, writer):
            writer.write(b"GET /met")
        status, _ = await ask(endpoint, b"GET / HTTP/1.1\r\n\r\n")
        assert "HTTP/1.1 200 OK" == status

    async def test_slow(self, endpoint: MetricsEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
        """A caller who never asks is let go."""
        monkeypatch.setattr(module, "_READ_SECONDS", 0.05)
        assert ("", b"") == await ask(endpoint, b"GET /met")

    async def test_too_many(
        self, endpoint: MetricsEndpoint, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Of too many callers at a time the last one is turned away."""
        monkeypatch.setattr(module, "_MAX_CALLERS", 1)
        async with connected(endpoint):
            assert ("", b"") == await ask(endpoint, b"GET / HTTP/1.1\r\n\r\n")

    async def test_taken(self, endpoint: MetricsEndpoint) -> None:
        """A busy port is told."""
        with pytest.raises(PortTaken):
            await MetricsEndpoint(bytes).start(endpoint.port)

    async def test_stop(self) -> None:
        """Afterwards nobody listens."""
        made = MetricsEndpoint(bytes)
        await made.start(0)
        await made.stop()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(HOST, made.port)
