"""Paths, methods and headers of the contacts section, and what must come back."""

from __future__ import annotations

from . import world
from .probes import AUTH, INVALID, Headers, Probe, nowhere, picture, wrong_method

_PICTURE, _RESOLVE = "/contacts/profile-picture", "/contacts/resolve"
_ID = "0f8fad5b-d9cb-469f-a165-70867728950e"


def paths() -> list[Probe]:
    """Paths that are the same, that do not exist, and that are none."""
    same = ("//contacts", "/./contacts", "/x/../contacts", "/../contacts", "/%63ontacts")
    none: tuple[str, ...] = ("/", "/x", "/contactsx", "/Contacts", "/contacts/")
    none += ("/contacts/profile-picture/", "/contacts/resolve/", "/contacts/x")
    none += ("/contacts/resolve/x", "/contacts;a=b", "/contacts:resolve", "/metrics", "/admin")
    none += ("/wuts.contacts.v1.ContactsService/ListContacts", "/grpc.health.v1.Health/Check")
    none += ("/wuts.gateway.v1.TokenService/CheckToken",)
    bad = ("/contacts%2Fresolve", "/contacts%5Cresolve", "/contacts%00", "/contacts#x")
    broken = ("/contacts/%FF", "/contacts/%zz")
    return [
        *(Probe(f"path: {path}", path) for path in same),
        *(nowhere(path) for path in none),
        *(Probe(f"path: {path}", path, *INVALID) for path in bad),
        *(Probe(f"path: {p}", p, *INVALID, invalid="path", value=p) for p in broken),
    ]


def methods() -> list[Probe]:
    """Methods that a path has not; HEAD is there wherever GET is."""
    changing = ("POST", "PUT", "PATCH", "DELETE", "OPTIONS")
    return [
        *(wrong_method(method, "/contacts", "GET, HEAD") for method in changing),
        *(wrong_method(method, _PICTURE, "GET, HEAD") for method in changing),
        *(wrong_method(method, _RESOLVE, "POST") for method in ("GET", "HEAD", *changing[1:])),
        Probe("method: HEAD /contacts", "/contacts", method="HEAD"),
        Probe("method: HEAD picture", f"{_PICTURE}?number=5511999999999", method="HEAD"),
        Probe("method: HEAD with a bad value", "/contacts?page_size=0", *INVALID, "HEAD"),
        Probe("method: HEAD with a bad parameter", "/contacts?x=1", *INVALID, "HEAD"),
        Probe("method: HEAD nowhere", "/contacts/x", 404, "NOT_FOUND", "HEAD"),
        Probe("method: HEAD without a token", "/contacts", 401, "UNAUTHORIZED", "HEAD", ()),
    ]


def _with(name: str, value: str, *, http2: bool = True) -> Probe:
    headers = (*AUTH, (name, value))
    return Probe(f"header: {name}: {value[:20]}", "/contacts", headers=headers, http2=http2)


def headers() -> list[Probe]:
    """Headers that are of no effect here."""
    return [
        _with("x-envoy-original-path", "/elsewhere"),
        _with("x-envoy-original-method", "DELETE"),
        _with("x-envoy-upstream-rq-timeout-ms", "1"),
        _with("x-envoy-max-retries", "100"),
        _with("x-forwarded-for", "10.0.0.1"),
        _with("x-http-method-override", "DELETE"),
        _with("x-original-url", "/elsewhere"),
        _with("x-error-body", '{"success": true}'),
        _with("x-error-code", "OK"),
        _with("x-error-path", "/contacts"),
        _with("x-status", "304"),
        _with("grpc-encoding", "gzip"),
        _with("grpc-accept-encoding", "gzip, deflate"),
        _with("grpc-status", "5"),
        _with("x-trace-bin", "no base64!"),
        _with("x_underscore", "1"),
        _with("x-latin", "\xe7\xff", http2=False),
        _with("x-7000", "a" * 7000),
        _with("content-type", "text/html"),
        _with("accept", "text/html"),
        _with("accept-encoding", "gzip, br"),
        _with("te", "trailers"),
        _with("range", "bytes=0-10"),
        _with("origin", "https://elsewhere.example"),
    ]


def sizes() -> list[Probe]:
    """Headers and targets that are too long, or too many."""
    too_large = (431, "VALIDATION_ERROR")
    big = (*AUTH, ("x-big", "a" * 9000))
    many = AUTH + tuple((f"x-{n}", "1") for n in range(70))
    return [
        Probe("header: 9 kB", "/contacts", *too_large, headers=big, http2=False),
        Probe("header: 70 of them", "/contacts", *too_large, headers=many, http2=False),
        Probe("url: 9 kB", f"/{'a' * 9000}", *too_large, http2=False),
        Probe("url: 70 kB", f"/contacts?x={'a' * 70_000}", *too_large, http2=False),
    ]


def deadlines() -> list[Probe]:
    """`grpc-timeout` counts for JSON callers, too; what is none is refused."""
    good = ("10S", "1M", "99999999u", "20000m", "1H")
    bad = ("never", "1", "S", "-1S", "1.5S", "123456789S", "1 S", "1s", "0x1S", "1S1S", '1"S')

    def deadline(value: str) -> Headers:
        return (*AUTH, ("grpc-timeout", value))

    silent = picture("silent, with a deadline", f"jid={world.SILENT}").target
    return [
        *(Probe(f"deadline: {text}", "/contacts", headers=deadline(text)) for text in good),
        *(
            Probe(
                f"deadline: {text}",
                "/contacts",
                *INVALID,
                headers=deadline(text),
                invalid="grpc-timeout",
                value=text,
            )
            for text in bad
        ),
        Probe("deadline: over", silent, 504, "TIMEOUT", headers=deadline("50m")),
    ]


def request_ids() -> list[Probe]:
    """A UUID of the caller's comes back; anything else is replaced."""
    kept = (_ID, _ID.upper(), "00000000-0000-0000-0000-000000000000")
    return [
        Probe(
            f"request id: {text}",
            "/contacts?colour=red",
            *INVALID,
            headers=(*AUTH, ("x-request-id", text)),
            invalid="colour",
            reply_headers={"x-request-id": text},
        )
        for text in kept
    ]


ENTRY_PROBES = [
    *(paths() + methods() + headers() + sizes() + deadlines() + request_ids()),
]
"""Every row, in no order that matters."""
