"""Requests to the gateway and what must come back: a table, and how its rows are written."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from fakes import GROUP, JOAO, JOAO_LID, MARIA

from . import world

if TYPE_CHECKING:
    from collections.abc import Mapping

Headers = tuple[tuple[str, str], ...]

AUTH: Headers = (("authorization", f"Bearer {world.DEMO}"),)
JSON: Headers = (("content-type", "application/json"),)


@dataclass(frozen=True)
class Probe:
    """One request and the reply it must have.

    `code` is the error_code of a failure; empty for a success. `answer` is the
    whole JSON body, where it matters. `invalid` is the field that `validation`
    names; empty means that there is no `validation`.
    """

    name: str
    target: str
    status: int = 200
    code: str = ""
    method: str = "GET"
    headers: Headers = AUTH
    body: bytes = b""
    answer: Mapping[str, object] | None = None
    invalid: str = ""
    reply_headers: Mapping[str, str] = field(default_factory=dict)
    http2: bool = True


def picture(name: str, query: str, status: int = 200, code: str = "", invalid: str = "") -> Probe:
    """Asks for a picture."""
    target = f"/contacts/profile-picture?{query}"
    return Probe(f"picture: {name}", target, status, code, invalid=invalid)


def resolve(
    name: str, body: str | bytes, status: int = 200, code: str = "", invalid: str = ""
) -> Probe:
    """Asks to resolve what the body says."""
    content = body.encode() if isinstance(body, str) else body
    target, headers = "/contacts/resolve", AUTH + JSON
    return Probe(
        f"resolve: {name}", target, status, code, "POST", headers, content, invalid=invalid
    )


def refused(name: str, *authorization: str, target: str = "/contacts") -> Probe:
    """Comes with no token that counts."""
    headers = tuple(("authorization", value) for value in authorization)
    challenge = {"www-authenticate": "Bearer"}
    return Probe(
        f"token: {name}", target, 401, "UNAUTHORIZED", headers=headers, reply_headers=challenge
    )


def accepted(name: str, authorization: str) -> Probe:
    """Comes with a token in another spelling."""
    return Probe(f"token: {name}", "/contacts", headers=(("authorization", authorization),))


def wrong_method(method: str, target: str, allowed: str) -> Probe:
    """Asks an existing path by another method."""
    return Probe(
        f"method: {method} {target}",
        target,
        405,
        "METHOD_NOT_ALLOWED",
        method,
        reply_headers={"allow": allowed},
    )


def nowhere(target: str) -> Probe:
    """Asks for a path that does not exist."""
    return Probe(f"path: {target}", target, 404, "NOT_FOUND")


_INVALID = (400, "VALIDATION_ERROR")
_MARIA_JID = f"{MARIA}@s.whatsapp.net"
_PATH = "/v/t61.24694-24/abc123.jpg"

_CONTACTS = {
    "success": True,
    "count": 2,
    "contacts": [
        {
            "jid": _MARIA_JID,
            "first_name": "Maria",
            "full_name": "Maria Silva",
            "push_name": "Maria",
            "business_name": "Silva Comercio",
        },
        {
            "jid": f"{JOAO}@s.whatsapp.net",
            "full_name": "Joao Pereira",
            "push_name": "Joao",
        },
    ],
}
_PICTURE = {
    "success": True,
    "data": {
        "jid": _MARIA_JID,
        "url": f"https://pps.whatsapp.net{_PATH}",
        "id": "1700000000",
        "type": "image",
        "direct_path": _PATH,
    },
}
_UNCHANGED = {
    "success": True,
    "data": {"jid": _MARIA_JID, "url": None, "id": "1700000000", "unchanged": True},
}
_RESOLVED = {
    "success": True,
    "count": 3,
    "items": [
        {
            "input": MARIA,
            "input_jid": _MARIA_JID,
            "resolved_jid": _MARIA_JID,
            "jid": _MARIA_JID,
            "phone_number": MARIA,
            "full_name": "Maria Silva",
            "push_name": "Maria",
        },
        {
            "input": f"{JOAO_LID}@lid",
            "input_jid": f"{JOAO_LID}@lid",
            "resolved_jid": f"{JOAO}@s.whatsapp.net",
            "jid": f"{JOAO}@s.whatsapp.net",
            "phone_number": JOAO,
            "lid_jid": f"{JOAO_LID}@lid",
            "full_name": "Joao Pereira",
            "push_name": "Joao",
        },
        {
            "input": "",
            "status": "INVALID_IDENTIFIER",
            "detail": "write a phone number of 10 to 15 digits, or 5 to 20 digits followed by "
            "@s.whatsapp.net or @lid",
        },
    ],
}


def _answered() -> list[Probe]:
    body = {"jids": [MARIA, f"{JOAO_LID}@lid", ""], "group_jid": GROUP}
    target = f"/contacts/profile-picture?jid={_MARIA_JID}"
    empty = (("authorization", world.EMPTY),)
    return [
        Probe("contacts", "/contacts", answer=_CONTACTS),
        Probe(
            "no contacts",
            "/contacts",
            headers=empty,
            answer={"success": True, "count": 0, "contacts": []},
        ),
        Probe("picture", f"{target}&preview=false", answer=_PICTURE),
        Probe("picture unchanged", f"{target}&existing_id=1700000000", answer=_UNCHANGED),
        Probe(
            "identities",
            "/contacts/resolve",
            method="POST",
            headers=AUTH + JSON,
            body=json.dumps(body).encode(),
            answer=_RESOLVED | {"items": _in_group()},
        ),
    ]


def _in_group() -> list[object]:
    items = _RESOLVED["items"]
    assert isinstance(items, list)
    return items


def _lists() -> list[Probe]:
    def listed(query: str, status: int = 200, code: str = "", invalid: str = "") -> Probe:
        return Probe(f"contacts: {query}", f"/contacts?{query}", status, code, invalid=invalid)

    return [
        listed(""),
        listed("?"),
        listed("view=FULL"),
        listed("view=BASIC"),
        listed("view="),
        listed("page_size=1"),
        listed("pageSize=1"),
        listed("page_size=5000"),
        listed("view=full", *_INVALID, "view"),
        listed("page_size=0", *_INVALID, "page_size"),
        listed("page_size=5001", *_INVALID, "page_size"),
        listed("page_size=-1", *_INVALID, "page_size"),
        listed("page_token=forged", *_INVALID, "page_token"),
        listed("page_size=", *_INVALID),
        listed("page_size=1.5", *_INVALID),
        listed("page_size=one", *_INVALID),
        listed("page_size=99999999999", *_INVALID),
        listed("page_size=1&page_size=2", *_INVALID),
        listed("view=BASIC&view=FULL", *_INVALID),
        listed("colour=red", *_INVALID),
        listed("%FF=1", *_INVALID),
        # The transcoder reads the body of a GET too.
        Probe(
            "contacts: with a body",
            "/contacts",
            *_INVALID,
            body=b'{"page_size": 0}',
            invalid="page_size",
        ),
    ]


def _pictures() -> list[Probe]:
    jid = f"jid={_MARIA_JID}"
    yes = ("true", "1", "TRUE", "t", "yes", "y", "false", "0", "FALSE", "False", "f", "no", "n")
    no = ("off", "on", "", "00", "2", "0.0", "null", "%20false")
    spellings = [picture(f"preview={text}", f"{jid}&preview={text}") for text in yes]
    spellings += [picture(f"preview={text}", f"{jid}&preview={text}", *_INVALID) for text in no]
    return [
        *spellings,
        picture("preview without a value", f"{jid}&preview"),
        picture("preview twice", f"{jid}&preview=0&preview=0", *_INVALID),
        picture("camel case", f"{jid}&existingId=1"),
        picture("number with %2B", f"number=%2B{MARIA}"),
        picture("number with a plus sign", f"number=+{MARIA}"),
        picture("number with spaces", "number=%2B55%20(11)%2099999-9999"),
        picture("a jid wins over a number", f"{jid}&number=1"),
        picture("an empty jid is none", f"jid=&number={MARIA}"),
        picture("nobody", "", *_INVALID, "jid"),
        picture("empty number", "number=", *_INVALID, "jid"),
        picture("short number", "number=123", *_INVALID, "number"),
        picture("no jid", "jid=x", *_INVALID, "jid"),
        picture("newsletter", "jid=1@newsletter", *_INVALID, "jid"),
        picture("zero byte", "jid=a%00b", *_INVALID, "jid"),
        picture(
            "UTF-8, quotes, newline", "jid=%C3%A7%22%0a%E2%98%83%F0%9F%98%80", *_INVALID, "jid"
        ),
        picture("200 smileys", f"jid={'%F0%9F%98%80' * 200}", *_INVALID, "jid"),
        picture("7000 letters", f"jid={'a' * 7000}", *_INVALID, "jid"),
        picture("existing_id too long", f"{jid}&existing_id={'1' * 65}", *_INVALID, "existing_id"),
        picture("jid twice", f"{jid}&{jid}", *_INVALID),
        picture("unknown parameter", f"{jid}&size=1", *_INVALID),
        picture("bad escape %zz", "jid=%zz", *_INVALID),
        picture("cut escape %4", "jid=%4", *_INVALID),
        picture("no UTF-8 %FF", "jid=%FF", *_INVALID),
        picture("no UTF-8 %C3 alone", "jid=%C3", *_INVALID),
        picture("no UTF-8 %C0%80", "jid=%C0%80", *_INVALID),
        picture("no UTF-8, a surrogate", "jid=%ED%A0%80", *_INVALID),
        picture("no UTF-8, beyond the last plane", "jid=%F4%90%80%80", *_INVALID),
    ]


def _bodies() -> list[Probe]:
    one = '"jids": ["5511999999999"]'
    return [
        resolve("one", f"{{{one}}}"),
        resolve("camel case", f'{{{one}, "groupJid": "{GROUP}"}}'),
        resolve("160", json.dumps({"jids": [MARIA] * 160})),
        resolve("161", json.dumps({"jids": [MARIA] * 161}), *_INVALID, "jids"),
        resolve("none", '{"jids": []}', *_INVALID, "jids"),
        resolve("empty object", "{}", *_INVALID, "jids"),
        resolve("empty body", "", *_INVALID, "jids"),
        resolve("only null", '{"jids": [null]}', *_INVALID, "jids"),
        resolve("bad group", f'{{{one}, "group_jid": "x"}}', *_INVALID, "group_jid"),
        resolve("long group", f'{{{one}, "group_jid": "{"x" * 50_000}"}}', *_INVALID, "group_jid"),
        resolve("bad view", f'{{{one}, "view": "x"}}', *_INVALID, "view"),
        resolve("null beside one", '{"jids": ["5511999999999", null]}'),
        resolve("null group", f'{{{one}, "group_jid": null}}'),
        resolve("text for a list", '{"jids": "5511999999999"}'),
        resolve("unknown field", f'{{{one}, "colour": "red"}}'),
        resolve("key twice", f"{{{one}, {one}}}"),
        resolve("single quotes", "{'jids': ['5511999999999']}"),
        resolve("trailing comma", f"{{{one},}}"),
        resolve("zero byte", '{"jids": ["\\u0000"]}'),
        resolve("cut", '{"jids": [', *_INVALID),
        resolve("no JSON", "jids=5511999999999", *_INVALID),
        resolve("XML", "<jids/>", *_INVALID),
        resolve("trailing garbage", f"{{{one}}} x", *_INVALID),
        resolve("array", '["5511999999999"]', *_INVALID),
        resolve("null", "null", *_INVALID),
        resolve("number", "5", *_INVALID),
        resolve("numbers in the list", '{"jids": [5511999999999]}', *_INVALID),
        resolve("object in the list", '{"jids": [{}]}', *_INVALID),
        resolve("number for a group", f'{{{one}, "group_jid": 1}}', *_INVALID),
        resolve("no UTF-8", b'{"jids": ["\xff"]}', *_INVALID),
        resolve("surrogate", '{"jids": ["\\ud800"]}', *_INVALID),
        resolve("byte order mark", b"\xef\xbb\xbf{}", *_INVALID),
        resolve("deep", '{"x":' * 2000 + "1" + "}" * 2000, *_INVALID),
        resolve("60 kB", json.dumps({"jids": ["a" * 60_000]})),
        replace(  # over HTTP/2 the client may still be sending when the answer has come
            resolve("70 kB", json.dumps({"jids": ["a" * 70_000]}), 413, "PAYLOAD_TOO_LARGE"),
            http2=False,
        ),
        Probe(
            "resolve: JSON on the gRPC path",
            "/wuts.contacts.v1.ContactsService/ResolveIdentifiers",
            404,
            "NOT_FOUND",
            "POST",
            AUTH + JSON,
            f"{{{one}}}".encode(),
        ),
        Probe(
            "resolve: any content type",
            "/contacts/resolve",
            method="POST",
            headers=(*AUTH, ("content-type", "text/plain")),
            body=f"{{{one}}}".encode(),
        ),
        Probe(
            "resolve: by query",
            f"/contacts/resolve?jids={MARIA}&jids={JOAO}",
            method="POST",
        ),
        Probe(
            "resolve: body and query collide",
            f"/contacts/resolve?group_jid={GROUP}",
            *_INVALID,
            "POST",
            AUTH + JSON,
            f'{{{one}, "group_jid": "1-1@g.us"}}'.encode(),
        ),
    ]


def _tokens() -> list[Probe]:
    token, bearer = world.DEMO, f"Bearer {world.DEMO}"
    malformed = Probe(
        "token: none, and no JSON",
        "/contacts/resolve",
        401,
        "UNAUTHORIZED",
        "POST",
        JSON,
        b"{",
        reply_headers={"www-authenticate": "Bearer"},
    )
    cookie = (("cookie", f"token={token}; authorization={token}"),)
    return [
        accepted("bare", token),
        accepted("lower-case scheme", f"bearer {token}"),
        accepted("upper case, many spaces", f"BEARER    {token.upper()}"),
        refused("none"),
        refused("empty", ""),
        refused("unknown", world.UNKNOWN),
        refused("too short", bearer[:-1]),
        refused("too long", f"{bearer}0"),
        refused("no hexadecimal", bearer.replace("d", "g")),
        refused("no version 4", bearer.replace("-4", "-1")),
        refused("no dashes", bearer.replace("-", "")),
        refused("in braces", f"Bearer {{{token}}}"),
        refused("other scheme", f"Basic {token}"),
        refused("scheme alone", "Bearer"),
        refused("twice", bearer, bearer),
        refused("two in one", f"{bearer}, {bearer}"),
        refused("a good one and a bad one", bearer, "x"),
        refused("in the query", target=f"/contacts?token={token}&authorization={token}"),
        refused("none, and an unknown parameter", target="/contacts?colour=red"),
        refused("none, and a bad escape", target="/contacts?view=%FF"),
        refused("none, on a path below", target="/contacts/elsewhere"),
        Probe("token: in a cookie", "/contacts", 401, "UNAUTHORIZED", headers=cookie),
        Probe("token: in a form", "/contacts/resolve", 401, "UNAUTHORIZED", "POST", (), b"token=x"),
        malformed,
        Probe("token: query is no second place", f"/contacts?token={token}", *_INVALID),
    ]


def _paths() -> list[Probe]:
    same = ("//contacts", "/./contacts", "/x/../contacts", "/../contacts", "/%63ontacts")
    none: tuple[str, ...] = (
        "/",
        "/x",
        "/contactsx",
        "/Contacts",
        "/contacts/",
        "/contacts/profile-picture/",
    )
    none += ("/contacts/resolve/", "/contacts/x", "/contacts/resolve/x", "/contacts;a=b")
    none += ("/contacts:resolve", "/wuts.contacts.v1.ContactsService/ListContacts", "/metrics")
    bad = ("/contacts%2Fresolve", "/contacts%5Cresolve", "/contacts%00", "/contacts#x")
    methods = ("POST", "PUT", "PATCH", "DELETE", "OPTIONS")
    picture_path, resolve_path = "/contacts/profile-picture", "/contacts/resolve"
    return [
        *(Probe(f"path: {path}", path) for path in same),
        *(nowhere(path) for path in none),
        *(Probe(f"path: {path}", path, *_INVALID) for path in bad),
        *(wrong_method(method, "/contacts", "GET") for method in methods),
        *(wrong_method(method, picture_path, "GET") for method in methods),
        *(wrong_method(method, resolve_path, "POST") for method in ("GET", *methods[1:])),
        wrong_method("HEAD", "/contacts", "GET"),
    ]


def _headers() -> list[Probe]:
    def with_header(name: str, value: str, *, http2: bool = True) -> Probe:
        return Probe(
            f"header: {name}: {value[:20]}",
            "/contacts",
            headers=(*AUTH, (name, value)),
            http2=http2,
        )

    big = (*AUTH, ("x-big", "a" * 9000))
    many = AUTH + tuple((f"x-{n}", "1") for n in range(70))
    return [
        with_header("x-envoy-original-path", "/elsewhere"),
        with_header("x-envoy-original-method", "DELETE"),
        with_header("x-envoy-upstream-rq-timeout-ms", "1"),
        with_header("x-envoy-max-retries", "100"),
        with_header("x-forwarded-for", "10.0.0.1"),
        with_header("x-error-body", '{"success": true}'),
        with_header("x-error-code", "OK"),
        with_header("grpc-timeout", "1n"),
        with_header("grpc-timeout", "never"),
        with_header("grpc-encoding", "gzip"),
        with_header("grpc-accept-encoding", "gzip, deflate"),
        with_header("x-trace-bin", "no base64!"),
        with_header("x_underscore", "1"),
        with_header("x-latin", "\xe7\xff", http2=False),
        with_header("x-7000", "a" * 7000),
        with_header("content-type", "text/html"),
        Probe("header: 9 kB", "/contacts", 431, "VALIDATION_ERROR", headers=big, http2=False),
        Probe(
            "header: 70 of them", "/contacts", 431, "VALIDATION_ERROR", headers=many, http2=False
        ),
        Probe("url: 9 kB", f"/{'a' * 9000}", 431, "VALIDATION_ERROR", http2=False),
    ]


PROBES = _answered() + _lists() + _pictures() + _bodies() + _tokens() + _paths() + _headers()
"""Every row, in no order that matters."""

_A = f"authorization: {world.DEMO}\r\n"
_GET = f"GET /contacts HTTP/1.1\r\nhost: x\r\n{_A}"
_POST = f"POST /contacts/resolve HTTP/1.1\r\nhost: x\r\n{_A}"
_CHUNK = "1000\r\n" + "a" * 4096 + "\r\n"
_BODY = '{"jids": ["1"]}'

WIRE: tuple[tuple[str, bytes | str, int, str], ...] = (
    ("HTTP/1.0", f"GET /contacts HTTP/1.0\r\nhost: x\r\n{_A}\r\n", 200, ""),
    ("absolute target", f"GET http://x/contacts HTTP/1.1\r\nhost: x\r\n{_A}\r\n", 200, ""),
    (
        "100-continue",
        f"{_POST}expect: 100-continue\r\ncontent-length: {len(_BODY)}\r\n\r\n{_BODY}",
        200,
        "",
    ),
    ("garbage", b"\x00\x01\x02\r\n\r\n", *_INVALID),
    ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 64, *_INVALID),
    ("cut request line", "GET\r\n\r\n", *_INVALID),
    ("unknown method", "FOO /contacts HTTP/1.1\r\nhost: x\r\n\r\n", *_INVALID),
    ("no host", f"GET /contacts HTTP/1.1\r\n{_A}\r\n", *_INVALID),
    ("space in the path", f"GET /con tacts HTTP/1.1\r\nhost: x\r\n{_A}\r\n", *_INVALID),
    (
        "UTF-8 in the query",
        b"GET /contacts?view=\xc3\xa7 HTTP/1.1\r\nhost: x\r\n" + _A.encode() + b"\r\n",
        *_INVALID,
    ),
    ("space in a name", f"{_GET}x : a\r\n\r\n", *_INVALID),
    ("control character", f"{_GET}x: a\x01b\r\n\r\n", *_INVALID),
    ("zero byte", f"{_GET}x: a\x00b\r\n\r\n", *_INVALID),
    ("bad content-length", f"{_POST}content-length: x\r\n\r\n", *_INVALID),
    ("two content-lengths", f"{_POST}content-length: 5\r\ncontent-length: 6\r\n\r\n", *_INVALID),
    (
        "content-length and chunks",
        f"{_POST}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        *_INVALID,
    ),
    ("bad chunk", f"{_POST}transfer-encoding: chunked\r\n\r\nzz\r\n", *_INVALID),
    (
        "100 kB in chunks",
        f"{_POST}transfer-encoding: chunked\r\n\r\n{_CHUNK * 25}0\r\n\r\n",
        413,
        "PAYLOAD_TOO_LARGE",
    ),
    ("unknown encoding", f"{_POST}transfer-encoding: gzip\r\n\r\n", 501, "NOT_IMPLEMENTED"),
    (
        "WebSocket",
        f"{_GET}connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\r\n",
        403,
        "FORBIDDEN",
    ),
    ("CONNECT", f"CONNECT x:80 HTTP/1.1\r\nhost: x\r\n{_A}\r\n", 404, "NOT_FOUND"),
    ("asterisk", f"OPTIONS * HTTP/1.1\r\nhost: x\r\n{_A}\r\n", 404, "NOT_FOUND"),
)
"""Bytes of HTTP/1.1 that no client library writes: name, bytes, status, error_code."""
