"""Requests to make, list and remove devices, and what must come back; all rows together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import path_probes, session_probes, world
from .device_asking import (
    FORBIDDEN,
    NOT_FOUND,
    ask,
    delete,
    device_of,
    keepers,
    listing,
    post,
)
from .probes import INVALID

if TYPE_CHECKING:
    from .probes import Probe


def created() -> list[Probe]:
    """Devices are made."""
    made: dict[str, object] = {"success": True, "device": device_of(world.MADE, "maker")}
    named = made | {"device": device_of(world.MADE, "maker") | {"name": "Front desk ☃"}}

    def create(name: str, body: object, status: int = 200, code: str = "", **more: Any) -> Probe:
        more.setdefault("invalid", "name" if status == 400 else "")
        return post(name, "/devices", status, code, body=body, token=world.MAKER, **more)

    return [
        create("as documented", {"name": f"The {world.MADE} one"}, answer=made),
        create("snowman", {"name": "Front desk ☃"}, answer=named),
        create("surrounding spaces", {"name": "  Front desk ☃ "}, answer=named),
        create("100 characters", {"name": "ç" * 100}),
        create("joined smileys, Persian", {"name": "👨\u200d👩\u200d👧 می\u200cرم"}),
        create("101 characters", {"name": "ç" * 101}, *INVALID),
        create("empty", {"name": ""}, *INVALID),
        create("spaces", {"name": "   "}, *INVALID),
        create("line break", {"name": "a\nb"}, *INVALID),
        create("zero byte", {"name": "a\0b"}, *INVALID),
        create("right-to-left override", {"name": "a\u202eb"}, *INVALID),
        create("no name", {}, *INVALID),
        create("no body", None, *INVALID),
        create("null", {"name": None}, *INVALID),
        create("number", {"name": 1}, *INVALID, value="1"),
        create("list", [1], *INVALID, invalid="body"),
        create("no JSON", "name=x", *INVALID, invalid="body", value="name=x"),
        create("cut", '{"name": ', *INVALID, invalid="body"),
        post("by query", "/devices?name=x", token=world.MAKER),
        post("bound token", "/devices", *FORBIDDEN, body={"name": "x"}, token=world.BOUND),
        post(
            "unknown parameter",
            "/devices?colour=red",
            *INVALID,
            body={"name": "x"},
            invalid="colour",
            value="red",
        ),
    ]


def listed() -> list[Probe]:
    """Devices are listed, for every role."""
    own = [str(device["id"]) for device in keepers()]
    everybody = listing(*own, world.MANAGED)
    none: dict[str, object] = {"success": True, "devices": []}
    return [
        ask("own", "/devices", answer=listing(*own)),
        ask("a manager sees the tenant", "/devices", token=world.MANAGER, answer=everybody),
        ask("an admin sees the tenant", "/devices", token=world.ADMIN, answer=everybody),
        ask("bound", "/devices", token=world.BOUND, answer=listing(world.LINKED)),
        ask("nothing", "/devices", token=world.NO_DEVICE, answer=none),
        ask("unknown parameter", "/devices?page_size=1", *INVALID, invalid="page_size", value="1"),
    ]


def removed() -> list[Probe]:
    """Devices are disconnected and removed."""
    off = {"success": True, "message": "device disconnected"}
    path, purge = f"/devices/{world.LINKED}", f"/devices/{world.LINKED}?purge=true"
    gone = {"success": True, "message": "device logged out and removed"}
    left = {"success": True, "message": "device removed; WhatsApp was not told"}
    return [
        delete("disconnects", path, answer=off),
        delete("no purge", f"{path}?purge=false", answer=off),
        delete("a manager disconnects another's", path, token=world.MANAGER, answer=off),
        delete("purge", purge, answer=gone),
        delete("an admin purges another's", purge, token=world.ADMIN, answer=gone),
        delete("never linked", f"/devices/{world.NEW}?purge=1", answer=left),
        delete("a manager may not purge another's", purge, *FORBIDDEN, token=world.MANAGER),
        delete("purge is no flag", f"{path}?purge=maybe", *INVALID, invalid="purge", value="maybe"),
        delete("purge twice", f"{path}?purge=1&purge=0", *INVALID, invalid="purge", value="0"),
        delete("purge without a value", f"{path}?purge", *INVALID, invalid="purge", value=""),
        delete(
            "an id by query", f"{path}?device_id=new", *INVALID, invalid="device_id", value="new"
        ),
        delete("an id by query", f"{path}?deviceId=new", *INVALID, invalid="deviceId", value="new"),
        delete(
            "an escaped name by query",
            f"{path}?purge=1&device%5Fid=new",
            *INVALID,
            invalid="device%5Fid",
            value="new",
        ),
        delete(
            "an id in the body",
            path,
            *INVALID,
            body={"device_id": world.MANAGED},
            invalid="device_id",
            value=world.LINKED,
        ),
        delete("an empty query", f"{path}?", answer=off),
        delete("unknown parameter", f"{path}?force=true", *INVALID, invalid="force", value="true"),
    ]


_FORGED = (
    ("another tenant's", world.FOREIGN, world.KEEPER),
    ("another tenant's, as admin", world.FOREIGN, world.ADMIN),
    ("another user's", world.MANAGED, world.KEEPER),
    ("not the bound one", world.NEW, world.BOUND),
    ("nobody's", "9b2f6c0e-1f5b-4a53-9d3e-0d6f6a0c8a11", world.KEEPER),
    ("percent sign", "%25", world.KEEPER),
    ("SQL", "x%27%20OR%201=1--", world.KEEPER),
    ("zero byte", "linked%00", world.KEEPER),
    ("other case", "LINKED", world.KEEPER),
    ("long", "a" * 2000, world.KEEPER),
    ("snowman", "%E2%98%83", world.KEEPER),
)


def forged() -> list[Probe]:
    """Ids of devices that do not exist for the caller."""
    found = []
    for name, device, token in _FORGED:
        query = f"device_id={device}"
        found += [ask(name, f"{path}?{query}", *NOT_FOUND, token=token) for path in _ASKED]
        found += [post(name, f"{path}?{query}", *NOT_FOUND, token=token) for path in _CHANGED]
        pair = f"/paircode?{query}&phone=5511999999999"
        found.append(post(name, pair, *NOT_FOUND, token=token))
        if "%00" not in device:  # Envoy itself refuses it in a path
            path = f"/devices/{device}"
            found.append(delete(name, path, *NOT_FOUND, token=token))
            found.append(delete(name, f"{path}?purge=true", *NOT_FOUND, token=token))
    return found


_ASKED = ("/qr", "/qr/status", "/status")
_CHANGED = ("/connect", "/disconnect", "/logout")


DEVICE_PROBES = [
    *(created() + listed() + removed() + forged()),
    *(session_probes.statuses() + session_probes.codes() + session_probes.pair_codes()),
    *session_probes.connections(),
    *(path_probes.methods() + path_probes.paths() + path_probes.tokens()),
]
"""Every row, in no order that matters."""
