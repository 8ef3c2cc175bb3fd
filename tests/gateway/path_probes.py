"""The paths of the devices: wrong methods, wrong paths, and no token."""

from __future__ import annotations

from . import world
from .device_asking import NOT_FOUND, ask, delete
from .probes import INVALID, JSON, Headers, Probe

_METHODS = {
    "/devices": "GET, HEAD, POST",
    "/devices/x": "DELETE",
    "/qr": "GET, HEAD",
    "/qr/status": "GET, HEAD",
    "/status": "GET, HEAD",
    "/paircode": "POST",
    "/connect": "POST",
    "/disconnect": "POST",
    "/logout": "POST",
}


def methods() -> list[Probe]:
    """Every path by every wrong method."""
    everything = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
    headers: Headers = (("authorization", world.KEEPER),)
    refusal = (405, "METHOD_NOT_ALLOWED")
    return [
        Probe(
            f"method: {method} {path}",
            path,
            *refusal,
            method,
            headers,
            reply_headers={"allow": allowed},
        )
        for path, allowed in _METHODS.items()
        for method in everything
        if method not in allowed.split(", ")
    ]


def paths() -> list[Probe]:
    """Paths that do not exist."""
    deeper = ("/devices/x/y", "/devices/x/", "/qr/x", "/status/x", "/connect/x", "/qr/status/x")
    none: tuple[str, ...] = (*(f"{path}/" for path in _METHODS if path != "/devices/x"), *deeper)
    none += ("/devicesx", "/Devices", "/qrs", "/status;x", "/pair", "/user/devices", "/link")
    none += ("/wuts.devices.v1.DevicesService/GetStatus",)
    bad: tuple[str, ...] = (
        "/devices/a%2Fb",
        "/devices/a%5Cb",
        "/devices/%00",
        "/qr%2Fstatus",
    )
    broken = ("/devices/%FF", "/devices/%zz")
    queries = ("%FF", "%zz", "a%C3")
    return [
        *(ask("nowhere", path, *NOT_FOUND) for path in none),
        *(ask("bad path", path, *INVALID) for path in bad),
        *(ask("bad path", path, *INVALID, invalid="path", value=path) for path in broken),
        *(
            ask("bad id", f"/status?device_id={id_}", *INVALID, invalid="device_id", value=id_)
            for id_ in queries
        ),
        delete("no id", "/devices/", *NOT_FOUND),
        delete("climbing", "/devices/x/../../status", 405, "METHOD_NOT_ALLOWED"),
    ]


def tokens() -> list[Probe]:
    """Every path without a token that counts."""
    challenge = {"www-authenticate": "Bearer"}
    refused = (401, "UNAUTHORIZED")
    targets = [(method, path) for path in _METHODS for method in _METHODS[path].split(", ")]
    targets += [("PUT", "/devices"), ("GET", "/devices/"), ("GET", "/qr/x")]
    targets += [("GET", "/status?colour=red"), ("GET", "/qr?device_id=%FF")]
    unknown: Headers = (("authorization", f"Bearer {world.UNKNOWN}"),)
    return [
        *(
            Probe(
                f"no token: {method} {target}",
                target,
                *refused,
                method,
                headers=(),
                reply_headers=challenge,
            )
            for method, target in targets
        ),
        Probe("unknown token: /status", "/status", *refused, headers=unknown),
        Probe("unknown token: /qr", "/qr", *refused, headers=unknown),
        Probe("no token, no JSON: /connect", "/connect", *refused, "POST", JSON, b"{"),
    ]
