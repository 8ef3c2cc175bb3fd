"""Links a device to an account, by QR code or by pair code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wuts.domain.errors import ValidationFailed
from wuts.domain.jid import Jid, JidError, parse_phone
from wuts.usecases.choose_device import choose_device, choose_device_to_link

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from wuts.domain.caller import Caller, DeviceId
    from wuts.domain.device import PairCode, QrCode
    from wuts.ports import Devices, Linked, LiveSessions, QrText


async def get_qr_code(
    caller: Caller,
    wanted: str,
    *,
    reuse: bool,
    refresh: bool,
    devices: Devices,
    sessions: LiveSessions,
) -> QrCode:
    """Gives a QR code to scan; raises what choosing raises, AlreadyLinked and QrTimeout."""
    device = choose_device_to_link(caller, wanted, devices)
    return await sessions.qr_code(device, reuse=reuse, refresh=refresh)


def get_qr_status(
    caller: Caller, wanted: str, *, devices: Devices, sessions: LiveSessions
) -> QrCode | None:
    """Gives the QR code being shown, if any; raises ValidationFailed without a device id."""
    if not wanted:
        raise ValidationFailed("device_id", "is required")
    return sessions.qr_status(choose_device(caller, wanted, devices).id)


async def create_pair_code(
    caller: Caller,
    wanted: str,
    phone: str,
    *,
    reuse: bool,
    refresh: bool,
    devices: Devices,
    sessions: LiveSessions,
) -> PairCode:
    """Gives a code to type into that phone; raises as get_qr_code, and ValidationFailed."""
    number = _parse(phone)
    device = choose_device_to_link(caller, wanted, devices)
    return await sessions.pair_code(device, number, reuse=reuse, refresh=refresh)


def link_device(
    caller: Caller, wanted: str, phone: str, *, devices: Devices, sessions: LiveSessions
) -> tuple[DeviceId, AsyncGenerator[QrText | PairCode | Linked]]:
    """Gives the device that is linked, and the steps; an empty phone means QR codes."""
    number = _parse(phone) if phone else None
    device = choose_device_to_link(caller, wanted, devices)
    return device, sessions.link(device, phone=number)


def _parse(phone: str) -> Jid:
    try:
        number = parse_phone(phone)
    except JidError as error:
        raise ValidationFailed("phone", str(error), phone) from None
    # The engine would refuse it with an error that looks like WhatsApp's.
    if number.user.startswith("0"):
        raise ValidationFailed("phone", "must begin with a country code, not with 0", phone)
    return number
