"""Connects, disconnects and logs out; tells how a device is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wuts.domain.errors import DeviceNotReady
from wuts.domain.state import SERVING, DeviceState
from wuts.usecases.choose_device import choose_device

if TYPE_CHECKING:
    from wuts.domain.caller import Caller, DeviceId
    from wuts.domain.device import DeviceRecord, DeviceStatus
    from wuts.ports import Devices, LiveSessions

UNLINKED: Final = frozenset({DeviceState.NEW, DeviceState.LINKING, DeviceState.LOGGED_OUT})
"""The states out of which only linking leads."""

_CONNECTING: Final = frozenset({DeviceState.CONNECTING, DeviceState.RECONNECTING})


def get_status(
    caller: Caller, wanted: str, *, devices: Devices, sessions: LiveSessions
) -> tuple[DeviceRecord, DeviceStatus] | None:
    """Gives a device and what it is doing; None when the caller has no device at all.

    Raises NotFound, and DeviceNotChosen when it is not clear which one is meant.
    """
    if not wanted and caller.bound_device is None and not caller.devices:
        return None
    device = choose_device(caller, wanted, devices)
    return device, sessions.status(device.id)


async def connect_device(
    caller: Caller, wanted: str, *, devices: Devices, sessions: LiveSessions
) -> tuple[DeviceId, DeviceState]:
    """Connects a linked device, now and after each restart of the service.

    Gives the state after a few seconds: a connected one, one that is about to
    be, or one that only linking leads out of. Raises DeviceNotReady for any other.
    """
    device = choose_device(caller, wanted, devices)
    if device.account is not None:
        devices.set_should_connect(device.id, should_connect=True)
    status = await sessions.connect(device.id)
    if status.state not in SERVING | UNLINKED | _CONNECTING:
        raise DeviceNotReady(status.state, reason=status.reason)
    return device.id, status.state


async def disconnect_device(
    caller: Caller, wanted: str, *, devices: Devices, sessions: LiveSessions
) -> DeviceId:
    """Ends a device's connection until it is asked for again; it stays linked."""
    device = choose_device(caller, wanted, devices)
    devices.set_should_connect(device.id, should_connect=False)
    await sessions.disconnect(device.id)
    return device.id


async def logout_device(
    caller: Caller, wanted: str, *, devices: Devices, sessions: LiveSessions
) -> DeviceId:
    """Logs a device out of WhatsApp; raises DeviceNotReady unless it is connected."""
    device = choose_device(caller, wanted, devices)
    await sessions.logout(device.id)
    return device.id
