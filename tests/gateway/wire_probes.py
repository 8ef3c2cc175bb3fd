"""Bytes of HTTP/1.1 that no client library writes, and the answer that they must get."""

from __future__ import annotations

from dataclasses import dataclass

from . import world
from .probes import INVALID

_TOO_LARGE = (413, "PAYLOAD_TOO_LARGE")
_REFUSED = (401, "UNAUTHORIZED")
_BARE = "GET /contacts HTTP/1.1\r\nhost: x\r\n"
_A = f"authorization: {world.DEMO}\r\n"
_GET = f"{_BARE}{_A}"
_POST = f"POST /contacts/resolve HTTP/1.1\r\nhost: x\r\n{_A}"
_CHUNKED = f"{_POST}transfer-encoding: chunked\r\n"
_CHUNK = "1000\r\n" + "a" * 4096 + "\r\n"
_BODY = '{"jids": ["1"]}'
_H2C = "connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQ\r\n"
_LENGTH = f"content-length: {len(_BODY)}\r\n"


@dataclass(frozen=True)
class Wire:
    """One request in bytes; `code` is empty for a success."""

    name: str
    sent: bytes | str
    status: int = 200
    code: str = ""

    @property
    def data(self) -> bytes:
        """The bytes as they go out."""
        return self.sent if isinstance(self.sent, bytes) else self.sent.encode("latin-1")


def forms() -> list[Wire]:
    """Requests that are right, in forms that are rarely seen."""
    return [
        Wire("HTTP/1.0", f"GET /contacts HTTP/1.0\r\nhost: x\r\n{_A}\r\n"),
        Wire("HTTP/3.0, taken for 1.0", f"GET /contacts HTTP/3.0\r\nhost: x\r\n{_A}\r\n"),
        Wire("absolute target", f"GET http://x/contacts HTTP/1.1\r\nhost: x\r\n{_A}\r\n"),
        Wire("two hosts, by target", f"GET http://y/contacts HTTP/1.1\r\nhost: x\r\n{_A}\r\n"),
        Wire("100-continue", f"{_POST}expect: 100-continue\r\n{_LENGTH}\r\n{_BODY}"),
        Wire("chunks", f"{_CHUNKED}\r\nf\r\n{_BODY}\r\n0\r\n\r\n"),
        Wire("chunk extension", f"{_CHUNKED}\r\nf;a=b\r\n{_BODY}\r\n0\r\n\r\n"),
        Wire("trailers", f"{_CHUNKED}\r\nf\r\n{_BODY}\r\n0\r\nx-a: b\r\n\r\n"),
        Wire("header without a space", f"{_GET}x:a\r\n\r\n"),
        Wire("blank lines before", f"\r\n\r\n{_GET}\r\n"),
        Wire("a second request behind", f"{_GET}\r\n{_GET}\r\n"),
        Wire("connection: close", f"{_GET}connection: close\r\n\r\n"),
        Wire("line feeds alone", f"{_GET}\r\n".replace("\r\n", "\n")),
        Wire("folded header", f"{_GET}x: a\r\n b\r\n\r\n"),
        Wire("upgrade to HTTP/2, not taken", f"{_GET}{_H2C}\r\n"),
    ]


def garbage() -> list[Wire]:
    """What is no request at all."""
    utf8 = b"GET /contacts?view=\xc3\xa7 HTTP/1.1\r\nhost: x\r\n" + _A.encode() + b"\r\n"
    return [
        Wire("garbage", b"\x00\x01\x02\r\n\r\n", *INVALID),
        Wire("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 64, *INVALID),
        Wire("cut request line", "GET\r\n\r\n", *INVALID),
        Wire("no version", "GET /contacts\r\n\r\n", *INVALID),
        Wire("HTTP/1.0 without a host", f"GET /contacts HTTP/1.0\r\n{_A}\r\n", *INVALID),
        Wire("unknown method", "FOO /contacts HTTP/1.1\r\nhost: x\r\n\r\n", *INVALID),
        Wire("no host", f"GET /contacts HTTP/1.1\r\n{_A}\r\n", *INVALID),
        Wire("space in the path", f"GET /con tacts HTTP/1.1\r\nhost: x\r\n{_A}\r\n", *INVALID),
        Wire("UTF-8 in the query", utf8, *INVALID),
        Wire("space in a name", f"{_GET}x : a\r\n\r\n", *INVALID),
        Wire("no name", f"{_GET}: a\r\n\r\n", *INVALID),
        Wire("control character", f"{_GET}x: a\x01b\r\n\r\n", *INVALID),
        Wire("zero byte", f"{_GET}x: a\x00b\r\n\r\n", *INVALID),
        Wire("first header folded", f"GET /contacts HTTP/1.1\r\n x: a\r\n{_A}\r\n", *INVALID),
    ]


def smuggling() -> list[Wire]:
    """Requests whose end two readers might see in two places."""
    both = f"{_POST}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"
    te = f"{_POST}transfer-encoding: "
    unknown = (501, "NOT_IMPLEMENTED")
    return [
        Wire("content-length and chunks", both, *INVALID),
        Wire("two content-lengths", f"{_POST}content-length: 5\r\n{_LENGTH}\r\n", *INVALID),
        Wire("folded token", f"{_GET} x\r\n\r\n", *_REFUSED),
        Wire("token behind a lone carriage return", f"{_BARE}x: a\r{_A}\r\n", *_REFUSED),
        Wire("the same length twice", f"{_POST}{_LENGTH}{_LENGTH}\r\n{_BODY}", *INVALID),
        Wire("list of lengths", f"{_POST}content-length: 15, 15\r\n\r\n{_BODY}", *INVALID),
        Wire("no number", f"{_POST}content-length: x\r\n\r\n", *INVALID),
        Wire("signed length", f"{_POST}content-length: +15\r\n\r\n{_BODY}", *INVALID),
        Wire("negative length", f"{_POST}content-length: -1\r\n\r\n", *INVALID),
        Wire("hexadecimal length", f"{_POST}content-length: 0xf\r\n\r\n{_BODY}", *INVALID),
        Wire("endless length", f"{_POST}content-length: {'9' * 30}\r\n\r\n", *INVALID),
        Wire("bad chunk", f"{_CHUNKED}\r\nzz\r\n", *INVALID),
        Wire("chunk of negative size", f"{_CHUNKED}\r\n-1\r\n", *INVALID),
        Wire("chunk of endless size", f"{_CHUNKED}\r\n{'f' * 17}\r\n", *INVALID),
        Wire("chunk longer than it says", f"{_CHUNKED}\r\n2\r\n{_BODY}\r\n0\r\n\r\n", *INVALID),
        Wire("chunk ended by a line feed", f"{_CHUNKED}\r\nf\n{_BODY}\r\n0\r\n\r\n", *INVALID),
        Wire("unknown encoding", f"{te}gzip\r\n\r\n", *unknown),
        Wire("chunked at last", f"{te}gzip, chunked\r\n\r\n0\r\n\r\n", *unknown),
        Wire("chunked by another name", f"{te}xchunked\r\n\r\n0\r\n\r\n", *unknown),
        Wire("chunked twice", f"{te}chunked\r\ntransfer-encoding: chunked\r\n\r\n", *unknown),
        Wire("chunked behind a tab", f"{te}\tchunked\r\n\r\nf\r\n{_BODY}\r\n0\r\n\r\n"),
        Wire("space before the colon", f"{_POST}transfer-encoding : chunked\r\n\r\n", *INVALID),
        Wire("HTTP/1.0 with chunks", both.replace("HTTP/1.1", "HTTP/1.0"), *INVALID),
        Wire("100 kB in chunks", f"{_CHUNKED}\r\n{_CHUNK * 25}0\r\n\r\n", *_TOO_LARGE),
    ]


def switching() -> list[Wire]:
    """Requests for something else than HTTP, or than a path."""
    socket = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
    return [
        Wire("WebSocket", f"{_GET}{socket}\r\n", 403, "FORBIDDEN"),
        Wire("CONNECT", f"CONNECT x:80 HTTP/1.1\r\nhost: x\r\n{_A}\r\n", 404, "NOT_FOUND"),
        Wire("asterisk", f"OPTIONS * HTTP/1.1\r\nhost: x\r\n{_A}\r\n", 404, "NOT_FOUND"),
        Wire(
            "TRACE", f"TRACE /contacts HTTP/1.1\r\nhost: x\r\n{_A}\r\n", 405, "METHOD_NOT_ALLOWED"
        ),
        Wire("another scheme", f"GET ftp://x/contacts HTTP/1.1\r\nhost: x\r\n{_A}\r\n", *INVALID),
    ]


WIRE = [*(forms() + garbage() + smuggling() + switching())]
"""Every row, in no order that matters."""
