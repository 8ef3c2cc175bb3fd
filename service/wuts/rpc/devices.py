"""DevicesService: links devices."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from wuts.devices.v1 import devices_service_pb2 as pb
from wuts.devices.v1 import devices_service_pb2_grpc as pb_grpc
from wuts.ports import Linked, QrText
from wuts.rpc.authentication import current_caller

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from grpc import aio

    from wuts.domain.caller import Caller, DeviceId
    from wuts.ports import LiveSessions, TokenDirectory


class DevicesServicer(pb_grpc.DevicesServiceServicer):
    """Links the devices of the caller."""

    def __init__(self, *, directory: TokenDirectory, sessions: LiveSessions) -> None:
        self._directory = directory
        self._sessions = sessions

    async def LinkDevice(  # the name of the rpc
        self,
        request: pb.LinkDeviceRequest,
        context: aio.ServicerContext[Any, Any],  # part of the signature
    ) -> AsyncIterator[pb.LinkDeviceResponse]:
        """Streams QR codes until the device is linked."""
        device = self._choose(current_caller(), request.device_id)
        # Closed at once when the caller goes: an attempt that nobody watches ends.
        async with aclosing(self._sessions.link(device)) as steps:
            async for step in steps:
                yield _response(device, step)

    def _choose(self, caller: Caller, wanted: str) -> DeviceId:
        if wanted:
            return caller.owned_device(wanted)
        if caller.bound_device is None and not caller.devices:
            return self._directory.create_device(caller.tenant, caller.user)
        return caller.device()


def _response(device: DeviceId, step: QrText | Linked) -> pb.LinkDeviceResponse:
    if isinstance(step, Linked):
        return pb.LinkDeviceResponse(device_id=device, linked=pb.Linked(jid=str(step.account)))
    return pb.LinkDeviceResponse(device_id=device, qr_code=pb.QrCode(text=step.text))
