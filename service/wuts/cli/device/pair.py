"""`wuts device pair`: links by QR code, without redrawing anything."""

from __future__ import annotations

import click
import segno
from rich.console import Console

from wuts.cli.client import bearer, open_channel, token_option, told_plainly, url_option
from wuts.devices.v1 import devices_service_pb2 as pb
from wuts.devices.v1 import devices_service_pb2_grpc as pb_grpc

LINK_SECONDS = 240
"""The service gives up after three minutes; this only guards against a dead peer."""


@click.command()
@url_option
@token_option
@click.option("--device", "device_id", help="The device's id; default: the token's own.")
@click.option("--qr-text", is_flag=True, help="Print each QR code's text as one line instead.")
def pair(url: str, token: str, device_id: str | None, *, qr_text: bool) -> None:
    """Links a device to a phone by QR code; see also `link`.

    Open WhatsApp on the phone, choose Linked devices, Link a device, and scan
    the code. It changes every 20 to 60 seconds. Exit code 0 once the device is
    linked, 1 with the reason on stderr.

    \b
    Examples:
      wuts device pair
      wuts device pair --qr-text --device 9b2f6c0e-1f5b-4a53-9d3e-0d6f6a0c8a11
    """  # noqa: D301  # \b keeps click from joining the lines
    request = pb.LinkDeviceRequest(device_id=device_id)
    with told_plainly(), open_channel(url) as channel:
        stub = pb_grpc.DevicesServiceStub(channel)
        for step in stub.LinkDevice(request, timeout=LINK_SECONDS, metadata=bearer(token)):
            _show(step, qr_text=qr_text)


def _show(step: pb.LinkDeviceResponse, *, qr_text: bool) -> None:
    if step.HasField("linked"):
        click.echo(f"linked {step.device_id} to {step.linked.jid}", err=True)
    elif qr_text:
        click.echo(step.qr_code.text)
    else:
        console = Console(stderr=True)
        console.print("Scan this code with WhatsApp > Linked devices > Link a device:")
        segno.make(step.qr_code.text, error="l").terminal(compact=True)
