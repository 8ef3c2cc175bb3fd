"""Creates and removes devices."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wuts.domain.caller import Role
from wuts.domain.errors import DomainError, Forbidden, ValidationFailed
from wuts.usecases.choose_device import choose_device

if TYPE_CHECKING:
    from wuts.domain.caller import Caller
    from wuts.domain.device import DeviceRecord
    from wuts.ports import ContactStore, Devices, Enquiries, LiveSessions, Revisions

MAX_NAME = 100
"""The most characters of a device's name."""


def create_device(caller: Caller, name: str, devices: Devices) -> DeviceRecord:
    """Creates a device, not linked, for the caller.

    Raises ValidationFailed for a name that is no name, and Forbidden when the
    token is good for one device only, which would not be this one.
    """
    if caller.bound_device is not None:
        raise Forbidden
    device = devices.create_device(caller.tenant, caller.user, name=_checked_name(name))
    return devices.device(caller.tenant, device)


async def purge_device(
    caller: Caller,
    wanted: str,
    *,
    devices: Devices,
    sessions: LiveSessions,
    enquiries: Enquiries,
    store: ContactStore,
    revisions: Revisions,
) -> bool:
    """Removes a device for good, with its directory and the tokens bound to it.

    Tells whether WhatsApp knows of it: a device that is not connected, or was
    never linked, cannot be logged out. Raises NotFound, and Forbidden unless
    the caller is its owner or an admin.
    """
    device = choose_device(caller, wanted, devices)
    if caller.role is not Role.ADMIN and device.user != caller.user:
        raise Forbidden
    # From here on a restart does not bring it back, whatever fails below.
    devices.set_should_connect(device.id, should_connect=False)
    try:
        await sessions.logout(device.id)
        is_logged_out = True
    except DomainError:
        is_logged_out = False
    # Before its directory goes, so that nothing is written there meanwhile; and again
    # for whoever asked in between.
    await revisions.forget(device.id)
    await enquiries.forget(device.id)
    await sessions.forget(device.id)
    await enquiries.forget(device.id)
    store.forget(device.id)
    devices.remove_device(device.id)
    return is_logged_out


_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
# Control characters, line ends, and what turns the direction of the text around it.


def _checked_name(text: str) -> str:
    name = text.strip()
    if not 1 <= len(name) <= MAX_NAME or _UNFIT.search(name):
        message = f"must be 1 to {MAX_NAME} characters, none of them a control character"
        raise ValidationFailed("name", message, text)
    return name
