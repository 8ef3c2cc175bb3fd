"""Links the devices of a run over the service's own API, as a person would."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from grpc import aio

from wuts.devices.v1 import devices_service_pb2 as pb
from wuts.devices.v1 import devices_service_pb2_grpc as pb_grpc
from wuts_sandbox.client import send
from wuts_sandbox.run.options import RunFailed
from wuts_sandbox.store_check import check_store, expected_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from wuts_sandbox.run.household import Resident

_LINK_SECONDS = 60
_POLL = 0.05
_TELL_SECONDS = 2.0
_DIRECT = (("grpc.enable_http_proxy", 0),)
# gRPC would take a proxy of the person's shell even for loopback.


async def link(resident: Resident, grpc_address: str, control: str) -> None:
    """Shows the first QR code to the account's phone; returns once linked."""
    async with aio.insecure_channel(grpc_address, options=_DIRECT) as channel:
        steps = pb_grpc.DevicesServiceStub(channel).LinkDevice(
            pb.LinkDeviceRequest(device_id=resident.device),
            metadata=(("authorization", f"Bearer {resident.token}"),),
            timeout=_LINK_SECONDS,
        )
        try:
            async for step in steps:
                if step.HasField("qr_code"):
                    await _scan(step.qr_code.text, resident, control)
        except aio.AioRpcError as error:
            raise RunFailed(f"linking {resident.name} failed: {error.details()}") from None


async def _scan(text: str, resident: Resident, control: str) -> None:
    command = {"command": "scan", "text": text, "account": resident.account.pn}
    answer = await asyncio.to_thread(send, control, command)
    if not answer.get("ok"):
        raise RunFailed(f"the phone of {resident.name} refused the QR code")


async def wait_until_synced(
    resident: Resident, data: Path, seconds: float, say: Callable[[str], None]
) -> None:
    """Waits until everything the world says of an account is in its store.

    Tells every other second how much is still missing.
    """
    expected = await asyncio.to_thread(expected_store, resident.account)
    store = data / "devices" / resident.device / "store.db"
    started = told = asyncio.get_running_loop().time()
    while True:
        report = await asyncio.to_thread(check_store, store, resident.account, expected)
        if report.complete:
            return
        left = f"{report.missing_rows} contacts and {report.missing_pairs} pairs are missing"
        now = asyncio.get_running_loop().time()
        if now > started + seconds:
            raise RunFailed(f"the contacts of {resident.name} did not arrive: {left}")
        if now > told + _TELL_SECONDS:
            told = now
            say(f"{resident.name}: {left}")
        await asyncio.sleep(_POLL)
