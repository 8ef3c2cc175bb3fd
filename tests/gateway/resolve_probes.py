"""Requests to resolve identifiers, and what must come back: bodies of every kind."""

from __future__ import annotations

import json
from dataclasses import replace

from fakes import GROUP, JOAO, JOAO_LID, MARIA

from .probes import AUTH, INVALID, JSON, Probe, resolve

_MARIA_JID = f"{MARIA}@s.whatsapp.net"
_ONE = f'"jids": ["{MARIA}"]'
_TARGET = "/contacts/resolve"

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


def documented() -> list[Probe]:
    """The documented example."""
    body = {"jids": [MARIA, f"{JOAO_LID}@lid", ""], "group_jid": GROUP}
    return [replace(resolve("documented", json.dumps(body)), answer=_RESOLVED)]


def taken() -> list[Probe]:
    """Bodies that are taken, leniently."""
    return [
        resolve("one", f"{{{_ONE}}}"),
        resolve("camel case", f'{{{_ONE}, "groupJid": "{GROUP}"}}'),
        resolve("160", json.dumps({"jids": [MARIA] * 160})),
        resolve("null beside one", f'{{"jids": ["{MARIA}", null]}}'),
        resolve("null group", f'{{{_ONE}, "group_jid": null}}'),
        resolve("text for a list", f'{{"jids": "{MARIA}"}}'),
        resolve("nested lists", f'{{"jids": [["{MARIA}"]]}}'),
        resolve("unknown field", f'{{{_ONE}, "colour": "red"}}'),
        resolve("list twice", f"{{{_ONE}, {_ONE}}}"),
        resolve("single quotes", f"{{'jids': ['{MARIA}']}}"),
        resolve("no quotes", f'{{jids: ["{MARIA}"]}}'),
        resolve("trailing comma", f"{{{_ONE},}}"),
        resolve("zero byte", '{"jids": ["\\u0000"]}'),
        resolve("a pair of surrogates", '{"jids": ["\\ud83d\\ude00"]}'),
        resolve("flag as a text", f'{{{_ONE}, "dry_run": "true"}}'),
        resolve("60 kB", json.dumps({"jids": ["a" * 60_000]})),
        Probe("resolve: by query", f"{_TARGET}?jids={MARIA}&jids={JOAO}", method="POST"),
        Probe(
            "resolve: list in both places",
            f"{_TARGET}?jids={JOAO}",
            method="POST",
            headers=AUTH + JSON,
            body=f"{{{_ONE}}}".encode(),
        ),
    ]


def refused_by_service() -> list[Probe]:
    """Bodies that the service refuses."""
    long = "x" * 50_000
    return [
        resolve("161", json.dumps({"jids": [MARIA] * 161}), *INVALID, "jids"),
        resolve("none", '{"jids": []}', *INVALID, "jids"),
        resolve("empty object", "{}", *INVALID, "jids"),
        resolve("empty body", "", *INVALID, "jids"),
        resolve("only null", '{"jids": [null]}', *INVALID, "jids"),
        resolve("bad group", f'{{{_ONE}, "group_jid": "x"}}', *INVALID, "group_jid", "x"),
        resolve(
            "long group",
            f'{{{_ONE}, "group_jid": "{long}"}}',
            *(*INVALID, "group_jid", "x" * 200 + "…"),
        ),
        resolve("bad view", f'{{{_ONE}, "view": "x"}}', *INVALID, "view", "x"),
    ]


def no_json() -> list[Probe]:
    """Bodies that are no JSON: what stands where it ends is told."""
    bodies: tuple[tuple[str, str | bytes, str], ...] = (
        ("cut", '{"jids": [', ""),
        ("a form", f"jids={MARIA}", f"jids={MARIA}"),
        ("XML", "<jids/>", "<jids/>"),
        ("two texts", '{"jids": ["a" "b"]}', '{"jids": ["a" "b"]}'),
        ("bad escape", '{"jids": ["\\u12"]}', '{"jids": ["\\u12"]}'),
        ("not a number", '{"jids": NaN}', "NaN}"),
        ("another object", "{}{}", "{}{}"),
        ("lone surrogate", '{"jids": ["\\ud800"]}', '\\ud800"]}'),
        ("no UTF-8", b'{"jids": ["\xff"]}', '\ufffd"]}'),
        ("byte order mark", b"\xef\xbb\xbf{}", "\ufeff{}"),
        ("gzip", b"\x1f\x8b\x08\x00\x00", "\x1f\ufffd\x08\0\0"),
    )
    return [resolve(name, body, *INVALID, "body", value) for name, body, value in bodies]


def wrong_types() -> list[Probe]:
    """Bodies that are JSON of the wrong shape."""
    return [
        resolve("array", f'["{MARIA}"]', *INVALID, "body", ""),
        resolve("null", "null", *INVALID, "body", ""),
        resolve("number", "5", *INVALID, "body", ""),
        resolve("text", '"x"', *INVALID, "body", ""),
        resolve("deep", '{"x":' * 2000 + "1" + "}" * 2000, *INVALID, "body", ""),
        resolve("numbers in the list", '{"jids": [551]}', *INVALID, "jids", "551"),
        resolve("later in the list", '{"jids": ["1", true]}', *INVALID, "jids", "true"),
        resolve("object in the list", '{"jids": [{}]}', *INVALID, "jids", ""),
        resolve("object for a list", '{"jids": {"a": 1}}', *INVALID, "jids", ""),
        resolve("object for a text", f'{{{_ONE}, "view": {{}}}}', *INVALID, "view", ""),
        resolve("list for a text", f'{{{_ONE}, "view": ["x"]}}', *INVALID, "body", ""),
        resolve("number for a text", f'{{{_ONE}, "view": -1}}', *INVALID, "view", "-1"),
        resolve("flag for a text", f'{{{_ONE}, "view": false}}', *INVALID, "view", "false"),
        resolve("number for a flag", f'{{{_ONE}, "dry_run": 1}}', *INVALID, "dry_run", "1"),
        resolve(
            "text for a flag",
            f'{{{_ONE}, "dry_run": "a\\n\\"b\\u0000"}}',
            *(*INVALID, "dry_run", 'a\n"b\0'),
        ),
        resolve(
            "long text for a flag",
            f'{{{_ONE}, "dry_run": "{"ç" * 20_000}"}}',
            *(*INVALID, "dry_run", "ç" * 200 + "…"),
        ),
        resolve("text twice", f'{{{_ONE}, "view": "a", "view": "b"}}', *INVALID, "view", ""),
        Probe(
            "resolve: body and query differ",
            f"{_TARGET}?group_jid={GROUP}",
            *INVALID,
            "POST",
            AUTH + JSON,
            f'{{{_ONE}, "group_jid": "1-1@g.us"}}'.encode(),
            invalid="group_jid",
            value=GROUP,
        ),
        Probe(
            "resolve: twice in the query",
            f"{_TARGET}?jids={MARIA}&view=BASIC&view=FULL",
            *(*INVALID, "POST"),
            invalid="view",
            value="FULL",
        ),
    ]


def large() -> list[Probe]:
    """Bodies beyond 64 KiB; over HTTP/2 the client may still send when the answer has come."""
    too_large = (413, "PAYLOAD_TOO_LARGE")
    return [
        replace(
            resolve(f"{size // 1000} kB", json.dumps({"jids": ["a" * size]}), *too_large),
            http2=False,
        )
        for size in (70_000, 3_000_000)
    ]


def content_types() -> list[Probe]:
    """Whatever a POST says that it is, it is taken for JSON, unless it is gRPC."""
    kinds: tuple[str, ...] = (
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "x",
        "",
    )
    kinds += ("multipart/form-data; boundary=x", "application/json; charset=latin-1")
    body = f"{{{_ONE}}}".encode()
    typed = [
        Probe(
            f"resolve: content-type {kind}",
            _TARGET,
            method="POST",
            headers=(*AUTH, ("content-type", kind)),
            body=body,
        )
        for kind in kinds
    ]
    encoded = (*AUTH, *JSON, ("content-encoding", "gzip"))
    return [
        *typed,
        Probe("resolve: no content-type", _TARGET, method="POST", body=body),
        Probe("resolve: called gzip", _TARGET, method="POST", headers=encoded, body=body),
        Probe(
            "resolve: JSON on the gRPC path",
            "/wuts.contacts.v1.ContactsService/ResolveIdentifiers",
            *(404, "NOT_FOUND", "POST"),
            headers=AUTH + JSON,
            body=body,
        ),
    ]


RESOLVE_PROBES = [
    *(documented() + taken() + refused_by_service() + no_json() + wrong_types()),
    *(large() + content_types()),
]
"""Every row, in no order that matters."""
