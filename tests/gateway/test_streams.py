"""The stream of contacts over HTTP: line by line, cut off, and in front of slow readers."""

from __future__ import annotations

import json
import socket
import subprocess
import zlib
from contextlib import ExitStack, contextmanager
from http.client import HTTPResponse, IncompleteRead
from typing import TYPE_CHECKING, Any

import grpc
import h2.connection
import h2.events
import pytest

from clients.node.install import NODE
from sandboxes import wait_for
from wuts.contacts.v1.contacts_service_pb2 import StreamContactsRequest

from . import world
from .exchange import over_http1, reason_of
from .odd_service import GATE, MANY, REST, SECRET
from .probes import AUTH, Probe
from .running import running_gateway, running_service
from .stream_probes import LINES, PATH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from wuts.contacts.v1.contacts_service_pb2_grpc import ContactsServiceStub

    from .running import Gateway

_LIMIT = 10.0
_MIB = 1024 * 1024
_NODE = """
const zlib = require("node:zlib");
const packed = require("node:fs").readFileSync(0);
const partly = { finishFlush: zlib.constants.BROTLI_OPERATION_FLUSH };
process.stdout.write(zlib.brotliDecompressSync(packed, partly));
"""


def _unbrotli(packed: bytes) -> bytes:
    """Decompresses what has arrived so far."""
    return subprocess.run([NODE, "-e", _NODE], input=packed, capture_output=True, check=True).stdout


def _gunzip(packed: bytes) -> bytes:
    return zlib.decompressobj(wbits=31).decompress(packed)


def _as_it_is(body: bytes) -> bytes:
    return body


@pytest.fixture(autouse=True)
def _gate() -> Iterator[None]:
    """Has every stream of the odd service wait behind its first message."""
    GATE.clear()
    yield
    GATE.set()


@contextmanager
def _begun(
    port: int, query: str = "", token: str = world.DEMO, accepted: str = "", window: int = 0
) -> Iterator[HTTPResponse]:
    """Asks over HTTP/1.1; gives the response once its headers are there."""
    asked = {"host": "gateway", "authorization": token, "accept-encoding": accepted}
    lines = [f"GET {PATH}?{query} HTTP/1.1", *(f"{k}: {v}" for k, v in asked.items()), "", ""]
    with socket.socket() as connection:
        if window:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        connection.settimeout(_LIMIT)
        connection.connect(("127.0.0.1", port))
        connection.sendall("\r\n".join(lines).encode())
        response = HTTPResponse(connection)
        response.begin()
        yield response


def _line(number: int = MANY, token: str = REST) -> dict[str, Any]:
    """What the odd service says in one message."""
    contacts = [{"jid": f"{n}", "full_name": "Maria"} for n in range(number)]
    line = {"success": True, "count": number, "contacts": contacts}
    return line | ({"next_page_token": token} if token else {})


class TestLines:
    """Newline-delimited JSON."""

    def test_each_message_is_a_line(self, gateway: Gateway) -> None:
        """Every message is a line that ends in a newline; only the last says nothing follows."""
        reply = over_http1(gateway.port, Probe("", f"{PATH}?page_size=1"))
        first, second, rest = reply.body.split(b"\n")
        found = [json.loads(line) for line in (first, second)]
        assert [(1, True), (1, False)] == [
            (line["count"], "next_page_token" in line) for line in found
        ]
        assert (rest, reply.headers["content-type"]) == (b"", LINES)

    def test_resume(self, gateway: Gateway) -> None:
        """The token of a line, in the query, gives the lines behind it."""
        whole = over_http1(gateway.port, Probe("", f"{PATH}?page_size=1")).body.splitlines()
        token = json.loads(whole[0])["next_page_token"]
        rest = over_http1(gateway.port, Probe("", f"{PATH}?page_size=1&page_token={token}"))
        assert whole[1:] == rest.body.splitlines()

    @pytest.mark.parametrize(
        ("accepted", "read"),
        [("identity", _as_it_is), ("gzip", _gunzip), ("br", _unbrotli)],
        ids=["plain", "gzip", "br"],
    )
    def test_come_as_they_are_made(
        self, odd: Gateway, accepted: str, read: Callable[[bytes], bytes]
    ) -> None:
        """A line is with its reader, whole, before the next one is made; compressed, too."""
        with _begun(odd.port, f"page_size={MANY}", accepted=accepted) as response:
            assert response.headers.get("content-encoding", "identity") == accepted
            body = b""
            while not read(body).endswith(b"\n"):
                body += response.read1()
            assert json.loads(read(body)) == _line()
            GATE.set()
            while chunk := response.read1():
                body += chunk
        assert [json.loads(line) for line in read(body).splitlines()] == [_line(), _line(token="")]

    def test_longer_than_an_answer(self, gateway: Gateway) -> None:
        """A stream may be longer than one JSON answer may, which is 64 MiB."""
        taken = 0
        with _begun(gateway.port, "page_size=5000", world.ENDLESS) as response:
            while taken < 70 * _MIB:
                taken += len(response.read(_MIB))


def _over_http2(port: int, query: str) -> tuple[bytes, list[Any]]:
    """Asks over HTTP/2; gives the body, and all headers behind it."""
    peer = h2.connection.H2Connection()
    peer.initiate_connection()
    path = (":path", f"{PATH}?{query}")
    asked = [(":method", "GET"), (":scheme", "http"), (":authority", "x"), path, *AUTH]
    peer.send_headers(1, asked, end_stream=True)
    body, trailers = b"", list[Any]()
    with socket.create_connection(("127.0.0.1", port), timeout=_LIMIT) as connection:
        while True:
            connection.sendall(peer.data_to_send())
            for event in peer.receive_data(connection.recv(65_536)):
                if isinstance(event, h2.events.DataReceived):
                    body += event.data or b""
                    GATE.set()
                elif isinstance(event, h2.events.TrailersReceived):
                    trailers += event.headers or ()
                elif isinstance(event, h2.events.StreamEnded):
                    return body, trailers


class TestCutOff:
    """What goes wrong behind the first line."""

    def test_failed(self, odd: Gateway) -> None:
        """A failure of the service ends the body behind the last whole line, without a word."""
        with _begun(odd.port, "page_size=1&view=failed") as response:
            first = response.readline()
            GATE.set()
            assert (json.loads(first), response.read()) == (_line(1), b"")
        assert SECRET.encode() not in first

    def test_failed_over_http2(self, odd: Gateway) -> None:
        """Over HTTP/2, too, and nothing about it stands behind the body."""
        body, trailers = _over_http2(odd.port, "page_size=1&view=failed")
        assert (json.loads(body), trailers) == (_line(1), [])

    def test_torn(self, folder: Path) -> None:
        """A service that dies breaks the body off within a line, or behind one."""
        with running_service() as service, running_gateway(service.port, folder) as gateway:
            with _begun(gateway.port, "", world.ENDLESS) as response:
                lines = [response.readline()]
                service.process.kill()
                with pytest.raises(IncompleteRead) as caught:
                    response.read()
            lines += caught.value.partial.splitlines(keepends=True)
        whole = [json.loads(line) for line in lines if line.endswith(b"\n")]
        assert all(line["next_page_token"] for line in whole)

    def test_by_the_real_service(self, gateway: Gateway) -> None:
        """A store that fails in between leaves the lines before it, each with its token."""
        probe = Probe("", f"{PATH}?page_size=1", headers=(("authorization", world.TORN),))
        lines = [json.loads(line) for line in over_http1(gateway.port, probe).body.splitlines()]
        assert len(lines) == world.TORN_AT
        assert all("next_page_token" in line for line in lines)


def _stat(gateway: Gateway, name: str) -> int:
    """Asks Envoy for one of its numbers."""
    url = f"http://admin/stats?filter=^{name}$"
    command = ["curl", "-s", "--unix-socket", str(gateway.admin), url]
    told = subprocess.run(command, capture_output=True, check=True, text=True, timeout=_LIMIT)
    return int(told.stdout.rpartition(":")[2] or 0)


class TestSlowReaders:
    """Readers who do not read."""

    def test_cost_little(self, gateway: Gateway) -> None:
        """The gateway holds a few MiB for each, however long the list; others are answered."""
        paused = "cluster.streams.upstream_flow_control_paused_reading_total"
        before, held = _stat(gateway, "server.memory_allocated"), _stat(gateway, paused)
        with ExitStack() as stack:
            for _ in range(8):
                stack.enter_context(_begun(gateway.port, "", world.ENDLESS, window=8192))
            wait_for(lambda: _stat(gateway, paused) >= held + 8, 30, "a pause of each")
            grown = _stat(gateway, "server.memory_allocated") - before
            status = over_http1(gateway.port, Probe("", "/contacts")).status
        assert (status, grown < 8 * 3 * _MIB) == (200, True), grown
        active = "cluster.streams.upstream_rq_active"
        wait_for(lambda: not _stat(gateway, active), _LIMIT, "the end of the streams")

    def test_lose_the_stream(self, hurried: Gateway) -> None:
        """Whoever takes nothing for as long as a stream may be idle loses it."""
        active = "cluster.streams.upstream_rq_active"
        with _begun(hurried.port, "", world.ENDLESS, window=8192) as response:
            wait_for(lambda: not _stat(hurried, active), 30, "the end of the stream")
            with pytest.raises((IncompleteRead, ConnectionResetError)):
                response.read()


class TestNative:
    """Native callers of the same route."""

    def test_messages(self, contacts: ContactsServiceStub) -> None:
        """Get messages, not lines."""
        request = StreamContactsRequest(page_size=1)
        messages = [*contacts.StreamContacts(request, metadata=AUTH, timeout=_LIMIT)]
        assert [1, 1] == [message.count for message in messages]

    def test_failures(self, contacts: ContactsServiceStub) -> None:
        """Are told why a stream failed, also in between."""
        metadata = (("authorization", world.TORN),)
        stream = contacts.StreamContacts(
            StreamContactsRequest(page_size=1), metadata=metadata, timeout=_LIMIT
        )
        first = next(stream)
        with pytest.raises(grpc.RpcError) as caught:
            list(stream)
        assert (first.count, reason_of(caught.value)) == (1, "STORE_UNAVAILABLE")
