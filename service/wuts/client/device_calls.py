"""The calls of DevicesService: what each takes, and what it gives.

Each is a method of `Client` and of `AsyncClient`. Without `device_id` the token's device is
meant, else the user's only one. `timeout` is in seconds and covers the whole call, retries
included; without it the client's own applies, else what suits the call.
"""

from __future__ import annotations

from wuts.client.asking import LONG, Ask, ask
from wuts.client.device_values import (
    Connection,
    Device,
    DeviceState,
    DeviceStatus,
    LinkStep,
    Outcome,
    PairCode,
    QrCodeImage,
    QrStatus,
)
from wuts.client.reading import value_of
from wuts.devices.v1 import devices_service_pb2 as pb


def devices(*, timeout: float | None = None) -> Ask[tuple[Device, ...]]:
    """Lists the devices that the caller may see, oldest first.

    >>> [(device.whatsapp_jid, device.connected) for device in client.devices()]
    [('5511900000000@s.whatsapp.net', True)]
    """
    return ask(
        pb.ListDevicesRequest(),
        pb.ListDevicesResponse,
        lambda answer: tuple(value_of(Device, one) for one in answer.devices),
        timeout=timeout,
    )


def create_device(name: str, *, timeout: float | None = None) -> Ask[Device]:
    """Creates a device, not yet linked, under a name of 1 to 100 characters.

    >>> client.create_device("Front desk").name
    'Front desk'
    """
    return ask(
        pb.CreateDeviceRequest(name=name),
        pb.CreateDeviceResponse,
        lambda answer: value_of(Device, answer.device),
        timeout=timeout,
    )


def delete_device(device_id: str, *, purge: bool = False, timeout: float | None = None) -> Ask[str]:
    """Disconnects a device and keeps it linked; with `purge`, removes it for good.

    Gives what was done, for people.

    >>> client.delete_device(client.create_device("Spare").id)
    'device disconnected'
    """
    return ask(
        pb.DeleteDeviceRequest(device_id=device_id, purge=purge or None),
        pb.DeleteDeviceResponse,
        lambda answer: answer.message,
        timeout=timeout,
        usual_timeout=LONG,
    )


def device_status(
    device_id: str | None = None, *, timeout: float | None = None
) -> Ask[DeviceStatus]:
    """Tells the state of a device, whichever it is.

    >>> status = client.device_status(DEVICE)
    >>> status.status, status.phone_number
    ('connected', '5511900000000')
    """
    return ask(
        pb.GetStatusRequest(device_id=device_id),
        pb.GetStatusResponse,
        lambda answer: value_of(DeviceStatus, answer.data),
        timeout=timeout,
    )


def connect_device(
    device_id: str | None = None, *, timeout: float | None = None
) -> Ask[Connection]:
    """Connects a device with its stored credentials.

    >>> client.connect_device(DEVICE).status
    'connected'
    """
    return ask(
        pb.ConnectDeviceRequest(device_id=device_id),
        pb.ConnectDeviceResponse,
        lambda answer: value_of(Connection, answer.data),
        timeout=timeout,
        usual_timeout=LONG,
    )


def disconnect_device(
    device_id: str | None = None, *, timeout: float | None = None
) -> Ask[Outcome]:
    """Disconnects a device and keeps its credentials.

    >>> client.disconnect_device(DEVICE).message
    'device disconnected'
    """
    return ask(
        pb.DisconnectDeviceRequest(device_id=device_id),
        pb.DisconnectDeviceResponse,
        lambda answer: value_of(Outcome, answer.data),
        timeout=timeout,
    )


def logout_device(device_id: str | None = None, *, timeout: float | None = None) -> Ask[Outcome]:
    """Logs a device out of WhatsApp and wipes its credentials; needs a live connection.

    >>> client.logout_device(DEVICE).message
    'device logged out'
    """
    return ask(
        pb.LogoutDeviceRequest(device_id=device_id),
        pb.LogoutDeviceResponse,
        lambda answer: value_of(Outcome, answer.data),
        timeout=timeout,
        usual_timeout=LONG,
    )


def qr_code(
    device_id: str | None = None,
    *,
    reuse_cache: bool = True,
    refresh: bool = False,
    timeout: float | None = None,
) -> Ask[QrCodeImage]:
    """Gives a QR code that links the device when a phone scans it, as text and as a PNG.

    `refresh` starts linking anew for a fresh code. Raises QrTimeout.

    >>> client.qr_code(NEW_DEVICE).image[:22]
    'data:image/png;base64,'
    """
    return ask(
        pb.GetQrCodeRequest(device_id=device_id, reuse_cache=reuse_cache, refresh=refresh or None),
        pb.GetQrCodeResponse,
        lambda answer: value_of(QrCodeImage, answer.data),
        timeout=timeout,
        usual_timeout=LONG,
    )


def qr_status(device_id: str, *, timeout: float | None = None) -> Ask[QrStatus]:
    """Tells whether a valid QR code of a device is there.

    >>> client.qr_status(DEVICE).exists
    False
    """
    return ask(
        pb.GetQrStatusRequest(device_id=device_id),
        pb.GetQrStatusResponse,
        lambda answer: value_of(QrStatus, answer.data),
        timeout=timeout,
    )


def pair_code(
    phone: str,
    *,
    device_id: str | None = None,
    reuse_cache: bool = True,
    refresh: bool = False,
    timeout: float | None = None,
) -> Ask[PairCode]:
    """Gives a code that links the device when it is typed into the phone with that number.

    >>> client.pair_code("5511900000000", device_id=NEW_DEVICE).code
    'ABCD-1234'
    """
    request = pb.CreatePairCodeRequest(
        phone=phone, device_id=device_id, reuse_cache=reuse_cache, refresh=refresh or None
    )
    return ask(
        request,
        pb.CreatePairCodeResponse,
        lambda answer: value_of(PairCode, answer.data),
        timeout=timeout,
        usual_timeout=LONG,
    )


def link_device(
    device_id: str | None = None, *, phone: str | None = None, timeout: float | None = None
) -> Ask[LinkStep]:
    """Links a device, step by step: each new QR code (a pair code for `phone`), then the end.

    >>> for step in client.link_device(NEW_DEVICE):
    ...     if step.qr_code:
    ...         print("show", step.qr_code.text)
    ...     elif step.linked:
    ...         print("linked", step.linked.jid)
    show 2@invented
    linked 5511900000000@s.whatsapp.net
    """
    return ask(
        pb.LinkDeviceRequest(device_id=device_id, phone=phone),
        pb.LinkDeviceResponse,
        lambda answer: value_of(LinkStep, answer),
        timeout=timeout,
        usual_timeout=None,
    )


def watch_device(device_id: str | None = None, *, timeout: float | None = None) -> Ask[DeviceState]:
    """Reports the state of a device now and each change of it, until you stop listening.

    >>> from contextlib import closing
    >>> with closing(client.watch_device(DEVICE)) as states:
    ...     next(states).state
    'CONNECTED'
    """
    return ask(
        pb.WatchDeviceRequest(device_id=device_id),
        pb.WatchDeviceResponse,
        lambda answer: value_of(DeviceState, answer.state),
        timeout=timeout,
        usual_timeout=None,
    )
