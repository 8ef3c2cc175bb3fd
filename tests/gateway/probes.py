"""How a request to the gateway, and what must come back, are written down."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from . import world

if TYPE_CHECKING:
    from collections.abc import Mapping

Headers = tuple[tuple[str, str], ...]

AUTH: Headers = (("authorization", f"Bearer {world.DEMO}"),)
JSON: Headers = (("content-type", "application/json"),)
INVALID = (400, "VALIDATION_ERROR")


@dataclass(frozen=True)
class Probe:
    """One request and the reply it must have.

    `code` is the error_code of a failure; empty for a success. `answer` is the
    whole JSON body, where it matters. `invalid` is the field that `validation`
    names; empty means that there is no `validation`. `value` is the rejected
    value in it, where it matters. Of `reply_headers`, None means absent.
    `media` is the content type of a success.
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
    reply_headers: Mapping[str, str | None] = field(default_factory=dict)
    http2: bool = True
    value: str | None = None
    media: str = "application/json"


def picture(
    name: str,
    query: str,
    status: int = 200,
    code: str = "",
    invalid: str = "",
    value: str | None = None,
) -> Probe:
    """Asks for a picture."""
    target = f"/contacts/profile-picture?{query}"
    return Probe(f"picture: {name}", target, status, code, invalid=invalid, value=value)


def resolve(
    name: str,
    body: str | bytes,
    status: int = 200,
    code: str = "",
    invalid: str = "",
    value: str | None = None,
) -> Probe:
    """Asks to resolve what the body says."""
    content = body.encode() if isinstance(body, str) else body
    return Probe(
        f"resolve: {name}",
        "/contacts/resolve",
        status,
        code,
        "POST",
        AUTH + JSON,
        content,
        invalid=invalid,
        value=value,
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
