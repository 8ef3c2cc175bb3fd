"""DevicesService: convert, call the use case, convert."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from wuts.devices.v1 import devices_service_pb2 as pb
from wuts.devices.v1 import devices_service_pb2_grpc as pb_grpc
from wuts.devices.v1.device_pb2 import Linked as LinkedMessage
from wuts.devices.v1.device_pb2 import Outcome, QrCode
from wuts.domain.device import PairCode
from wuts.domain.errors import ValidationFailed
from wuts.ports import Linked
from wuts.rpc import device_messages as messages
from wuts.rpc.aliases import flag
from wuts.rpc.authentication import current_caller
from wuts.rpc.qr_image import draw
from wuts.rpc.streams import until
from wuts.usecases import connect_device, keep_devices, link_device
from wuts.usecases.choose_device import choose_device, visible_devices

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator

    from grpc import aio

    from wuts.domain.caller import DeviceId
    from wuts.ports import ContactStore, Devices, Enquiries, LiveSessions, QrText, Revisions

_REUSE = ("reuse_cache", "reuse", "use_cache", "cached")
_REFRESH = ("refresh", "force_refresh", "force_new")


class DevicesServicer(pb_grpc.DevicesServiceServicer):
    """Serves the devices that exist for the caller; `stopping` ends endless streams."""

    def __init__(
        self,
        *,
        devices: Devices,
        sessions: LiveSessions,
        enquiries: Enquiries,
        store: ContactStore,
        revisions: Revisions,
        stopping: asyncio.Event,
    ) -> None:
        self._devices = devices
        self._sessions = sessions
        self._enquiries = enquiries
        self._store = store
        self._revisions = revisions
        self._stopping = stopping

    async def CreateDevice(
        self, request: pb.CreateDeviceRequest, context: aio.ServicerContext[Any, Any]
    ) -> pb.CreateDeviceResponse:
        """Creates a device for the caller."""
        made = keep_devices.create_device(current_caller(), request.name, self._devices)
        status = self._sessions.status(made.id)
        return pb.CreateDeviceResponse(success=True, device=messages.device(made, status))

    async def ListDevices(
        self, request: pb.ListDevicesRequest, context: aio.ServicerContext[Any, Any]
    ) -> pb.ListDevicesResponse:
        """Lists what exists for the caller."""
        found = visible_devices(current_caller(), self._devices)
        listed = [messages.device(record, self._sessions.status(record.id)) for record in found]
        return pb.ListDevicesResponse(success=True, devices=listed)

    async def DeleteDevice(
        self, request: pb.DeleteDeviceRequest, context: aio.ServicerContext[Any, Any]
    ) -> pb.DeleteDeviceResponse:
        """Disconnects a device, or removes it for good."""
        if not request.device_id:
            raise ValidationFailed("device_id", "is required")
        if not request.purge:
            await connect_device.disconnect_device(
                current_caller(), request.device_id, devices=self._devices, sessions=self._sessions
            )
            return pb.DeleteDeviceResponse(success=True, message="device disconnected")
        is_logged_out = await keep_devices.purge_device(
            current_caller(),
            request.device_id,
            devices=self._devices,
            sessions=self._sessions,
            enquiries=self._enquiries,
            store=self._store,
            revisions=self._revisions,
        )
        told = "logged out and removed" if is_logged_out else "removed; WhatsApp was not told"
        return pb.DeleteDeviceResponse(success=True, message=f"device {told}")

    async def GetQrCode(
        self, request: pb.GetQrCodeRequest, context: aio.ServicerContext[Any, Any]
    ) -> pb.GetQrCodeResponse:
        """Gives a QR code; reusing the one being shown is the default."""
        code = await link_device.get_qr_code(
            current_caller(),
            request.device_id,
            reuse=flag(request, _REUSE, default=True),
            refresh=flag(request, _REFRESH, default=False),
            devices=self._devices,
            sessions=self._sessions,
        )
        image = await draw(code.text)
        return pb.GetQrCodeResponse(success=True, data=messages.qr_code(code, image))

    async def GetQrStatus(
        self, request: pb.GetQrStatusRequest, context: aio.ServicerContext[Any, Any]
    ) -> pb.GetQrStatusResponse:
        """Tells whether a code is being shown."""
        code = link_device.get_qr_status(
            current_caller(), request.device_id, devices=self._devices, sessions=self._sessions
        )
        return pb.GetQrStatusResponse(success=True, data=messages.qr_status(code))

    async def CreatePairCode(
        self, request: pb.CreatePairCodeRequest, context: aio.ServicerContext[Any, Any]
    ) -> pb.CreatePairCodeResponse:
        """Gives a pair code; reusing the one that is valid is the default."""
        code = await link_device.create_pair_code(
            current_caller(),
            request.device_id,
            request.phone,
            reuse=flag(request, _REUSE[:1], default=True),
            refresh=flag(request, _REFRESH, default=False),
            devices=self._devices,
            sessions=self._sessions,
        )
        return pb.CreatePairCodeResponse(success=True, data=messages.pair_code(code))

    async def GetStatus(
        self, request: pb.GetStatusRequest, context: aio.ServicerContext[Any, Any]
    ) -> pb.GetStatusResponse:
        """Tells the state, whichever it is."""
        found = connect_device.get_status(
            current_caller(), request.device_id, devices=self._devices, sessions=self._sessions
        )
        data = messages.device_status(*found) if found else messages.no_device()
        return pb.GetStatusResponse(success=True, data=data)

    async def ConnectDevice(
        self, request: pb.ConnectDeviceRequest, context: aio.ServicerContext[Any, Any]
    ) -> pb.ConnectDeviceResponse:
        """Connects a linked device."""
        device, state = await connect_device.connect_device(
            current_caller(), request.device_id, devices=self._devices, sessions=self._sessions
        )
        return pb.ConnectDeviceResponse(success=True, data=messages.connection(device, state))

    async def DisconnectDevice(
        self, request: pb.DisconnectDeviceRequest, context: aio.ServicerContext[Any, Any]
    ) -> pb.DisconnectDeviceResponse:
        """Ends the connection; the device stays linked."""
        device = await connect_device.disconnect_device(
            current_caller(), request.device_id, devices=self._devices, sessions=self._sessions
        )
        data = Outcome(message="device disconnected", device_id=device)
        return pb.DisconnectDeviceResponse(success=True, data=data)

    async def LogoutDevice(
        self, request: pb.LogoutDeviceRequest, context: aio.ServicerContext[Any, Any]
    ) -> pb.LogoutDeviceResponse:
        """Ends the link."""
        device = await connect_device.logout_device(
            current_caller(), request.device_id, devices=self._devices, sessions=self._sessions
        )
        data = Outcome(message="device logged out", device_id=device)
        return pb.LogoutDeviceResponse(success=True, data=data)

    async def LinkDevice(
        self, request: pb.LinkDeviceRequest, context: aio.ServicerContext[Any, Any]
    ) -> AsyncIterator[pb.LinkDeviceResponse]:
        """Streams codes until the device is linked."""
        device, steps = link_device.link_device(
            current_caller(),
            request.device_id,
            request.phone,
            devices=self._devices,
            sessions=self._sessions,
        )
        # Closed at once when the caller goes: an attempt that nobody watches ends.
        async with aclosing(steps):
            async for step in steps:
                yield _step(device, step)

    async def WatchDevice(
        self, request: pb.WatchDeviceRequest, context: aio.ServicerContext[Any, Any]
    ) -> AsyncIterator[pb.WatchDeviceResponse]:
        """Streams the state now and each change of it."""
        device = choose_device(current_caller(), request.device_id, self._devices).id
        async with aclosing(until(self._stopping, self._sessions.watch(device))) as states:
            async for status in states:
                yield pb.WatchDeviceResponse(state=messages.device_state(device, status))


def _step(device: DeviceId, step: QrText | PairCode | Linked) -> pb.LinkDeviceResponse:
    if isinstance(step, Linked):
        linked = LinkedMessage(jid=str(step.account))
        return pb.LinkDeviceResponse(device_id=device, linked=linked)
    if isinstance(step, PairCode):
        return pb.LinkDeviceResponse(device_id=device, pair_code=messages.pair_code(step))
    return pb.LinkDeviceResponse(device_id=device, qr_code=QrCode(text=step.text, ttl=step.ttl))
