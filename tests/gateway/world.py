"""What the fakes behind the gateway know, and who may ask: shared by both processes."""

from __future__ import annotations

DEMO = "d0000000-0000-4000-8000-000000000001"
"""A token of the device with the documented example."""

EMPTY = "d0000000-0000-4000-8000-000000000002"
"""A token of a device without contacts."""

CROWDED = "d0000000-0000-4000-8000-000000000003"
"""A token of a device with CROWD contacts."""

BROKEN = "d0000000-0000-4000-8000-000000000004"
"""A token of a device whose store cannot be read."""

SEVERAL = "d0000000-0000-4000-8000-000000000005"
"""A token of a user with two devices, bound to none."""

NO_DEVICE = "d0000000-0000-4000-8000-000000000006"
"""A token of a user without a device."""

STUCK = "d0000000-0000-4000-8000-000000000007"
"""A token of a device whose list never comes."""

KEEPER = "d0000000-0000-4000-8000-000000000008"
"""A token of a user of tenant `works` with a device in every state; none is ever changed."""

MANAGER = "d0000000-0000-4000-8000-000000000009"
"""A token of a manager of the same tenant, with one device."""

ADMIN = "d0000000-0000-4000-8000-00000000000a"
"""A token of an admin of the same tenant, without a device."""

BOUND = "d0000000-0000-4000-8000-00000000000b"
"""A token of the keeper, bound to the device LINKED."""

MAKER = "d0000000-0000-4000-8000-00000000000c"
"""A token of a user of a third tenant, whose every new device is MADE."""

ENDLESS = "d0000000-0000-4000-8000-00000000000d"
"""A token of a device whose contacts never end."""

TORN = "d0000000-0000-4000-8000-00000000000e"
"""A token of a device whose store fails behind the first TORN_AT contacts."""

TORN_AT = 2

LINKED, SYNCING, OFF, RETRYING, BANNED, NEW, MUTE, LOST = (
    *("linked", "syncing", "off", "retrying", "banned"),
    *("new", "mute", "lost"),
)
"""The keeper's devices, in the order of their making: connected, syncing, disconnected by
request, reconnecting, banned, new, new without ever a code to show, logged out."""

MANAGED, FOREIGN, MADE = "managed", "empty", "made"
"""The manager's device, one of another tenant, and the maker's."""

UNKNOWN = "d0000000-0000-4000-8000-000000000099"
"""A well-formed token that nobody holds."""

CROWD = 100_000

SILENT = "9100000000@lid"
"""WhatsApp never answers when asked for this person's picture."""

FAULTY = "9100000001@lid"
"""The service fails by a fault of its own when asked for this person's picture."""

FAULT = "kaboom"
"""The text of that fault, which nobody may see."""

SITUATIONS = (
    "Unauthorized",
    "Forbidden",
    "NotFound",
    "DeviceNotChosen",
    "DeviceNotReady",
    "StoreUnavailable",
    "PictureHidden",
    "PictureNotSet",
    "GroupNotFound",
    "GroupForbidden",
    "RateLimited",
    "BudgetExhausted",
    "WhatsappError",
    "WhatsappTimeout",
    "CallTimeout",
    "ServiceUnavailable",
    "NotImplementedHere",
    "QrTimeout",
    "NotOnWhatsapp",
    "EngineCannot",
)
"""The domain errors, each raised when `person_of` its name is asked for."""

RETRY_AFTER = 7


def person_of(situation: str) -> str:
    """Names the person whose picture cannot be had for that reason."""
    return f"92000000{SITUATIONS.index(situation):02}@lid"
