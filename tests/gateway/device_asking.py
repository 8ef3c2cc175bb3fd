"""How requests about devices are written, and what the keeper's devices look like."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from fakes import OWN

from . import world
from .probes import JSON, Headers, Probe

if TYPE_CHECKING:
    from collections.abc import Mapping

NOT_FOUND = (404, "NOT_FOUND")
NOT_READY = (503, "DEVICE_NOT_READY")
FORBIDDEN = (403, "FORBIDDEN")
SINCE, LATER = "2026-01-02T03:04:05Z", "2026-01-02T03:05:05Z"
CREATED = "2026-06-15T13:45:02Z"
CODE = "2@invented"


def ask(
    name: str,
    target: str,
    status: int = 200,
    code: str = "",
    *,
    method: str = "GET",
    token: str = world.KEEPER,
    body: object = None,
    answer: Mapping[str, object] | None = None,
    invalid: str = "",
    value: str | None = None,
    reply_headers: Mapping[str, str | None] | None = None,
) -> Probe:
    """Asks as the keeper, unless as somebody else; a text or bytes for a body goes out as it is."""
    headers: Headers = (("authorization", f"Bearer {token}"),)
    if body is not None:
        headers += JSON
    return Probe(
        f"{method} {target}: {name}",
        target,
        status,
        code,
        method,
        headers,
        _encoded(body),
        answer,
        invalid,
        reply_headers or {},
        value=value,
    )


def post(name: str, target: str, status: int = 200, code: str = "", **more: Any) -> Probe:
    """Asks by POST."""
    return ask(name, target, status, code, method="POST", **more)


def delete(name: str, target: str, status: int = 200, code: str = "", **more: Any) -> Probe:
    """Asks by DELETE."""
    return ask(name, target, status, code, method="DELETE", **more)


def _encoded(body: object) -> bytes:
    if body is None or isinstance(body, bytes):
        return body or b""
    return (body if isinstance(body, str) else json.dumps(body)).encode()


def data_of(**data: object) -> dict[str, object]:
    """Writes a reply with `data`."""
    return {"success": True, "data": data}


def device_of(name: str, user: str = "keeper", /, **more: object) -> dict[str, object]:
    """Writes one device of a list."""
    return {
        "id": name,
        "user_id": user,
        "name": f"The {name} one",
        "connected": False,
        "created_at": CREATED,
        "updated_at": CREATED,
        **more,
    }


def keepers() -> list[dict[str, object]]:
    """Writes the keeper's devices, in the order of their making."""
    linked: dict[str, object] = {"whatsapp_jid": f"{OWN}@s.whatsapp.net"}
    up = linked | {"connected": True, "last_seen": SINCE}
    return [
        *(device_of(name, **up) for name in (world.LINKED, world.SYNCING)),
        *(device_of(name, **linked) for name in (world.OFF, world.RETRYING, world.BANNED)),
        *(device_of(name) for name in (world.NEW, world.MUTE, world.LOST)),
    ]


def listing(*ids: str) -> dict[str, object]:
    """Writes the list of these devices."""
    managed = device_of(world.MANAGED, "manager", connected=True, last_seen=SINCE)
    devices = {device["id"]: device for device in (*keepers(), managed)}
    return {"success": True, "devices": [devices[name] for name in ids]}
