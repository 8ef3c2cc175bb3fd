"""`wuts device connect`, `disconnect` and `logout`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from wuts.cli.administration import json_option
from wuts.cli.client import token_option, url_option
from wuts.cli.device.service import (
    CALL_SECONDS,
    as_dict,
    ask,
    device_argument,
    echo_json,
    opened,
    yes_option,
)
from wuts.devices.v1 import devices_service_pb2 as pb

if TYPE_CHECKING:
    from wuts.devices.v1 import device_pb2


@click.command(epilog="\b\nExamples:\n  wuts device connect\n  wuts device connect 9b2f6c0e")
@device_argument
@url_option
@token_option
@json_option
def connect(device: str | None, url: str, token: str, *, as_json: bool) -> None:
    """Connect a linked device to WhatsApp, and keep it connected.

    Exit code 1 when it must be linked first.
    """
    with opened(url, token) as service:
        answer = service.stub.ConnectDevice(
            pb.ConnectDeviceRequest(device_id=service.find_any(device)),
            timeout=CALL_SECONDS,
            metadata=service.metadata,
        )
    data = answer.data
    if as_json:
        echo_json(as_dict(data))
    elif not data.needs_qr:
        click.echo(f"device {data.device_id} is {data.status}")
    if data.needs_qr:
        remedy = f"link it with: wuts device link {data.device_id}"
        click.echo(f"Error: device {data.device_id} is not linked; {remedy}", err=True)
        sys.exit(1)


@click.command(epilog="\b\nExample:\n  wuts device disconnect 9b2f6c0e")
@device_argument
@url_option
@token_option
@json_option
def disconnect(device: str | None, url: str, token: str, *, as_json: bool) -> None:
    """Disconnect a device from WhatsApp; it stays linked.

    It stays disconnected, over a restart of the service too, until
    `wuts device connect`.
    """
    with opened(url, token) as service:
        answer = service.stub.DisconnectDevice(
            pb.DisconnectDeviceRequest(device_id=service.find_any(device)),
            timeout=CALL_SECONDS,
            metadata=service.metadata,
        )
    _done("disconnected", answer.data, as_json=as_json)


@click.command(epilog="\b\nExamples:\n  wuts device logout\n  wuts device logout 9b2f6c0e --yes")
@device_argument
@yes_option
@url_option
@token_option
@json_option
def logout(device: str | None, url: str, token: str, *, yes: bool, as_json: bool) -> None:
    """Log a device out of WhatsApp: its credentials are wiped.

    The device must be connected. Afterwards it has to be linked anew, so it is
    asked first.
    """
    with opened(url, token) as service:
        chosen = service.find_any(device)
        ask(f"Log out {f'device {chosen}' if chosen else 'the device'} of WhatsApp?", yes=yes)
        answer = service.stub.LogoutDevice(
            pb.LogoutDeviceRequest(device_id=chosen),
            timeout=CALL_SECONDS,
            metadata=service.metadata,
        )
    _done("logged out", answer.data, as_json=as_json)


def _done(what: str, outcome: device_pb2.Outcome, *, as_json: bool) -> None:
    if as_json:
        echo_json(as_dict(outcome))
    else:
        click.echo(f"{what} device {outcome.device_id}")
