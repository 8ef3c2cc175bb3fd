"""Requests with and without a token that counts, and what must come back."""

from __future__ import annotations

from dataclasses import replace

from . import world
from .probes import INVALID, JSON, Headers, Probe, accepted, refused

_REFUSED = (401, "UNAUTHORIZED")
_CHALLENGE = {"www-authenticate": "Bearer", "allow": None}
_UNKNOWN: Headers = (("authorization", f"Bearer {world.UNKNOWN}"),)
_RESOLVE = "/contacts/resolve"


def spellings() -> list[Probe]:
    """Tokens as they may be written, and as they may not."""
    token, bearer = world.DEMO, f"Bearer {world.DEMO}"
    return [
        accepted("bare", token),
        accepted("lower-case scheme", f"bearer {token}"),
        accepted("upper case, many spaces", f"BEARER    {token.upper()}"),
        accepted("mixed case", f"bEaReR {token[:18].upper()}{token[18:]}"),
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
        refused("scheme twice", f"Bearer Bearer {token}"),
        refused("a tab for a space", f"Bearer\t{token}"),
        refused("twice", bearer, bearer),
        refused("two in one", f"{bearer}, {bearer}"),
        refused("a good one and a bad one", bearer, "x"),
    ]


def places() -> list[Probe]:
    """A token counts in one place only."""
    token = world.DEMO
    cookie = (("cookie", f"token={token}; authorization={token}"),)
    proxy = (("proxy-authorization", f"Bearer {token}"),)
    return [
        refused("in the query", target=f"/contacts?token={token}&authorization={token}"),
        Probe("token: in a cookie", "/contacts", *_REFUSED, headers=cookie),
        Probe("token: for a proxy", "/contacts", *_REFUSED, headers=proxy),
        Probe("token: in a form", _RESOLVE, *_REFUSED, "POST", (), b"token=x"),
        Probe(
            "token: query is no second place",
            f"/contacts?token={token}",
            *INVALID,
            invalid="token",
            value=token,
        ),
    ]


def missing() -> list[Probe]:
    """Without a token nothing else is looked at."""
    malformed = Probe("token: none, and no JSON", _RESOLVE, *_REFUSED, "POST", JSON, b"{")
    return [
        refused("none, and an unknown parameter", target="/contacts?colour=red"),
        refused("none, and a bad escape", target="/contacts?view=%FF"),
        refused("none, on a path below", target="/contacts/elsewhere"),
        refused("none, and an encoded slash", target="/contacts%2Fresolve"),
        replace(malformed, reply_headers=_CHALLENGE),
    ]


def unknown() -> list[Probe]:
    """A token that nobody holds is 401, whatever else is wrong."""
    bad = (
        ("GET", "/contacts?colour=red"),
        ("GET", "/contacts?view=%FF"),
        ("GET", "/contacts?page_size=one"),
        ("GET", "/contacts/"),
        ("GET", "/contacts/elsewhere"),
        ("GET", "/contacts%2Fresolve"),
        ("GET", "/contacts/profile-picture?preview=maybe"),
        ("GET", "/contacts/profile-picture?jid=1&jid=2"),
        ("GET", "/status?device_id=1&device_id=2"),
        ("GET", "/qr?refresh="),
        ("GET", "/devices?x=1"),
        ("DELETE", "/devices/x?device_id=y"),
        ("DELETE", "/devices/x?purge=maybe"),
        ("PUT", "/contacts"),
        ("GET", _RESOLVE),
        ("POST", "/connect?colour=red"),
    )
    bodies = (b"{", b"[]", b'{"jids": 1}', b"\xff", b"\xef\xbb\xbf{}")
    timeout = (*_UNKNOWN, ("grpc-timeout", "never"))
    found = [
        *(Probe(f"unknown token: {m} {t}", t, *_REFUSED, m, _UNKNOWN) for m, t in bad),
        *(
            Probe(f"unknown token: {body!r}", _RESOLVE, *_REFUSED, "POST", _UNKNOWN + JSON, body)
            for body in bodies
        ),
        Probe("unknown token: bad deadline", "/contacts", *_REFUSED, headers=timeout),
        Probe("unknown token: HEAD", "/contacts?colour=red", *_REFUSED, "HEAD", _UNKNOWN),
        Probe(
            "unknown token: 100 kB",
            _RESOLVE,
            *(*_REFUSED, "POST", _UNKNOWN + JSON, b"a" * 100_000),
            http2=False,
        ),
    ]
    return [replace(probe, reply_headers=_CHALLENGE) for probe in found]


def known() -> list[Probe]:
    """A token of somebody without a device is good enough to be told what is wrong."""
    headers: Headers = (("authorization", world.NO_DEVICE),)
    return [
        Probe(
            "known token: /contacts?x=1", "/contacts?x=1", *INVALID, headers=headers, invalid="x"
        ),
        Probe("known token: /contacts/x", "/contacts/x", 404, "NOT_FOUND", headers=headers),
    ]


TOKEN_PROBES = [*(spellings() + places() + missing() + unknown() + known())]
"""Every row, in no order that matters."""
