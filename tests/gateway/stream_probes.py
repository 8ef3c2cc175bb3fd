"""Requests for the stream of contacts that end soon, and what must come back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from . import world
from .contact_probes import CONTACTS
from .probes import AUTH, INVALID, Headers, Probe, refused, wrong_method

PATH = "/contacts/stream"
LINES = "application/x-ndjson"


def _stream(query: str, status: int = 200, code: str = "", **more: Any) -> Probe:
    target = f"{PATH}?{query}" if query else PATH
    media = LINES if status == 200 else ""
    return Probe(f"stream: {query or 'all'}", target, status, code, media=media, **more)


def _as(token: str, name: str, status: int = 200, code: str = "", **more: Any) -> Probe:
    headers: Headers = (("authorization", token),)
    return replace(_stream("", status, code, headers=headers, **more), name=f"stream: {name}")


def streams() -> list[Probe]:
    """Streams of one line, by their parameters; the line is what a list is."""

    def invalid(query: str, field: str, value: str) -> Probe:
        return _stream(query, *INVALID, invalid=field, value=value)

    return [
        _stream("", answer=CONTACTS, reply_headers={"etag": None, "content-length": None}),
        _stream("view=BASIC&page_size=5000&page_token=", answer=CONTACTS),
        _stream("view=FULL"),
        _stream("pageSize=2", answer=CONTACTS),
        _stream("view="),
        invalid("view=full", "view", "full"),
        invalid("page_size=0", "page_size", "0"),
        invalid("page_size=5001", "page_size", "5001"),
        invalid("page_size=one", "page_size", "one"),
        invalid("page_size=", "page_size", ""),
        invalid("page_size=1&page_size=2", "page_size", "2"),
        invalid("page_token=forged", "page_token", "forged"),
        invalid("colour=red", "colour", "red"),
        invalid("page_token=%FF", "page_token", "%FF"),
        replace(_stream(""), name="stream: %73tream", target="/contacts/%73tream"),
        replace(_stream("", 404, "NOT_FOUND"), name="stream: slash", target=f"{PATH}/"),
        replace(_stream("", 404, "NOT_FOUND"), name="stream: below", target=f"{PATH}/x"),
    ]


def devices() -> list[Probe]:
    """Streams of devices that have nothing, or cannot be read: told before the first line."""
    nobody = {"success": True, "count": 0, "contacts": []}
    return [
        _as(world.EMPTY, "of nobody", answer=nobody),
        _as(world.NO_DEVICE, "without a device", 503, "DEVICE_NOT_READY"),
        _as(world.SEVERAL, "with two devices", 409, "DEVICE_NOT_CHOSEN"),
        _as(world.BROKEN, "of a broken store", 503, "STORE_UNAVAILABLE"),
        _as(world.UNKNOWN, "of an unknown token", 401, "UNAUTHORIZED"),
        refused("none, stream", target=f"{PATH}?page_size=0"),
        replace(
            _stream(
                "page_size=0", 401, "UNAUTHORIZED", headers=(("authorization", world.UNKNOWN),)
            ),
            name="stream: an unknown token and a bad size",
        ),
    ]


def methods() -> list[Probe]:
    """Methods that the path has not; HEAD is GET without the lines, however many."""
    others = ("POST", "PUT", "PATCH", "DELETE", "OPTIONS")
    endless: Headers = (("authorization", world.ENDLESS),)
    head = {"content-type": LINES, "content-length": None}
    return [
        *(wrong_method(method, PATH, "GET, HEAD") for method in others),
        replace(_stream("", method="HEAD", headers=AUTH, reply_headers=head), name="stream: HEAD"),
        replace(
            _stream("", method="HEAD", headers=endless, reply_headers=head),
            name="stream: HEAD of an endless one",
        ),
        replace(_stream("page_size=0", *INVALID, method="HEAD"), name="stream: HEAD, bad size"),
    ]


STREAM_PROBES = [*streams(), *devices(), *methods()]
"""Every row, in no order that matters."""
