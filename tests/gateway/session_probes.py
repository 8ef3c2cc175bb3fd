"""Requests about states, codes and connections of devices, and what must come back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fakes import OWN
from wuts.rpc.qr_image import drawn

from . import world
from .device_asking import CODE, LATER, NOT_READY, SINCE, ask, data_of, post
from .probes import INVALID

if TYPE_CHECKING:
    from .probes import Probe


def statuses() -> list[Probe]:
    """Every state is told."""

    def status(device: str, state: str, **more: object) -> Probe:
        whole = {"connected": False, "status": state, "device_id": device, "is_logged_in": False}
        answer = data_of(**{**whole, "since": SINCE, **more})
        return ask(state, f"/status?device_id={device}", answer=answer)

    account = {"jid": f"{OWN}@s.whatsapp.net", "phone_number": OWN, "is_logged_in": True}
    up = {**account, "connected": True, "last_seen": SINCE}
    nothing = data_of(connected=False, status="new", device_id="", is_logged_in=False)
    path = "/status?device_id="
    return [
        status(world.LINKED, "connected", **up),
        status(world.SYNCING, "syncing", **up),
        status(world.OFF, "disconnected", **account, reason="DISCONNECTED_BY_REQUEST"),
        status(
            world.RETRYING,
            "reconnecting",
            **account,
            reason="CONNECTION_LOST",
            next_retry_at=LATER,
        ),
        status(world.BANNED, "banned", **account, reason="BANNED", banned_until=LATER),
        status(world.NEW, "new"),
        status(world.LOST, "logged_out", reason="REMOVED_FROM_PHONE"),
        ask("without any device", "/status", token=world.NO_DEVICE, answer=nothing),
        ask("the only one", "/status", token=world.MANAGER),
        ask("the bound one", "/status", token=world.BOUND),
        ask("several", "/status", 409, "DEVICE_NOT_CHOSEN"),
        ask("empty is absent", path, 409, "DEVICE_NOT_CHOSEN"),
        ask("camel case", f"/status?deviceId={world.NEW}"),
        ask("a manager asks for another's", f"{path}{world.NEW}", token=world.MANAGER),
        ask("an admin asks for another's", f"{path}{world.NEW}", token=world.ADMIN),
        ask(
            "twice",
            f"{path}{world.NEW}&device_id={world.LOST}",
            *INVALID,
            invalid="device_id",
            value=world.LOST,
        ),
        ask("unknown parameter", "/status?colour=red", *INVALID, invalid="colour", value="red"),
    ]


def codes() -> list[Probe]:
    """QR codes are given and refused."""

    def qr(query: str, *, cached: bool) -> Probe:
        data = {"qr_code": CODE, "image": drawn(CODE), "cached": cached, "ttl": 60}
        answer = data_of(**data, expires_at="2126-01-02T03:05:05Z")
        return ask("as documented", f"/qr?device_id={world.NEW}{query}", answer=answer)

    def refused(name: str, target: str, code: tuple[int, str], invalid: str = "") -> Probe:
        return ask(name, target, *code, invalid=invalid)

    path = f"/qr?device_id={world.NEW}"
    fresh: tuple[str, ...] = (
        "&reuse_cache=false",
        "&reuse=0",
        "&use_cache=false",
        "&cached=no",
        "&refresh=true",
    )
    fresh += ("&force_refresh=1", "&force_new=true", "&reuse_cache=true&refresh=true")
    fresh += ("&reuse=false&cached=false", "&reuseCache=false")
    status = f"/qr/status?device_id={world.NEW}"
    generated = data_of(exists=True, generated_at="2126-01-02T03:04:05Z")
    return [
        qr("", cached=True),
        qr("&reuse_cache=true&refresh=false", cached=True),
        *(qr(query, cached=False) for query in fresh),
        refused("contradiction", f"{path}&reuse_cache=true&cached=false", INVALID, "cached"),
        refused("contradiction", f"{path}&refresh=1&force_new=0", INVALID, "force_new"),
        refused("no flag", f"{path}&refresh=maybe", INVALID, "refresh"),
        refused("empty flag", f"{path}&refresh=", INVALID, "refresh"),
        refused("linked", f"/qr?device_id={world.LINKED}", INVALID, "device_id"),
        refused("disconnected", f"/qr?device_id={world.OFF}", INVALID, "device_id"),
        refused("no code in time", f"/qr?device_id={world.MUTE}", (504, "QR_TIMEOUT")),
        refused("several", "/qr", (409, "DEVICE_NOT_CHOSEN")),
        ask("logged out", f"/qr?device_id={world.LOST}"),
        ask("makes the first device", "/qr", token=world.MAKER),
        ask("there", status, answer=generated),
        ask("none", f"/qr/status?device_id={world.MUTE}", answer=data_of(exists=False)),
        refused("no device id", "/qr/status", INVALID, "device_id"),
        refused("an empty device id", "/qr/status?device_id=", INVALID, "device_id"),
    ]


def pair_codes() -> list[Probe]:
    """Pair codes are given and refused."""
    phone, device = "5511999999999", {"device_id": world.NEW}
    instructions = (
        "On the phone: WhatsApp > Linked devices > Link a device >"
        " Link with phone number instead; then type the code."
    )
    data = {"code": "ABCD-1234", "phone": phone, "expires_in": 300, "instructions": instructions}
    both = {"phone": phone, **device}

    def code(name: str, body: object, *, cached: bool, query: str = "") -> Probe:
        return post(name, f"/paircode{query}", body=body, answer=data_of(**data, cached=cached))

    def refused(name: str, body: object, invalid: str, query: str = "") -> Probe:
        return post(name, f"/paircode{query}", *INVALID, body=body, invalid=invalid)

    return [
        code("as documented", {**both, "reuse_cache": True}, cached=True),
        code("plain", both, cached=True),
        code("spelled", {**both, "phone": "+55 (11) 99999-9999"}, cached=True),
        code("no cache", {**both, "reuse_cache": False}, cached=False),
        code("refresh by query", both, cached=False, query="?refresh=true"),
        code("alias by query", both, cached=False, query="?force_refresh=true"),
        code("other alias by query", both, cached=False, query="?force_new=1"),
        code("device by query", {"phone": phone}, cached=True, query=f"?device_id={world.NEW}"),
        refused("no phone", device, "phone"),
        refused("empty phone", {**device, "phone": ""}, "phone"),
        refused("short phone", {**device, "phone": "123"}, "phone"),
        refused("letters", {**device, "phone": "phone"}, "phone"),
        refused("a JID", {**device, "phone": f"{phone}@s.whatsapp.net"}, "phone"),
        refused("a number", {**device, "phone": 5511999999999}, "phone"),
        refused("contradiction", {**both, "refresh": True}, "refresh", "?refresh=false"),
        refused("linked", {**both, "device_id": world.LINKED}, "device_id"),
        refused("no body", None, "phone"),
        refused("no JSON", "{", "body"),
        post(
            "no code in time",
            "/paircode",
            504,
            "QR_TIMEOUT",
            body={**both, "device_id": world.MUTE},
        ),
        post("several", "/paircode", 409, "DEVICE_NOT_CHOSEN", body={"phone": phone}),
    ]


def connections() -> list[Probe]:
    """Devices are connected, disconnected and logged out."""

    def connect(device: str, told: str, *, needs_qr: bool = False) -> Probe:
        answer = data_of(status=told, device_id=device, needs_qr=needs_qr)
        return post(told, f"/connect?device_id={device}", answer=answer)

    query, body = f"device_id={world.LINKED}", {"device_id": world.LINKED}
    connected = data_of(status="connected", device_id=world.LINKED, needs_qr=False)
    off = data_of(message="device disconnected", device_id=world.LINKED)
    out = data_of(message="device logged out", device_id=world.LINKED)
    return [
        connect(world.LINKED, "connected"),
        connect(world.SYNCING, "connected"),
        connect(world.RETRYING, "connecting"),
        connect(world.NEW, "needs_qr", needs_qr=True),
        connect(world.LOST, "needs_qr", needs_qr=True),
        post("banned", f"/connect?device_id={world.BANNED}", *NOT_READY),
        post("by body", "/connect", body=body, answer=connected),
        post("by query and an empty body", f"/connect?{query}", body={}, answer=connected),
        post("the same twice", f"/connect?{query}", body=body, answer=connected),
        post(
            "two devices",
            f"/connect?{query}",
            *INVALID,
            body={"device_id": world.NEW},
            invalid="device_id",
            value=world.LINKED,
        ),
        post("the bound one", "/connect", token=world.BOUND, answer=connected),
        post("several", "/connect", 409, "DEVICE_NOT_CHOSEN"),
        post("none", "/connect", *NOT_READY, token=world.NO_DEVICE),
        post("no JSON", f"/connect?{query}", *INVALID, body="{", invalid="body"),
        post("unknown parameter", "/connect?colour=red", *INVALID, invalid="colour", value="red"),
        post("the bound one", "/disconnect", token=world.BOUND, answer=off),
        post("by query", f"/disconnect?{query}", answer=off),
        post("by body", "/disconnect", body=body, answer=off),
        post("never connected", f"/disconnect?device_id={world.NEW}"),
        post("several", "/disconnect", 409, "DEVICE_NOT_CHOSEN"),
        post("unknown parameter", "/disconnect?x=1", *INVALID, invalid="x", value="1"),
        post("no text", "/disconnect", *INVALID, body={"device_id": 1}, invalid="device_id"),
        post("the bound one", "/logout", token=world.BOUND, answer=out),
        post("by query", f"/logout?{query}", answer=out),
        post(
            "not connected",
            f"/logout?device_id={world.RETRYING}",
            *NOT_READY,
            reply_headers={"retry-after": "60"},
        ),
        post("never linked", f"/logout?device_id={world.NEW}", *NOT_READY),
        post("several", "/logout", 409, "DEVICE_NOT_CHOSEN"),
        post("unknown parameter", "/logout?x=1", *INVALID, invalid="x", value="1"),
        post("no object", "/logout", *INVALID, body=[1], invalid="body"),
    ]
