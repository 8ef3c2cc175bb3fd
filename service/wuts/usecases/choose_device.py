"""Says which device a caller means, and which ones exist for the caller."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wuts.domain.caller import Role
from wuts.domain.errors import NotFound

if TYPE_CHECKING:
    from wuts.domain.caller import Caller, DeviceId
    from wuts.domain.device import DeviceRecord
    from wuts.ports import Devices


def visible_devices(caller: Caller, devices: Devices) -> list[DeviceRecord]:
    """Lists the devices that exist for the caller, oldest first.

    These are the user's own, for managers and admins those of the whole tenant,
    and for a token that is bound to a device only that one.
    """
    user = caller.user if caller.role is Role.USER else None
    found = devices.devices(caller.tenant, user)
    bound = caller.bound_device
    return [device for device in found if bound in (None, device.id)]


def choose_device(caller: Caller, wanted: str, devices: Devices) -> DeviceRecord:
    """Finds the device of the id `wanted`, or when that is empty the caller's.

    Raises NotFound for a device that does not exist for the caller, and
    DeviceNotReady or DeviceNotChosen when the caller has no device or several.
    """
    if not wanted:
        return devices.device(caller.tenant, caller.device())
    device = devices.device(caller.tenant, wanted)
    is_ours = caller.role is not Role.USER or device.user == caller.user
    if not is_ours or caller.bound_device not in {None, device.id}:
        raise NotFound(what="device")
    return device


def choose_device_to_link(caller: Caller, wanted: str, devices: Devices) -> DeviceId:
    """Chooses as choose_device does, but makes the first device of a user who has none."""
    if not wanted and caller.bound_device is None and not caller.devices:
        return devices.create_device(caller.tenant, caller.user)
    return choose_device(caller, wanted, devices).id
