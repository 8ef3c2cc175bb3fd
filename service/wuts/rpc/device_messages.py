"""Devices and their states to protobuf; times become RFC 3339 in UTC."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from wuts.devices.v1 import device_pb2, device_state_pb2
from wuts.domain.state import SERVING
from wuts.usecases.connect_device import UNLINKED

if TYPE_CHECKING:
    from wuts.domain.caller import DeviceId
    from wuts.domain.device import DeviceRecord, DeviceStatus, PairCode, QrCode
    from wuts.domain.state import DeviceState

_INSTRUCTIONS = (
    "On the phone: WhatsApp > Linked devices > Link a device >"
    " Link with phone number instead; then type the code."
)


def device(record: DeviceRecord, status: DeviceStatus) -> device_pb2.Device:
    """Describes a device."""
    return device_pb2.Device(
        id=record.id,
        user_id=record.user,
        name=record.name,
        whatsapp_jid=str(record.account) if record.account else None,
        connected=status.state in SERVING,
        last_seen=_optional(status.last_connected),
        created_at=timestamp(record.created_at),
        updated_at=timestamp(record.updated_at),
    )


def no_device() -> device_state_pb2.DeviceStatus:
    """Tells the status of a caller without any device."""
    return device_state_pb2.DeviceStatus(connected=False, status="new", is_logged_in=False)


def device_status(record: DeviceRecord, status: DeviceStatus) -> device_state_pb2.DeviceStatus:
    """Tells the status as the documented route does; account only while linked."""
    account = None if status.state in UNLINKED else record.account
    return device_state_pb2.DeviceStatus(
        connected=status.state in SERVING,
        status=status.state.lower(),
        device_id=record.id,
        jid=str(account) if account else None,
        phone_number=account.user if account else None,
        # Just after linking the account is about to be recorded.
        is_logged_in=account is not None or status.state in SERVING,
        last_seen=_optional(status.last_connected),
        since=timestamp(status.since),
        reason=str(status.reason) or None,
        next_retry_at=_optional(status.next_retry_at),
        banned_until=_optional(status.banned_until),
    )


def device_state(chosen: DeviceId, status: DeviceStatus) -> device_state_pb2.DeviceState:
    """Describes the state of a device."""
    return device_state_pb2.DeviceState(
        device_id=chosen,
        state=status.state,
        since=timestamp(status.since),
        reason=str(status.reason) or None,
        next_retry_at=_optional(status.next_retry_at),
        banned_until=_optional(status.banned_until),
    )


def connection(chosen: DeviceId, state: DeviceState) -> device_pb2.Connection:
    """Says whether a device is connected, about to be, or must be linked."""
    needs_qr = state in UNLINKED
    told = "needs_qr" if needs_qr else "connected" if state in SERVING else "connecting"
    return device_pb2.Connection(status=told, device_id=chosen, needs_qr=needs_qr)


def qr_code(code: QrCode, image: str) -> device_pb2.QrCodeImage:
    """Carries a QR code and its picture."""
    return device_pb2.QrCodeImage(
        qr_code=code.text,
        image=image,
        cached=code.cached,
        expires_at=timestamp(code.expires_at),
        # Never more than its whole life, should the clock have been set back.
        ttl=min(seconds_until(code.expires_at), _seconds(code.made_at, code.expires_at)),
    )


def qr_status(code: QrCode | None) -> device_pb2.QrStatus:
    """Tells whether there is a QR code."""
    made_at = timestamp(code.made_at) if code else None
    return device_pb2.QrStatus(exists=code is not None, generated_at=made_at)


def pair_code(code: PairCode) -> device_pb2.PairCode:
    """Carries a pair code."""
    return device_pb2.PairCode(
        code=code.code,
        phone=code.phone.user,
        expires_in=seconds_until(code.expires_at),
        cached=code.cached,
        instructions=_INSTRUCTIONS,
    )


def timestamp(moment: datetime) -> str:
    """Prints a moment to the second, for example "2026-06-15T13:45:02Z"."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds_until(moment: datetime) -> int:
    """Counts the whole seconds until a moment; 0 when it has passed."""
    return _seconds(datetime.now(UTC), moment)


def _seconds(start: datetime, end: datetime) -> int:
    return max(0, math.ceil((end - start).total_seconds()))


def _optional(moment: datetime | None) -> str | None:
    return None if moment is None else timestamp(moment)
