"""Pages of other origins: allowed by a setting, by default none."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from . import world
from .exchange import Reply, over_http1, over_http2
from .probes import AUTH, Headers, Probe
from .running import Gateway, running_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

_PAGE, _OTHER = "https://app.example", "http://127.0.0.1:8000"
_STRANGERS = (
    "https://app.example.evil.test",
    "https://evil.test/https://app.example",
    "http://app.example",
    "https://appxexample",
    "https://app.example:444",
    "https://APP.example",
    "null",
)
_LIST = "/wuts.contacts.v1.ContactsService/ListContacts"


@pytest.fixture(scope="module")
def open_gateway(service_port: int) -> Iterator[Gateway]:
    """Runs the gateway for the pages of two origins."""
    origins = ("--allowed-origins", f"{_PAGE}, {_OTHER}")
    with (
        tempfile.TemporaryDirectory(prefix="wuts") as path,
        running_gateway(service_port, Path(path), *origins) as running,
    ):
        yield running


def _preflight(path: str, origin: str, method: str = "GET") -> Probe:
    headers: Headers = (("origin", origin), ("access-control-request-method", method))
    return Probe("", path, method="OPTIONS", headers=headers)


def _from(origin: str, path: str = "/contacts", token: Headers = AUTH) -> Probe:
    return Probe("", path, headers=(*token, ("origin", origin)))


def _allowed(reply: Reply) -> str | None:
    return reply.headers.get("access-control-allow-origin")


def _varies(reply: Reply) -> bool:
    return "origin" in reply.headers["vary"].split(",")


class TestPreflight:
    """What a browser asks before it lets a page call."""

    @pytest.mark.parametrize("origin", [_PAGE, _OTHER])
    @pytest.mark.parametrize("path", ["/contacts", "/contacts/resolve", "/devices/x", _LIST])
    def test_allowed(self, open_gateway: Gateway, path: str, origin: str) -> None:
        """Allows what JSON and gRPC-Web callers send, without a token."""
        reply = over_http1(open_gateway.port, _preflight(path, origin, "POST"))
        assert (reply.status, reply.body, _allowed(reply)) == (204, b"", origin)
        assert "DELETE" in reply.headers["access-control-allow-methods"]
        headers = set(reply.headers["access-control-allow-headers"].split(", "))
        assert {"authorization", "content-type", "x-grpc-web", "if-none-match"} <= headers
        assert reply.headers["access-control-max-age"] == "600"

    def test_over_http2(self, open_gateway: Gateway) -> None:
        """Does so over HTTP/2."""
        reply = over_http2(open_gateway.port, _preflight("/contacts", _PAGE))
        assert (reply.status, _allowed(reply)) == (204, _PAGE)

    @pytest.mark.parametrize("origin", _STRANGERS)
    def test_stranger(self, open_gateway: Gateway, origin: str) -> None:
        """Allows no other origin anything."""
        reply = over_http1(open_gateway.port, _preflight("/contacts", origin))
        assert (reply.status, _allowed(reply)) == (401, None)

    @pytest.mark.parametrize("path", ["/contacts", "/contacts/resolve", "/devices", "/elsewhere"])
    def test_none_by_default(self, gateway: Gateway, path: str) -> None:
        """Without the setting there is no preflight, only a method that is not there."""
        reply = over_http1(gateway.port, _preflight(path, _PAGE))
        assert (reply.status, _allowed(reply)) == (404 if path == "/elsewhere" else 401, None)


class TestReplies:
    """What a page may read."""

    def test_allowed(self, open_gateway: Gateway) -> None:
        """A page of an allowed origin may read the answer and what belongs to it."""
        reply = over_http1(open_gateway.port, _from(_PAGE))
        assert (reply.status, _allowed(reply), _varies(reply)) == (200, _PAGE, True)
        exposed = set(reply.headers["access-control-expose-headers"].split(", "))
        assert {"etag", "retry-after", "x-request-id", "grpc-status"} <= exposed
        assert "access-control-allow-credentials" not in reply.headers

    @pytest.mark.parametrize(
        ("path", "token", "status"),
        [
            ("/contacts", (), 401),
            ("/contacts?x=1", AUTH, 400),
            ("/contacts?page_size=0", AUTH, 400),
            ("/contacts%2Fx", AUTH, 400),
            ("/elsewhere", AUTH, 404),
            (f"/contacts/profile-picture?jid={world.FAULTY}", AUTH, 500),
        ],
    )
    def test_failures(self, open_gateway: Gateway, path: str, token: Headers, status: int) -> None:
        """It may read failures, whoever made them."""
        reply = over_http1(open_gateway.port, _from(_PAGE, path, token))
        assert (reply.status, _allowed(reply)) == (status, _PAGE)

    @pytest.mark.parametrize("origin", _STRANGERS)
    def test_stranger(self, open_gateway: Gateway, origin: str) -> None:
        """A page of another origin may not, but caches are told that it matters."""
        reply = over_http1(open_gateway.port, _from(origin))
        assert (_allowed(reply), _varies(reply)) == (None, True)

    def test_grpc_web(self, open_gateway: Gateway) -> None:
        """gRPC-Web pages may read their answers, too."""
        kind = ("content-type", "application/grpc-web")
        headers: Headers = (*AUTH, kind, ("origin", _PAGE))
        probe = Probe("", _LIST, method="POST", headers=headers, body=bytes(5))
        reply = over_http1(open_gateway.port, probe)
        assert (reply.status, _allowed(reply)) == (200, _PAGE)

    def test_none_by_default(self, gateway: Gateway) -> None:
        """Without the setting no reply speaks of origins."""
        reply = over_http1(gateway.port, _from(_PAGE))
        assert [name for name in reply.headers if name.startswith("access-control-")] == []
