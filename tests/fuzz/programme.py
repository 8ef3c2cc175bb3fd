"""Who is sent which requests, in which order; `run.py` carries it out.

Requests that disconnect or unlink a device, or block somebody, must not spoil the others, so every
part has a user, and with it a device, of its own; each user is alone in a tenant.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from wuts_sandbox.world.examples import default_world

_USERS: Final = ("keeper", "mover", "linker", "blocker")


@dataclass(frozen=True)
class Part:
    """Some operations, called with one user's token.

    Without `operations` all that no other part names, new ones too. `examples`
    bounds what is made up for each operation. `expected` are the reasons of 5xx
    that are right: what becomes of the device in this part, or what the engine
    cannot do, decides. Everywhere else each 5xx is a failure.
    """

    name: str
    user: str
    operations: tuple[str, ...]
    examples: int
    expected: tuple[str, ...] = field(default=())


PROGRAMME: Final = (
    Part("contacts", "demo/demo", (), examples=400),
    Part(
        "devices",
        "keeper/keeper",
        ("createDevice", "listDevices", "disconnectDevice"),
        examples=120,
    ),
    Part(
        "session",
        "mover/mover",
        ("connectSession", "disconnectSession", "checkSessionStatus"),
        examples=80,
    ),
    Part(
        "blocking",
        "blocker/blocker",
        ("getBlocklist", "blockContact", "unblockContact"),
        examples=120,
    ),
    # Every call that is right is refused: the engine cannot be made to synchronise.
    Part("sync", "demo/demo", ("appstateSync",), examples=120, expected=("NOT_IMPLEMENTED",)),
    # The first call that is right ends the link; what follows meets a device that needs a new one.
    Part(
        "logout",
        "linker/linker",
        ("logoutInstance",),
        examples=60,
        expected=("DEVICE_NOT_READY",),
    ),
    # On the device that was logged out just now. Nobody scans the codes, and each costs a process.
    Part(
        "linking",
        "linker/linker",
        ("generateSessionQrCode", "getSessionQrStatus", "generateSessionPairCode"),
        examples=25,
        expected=("QR_TIMEOUT",),
    ),
)


def world() -> dict[str, Any]:
    """The documented example, and a user with a linked device for each of the other parts."""
    document: dict[str, Any] = default_world().model_dump(mode="json")
    document["accounts"] += [
        {"tenant": user, "user": user, "pn": f"551190000000{number}", "push_name": user}
        for number, user in enumerate(_USERS, 1)
    ]
    return document
