"""Frames of HTTP/2 that no client library writes."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import h2.config
import h2.connection
import h2.events
import pytest

from . import world

if TYPE_CHECKING:
    from .running import Gateway

_ENDS = (h2.events.StreamEnded, h2.events.StreamReset, h2.events.ConnectionTerminated)
_HEADERS: tuple[tuple[str, str], ...] = (
    (":method", "GET"),
    (":scheme", "http"),
    (":authority", "x"),
    (":path", "/contacts"),
    ("authorization", world.DEMO),
)


def _without(*names: str) -> tuple[tuple[str, str], ...]:
    return tuple(header for header in _HEADERS if header[0] not in names)


# What each stream must end with: a status, or 0 for no answer.
_ROWS: tuple[tuple[str, tuple[tuple[str, str], ...], int], ...] = (
    ("a good one", _HEADERS, 200),
    ("te: trailers", (*_HEADERS, ("te", "trailers")), 200),
    ("no path", _without(":path"), 0),
    ("an empty path", (*_without(":path"), (":path", "")), 0),
    ("a path that is none", (*_without(":path"), (":path", "contacts")), 0),
    ("no method", _without(":method"), 0),
    ("no scheme", _without(":scheme"), 0),
    ("two paths", (_HEADERS[3], *_HEADERS), 0),
    ("an unknown pseudo-header", ((":odd", "x"), *_HEADERS), 0),
    ("a pseudo-header behind", (*_without(":path"), ("x", "1"), (":path", "/contacts")), 0),
    ("upper case", (*_HEADERS, ("X-Upper", "1")), 0),
    ("connection", (*_HEADERS, ("connection", "close")), 0),
    ("transfer-encoding", (*_HEADERS, ("transfer-encoding", "chunked")), 0),
    ("keep-alive", (*_HEADERS, ("keep-alive", "1")), 0),
    ("te: gzip", (*_HEADERS, ("te", "gzip")), 0),
    ("a line break in a value", (*_HEADERS, ("x", "a\r\nb: c")), 0),
    ("a zero byte in a value", (*_HEADERS, ("x", "a\0b")), 0),
    ("a length without a body", (*_HEADERS, ("content-length", "5")), 0),
)


def _events(port: int, headers: tuple[tuple[str, str], ...]) -> list[h2.events.Event]:
    """Sends one request of these headers; gives what happens until stream or connection end."""
    config = h2.config.H2Configuration(
        validate_outbound_headers=False, normalize_outbound_headers=False, header_encoding=None
    )
    peer = h2.connection.H2Connection(config)
    peer.initiate_connection()
    peer.send_headers(1, list(headers), end_stream=True)
    events: list[h2.events.Event] = []
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(peer.data_to_send())
        while not any(isinstance(event, _ENDS) for event in events):
            data = connection.recv(65_536)
            if not data:
                break
            events += peer.receive_data(data)
    return events


def _send(port: int, headers: tuple[tuple[str, str], ...]) -> int:
    """Gives the status of the answer; 0 when there is none."""
    for event in _events(port, headers):
        if isinstance(event, h2.events.ResponseReceived):
            return int(dict(event.headers or ())[b":status"])
    return 0


@pytest.fixture(scope="module")
def statuses(gateway: Gateway) -> dict[str, int]:
    """Sends every row, all at once: Envoy takes a second to close a connection."""
    with ThreadPoolExecutor(len(_ROWS)) as pool:
        found = pool.map(lambda row: _send(gateway.port, row[1]), _ROWS)
        return {name: status for (name, *_), status in zip(_ROWS, found, strict=True)}


class TestFrames:
    """Streams of HTTP/2."""

    @pytest.mark.parametrize(("name", "_headers", "status"), _ROWS, ids=[row[0] for row in _ROWS])
    def test_headers(
        self, statuses: dict[str, int], name: str, _headers: object, status: int
    ) -> None:
        """Answers good ones; whatever HTTP/2 forbids ends the connection without an answer."""
        assert statuses[name] == status

    @pytest.mark.parametrize("path", ["/contacts", "/contacts?page_size=0", "/contacts?x=1"])
    def test_trailers(self, gateway: Gateway, path: str) -> None:
        """Sends JSON callers no trailers, which HTTP/1.1 has no room for either."""
        headers = (*_without(":path"), (":path", path))
        events = _events(gateway.port, headers)
        trailers = [e for e in events if isinstance(e, h2.events.TrailersReceived)]
        assert [list(event.headers or ()) for event in trailers] in ([], [[]])

    def test_the_gateway_goes_on(self, gateway: Gateway) -> None:
        """Serves others after it was sent garbage behind the preface."""
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=5) as connection:
            connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 100)
            while connection.recv(65_536):
                pass
        assert _send(gateway.port, _HEADERS) == 200
