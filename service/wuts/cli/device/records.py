"""`wuts device add`, `list` and `remove`."""

from __future__ import annotations

import click

from wuts.cli.administration import json_option, show
from wuts.cli.client import token_option, url_option
from wuts.cli.device.service import (
    CALL_SECONDS,
    as_dict,
    ask,
    echo_json,
    opened,
    phone_number,
    yes_option,
)
from wuts.devices.v1 import devices_service_pb2 as pb


@click.command(epilog='\b\nExample:\n  wuts device add "Front desk"')
@click.argument("name")
@url_option
@token_option
@json_option
def add(name: str, url: str, token: str, *, as_json: bool) -> None:
    """Add a device, not yet linked, for the token's user.

    NAME is what people call it, 1 to 100 characters.
    """
    with opened(url, token) as service:
        answer = service.stub.CreateDevice(
            pb.CreateDeviceRequest(name=name), timeout=CALL_SECONDS, metadata=service.metadata
        )
    if as_json:
        echo_json(as_dict(answer.device))
    else:
        click.echo(f"added device {answer.device.id}")
        click.echo(f"link it with: wuts device link {answer.device.id}", err=True)


@click.command("list", epilog="\b\nExamples:\n  wuts device list\n  wuts device list --json")
@url_option
@token_option
@json_option
def list_(url: str, token: str, *, as_json: bool) -> None:
    """List the devices that the token may see, oldest first."""
    with opened(url, token) as service:
        devices = service.devices()
    if as_json:
        echo_json([as_dict(one) for one in devices])
        return
    rows = [
        {
            "id": one.id,
            "name": one.name,
            "user": one.user_id,
            "number": phone_number(one.whatsapp_jid) if one.whatsapp_jid else "",
            "connected": "yes" if one.connected else "no",
            "last seen": one.last_seen,
        }
        for one in devices
    ]
    show(rows, as_json=False)
    if not rows:
        click.echo("no devices; `wuts device add NAME` makes one", err=True)


@click.command(
    epilog="\b\nExamples:\n"
    "  wuts device remove 9b2f6c0e\n"
    '  wuts device remove "Front desk" --purge --yes'
)
@click.argument("device")
@click.option("--purge", is_flag=True, help="Log out and delete store, caches and tokens too.")
@yes_option
@url_option
@token_option
@json_option
def remove(device: str, url: str, token: str, *, purge: bool, yes: bool, as_json: bool) -> None:
    """Disconnect a device; with --purge remove it for good.

    Without --purge the device stays in the list and stays linked, as
    documented; `wuts device connect` brings it back. With --purge it is logged
    out of WhatsApp, and its store, caches and bound tokens are deleted. That
    cannot be undone, so it is asked first.
    """
    with opened(url, token) as service:
        chosen = service.find(device)
        if purge:
            ask(f"Remove device {chosen} with everything it has stored?", yes=yes)
        answer = service.stub.DeleteDevice(
            pb.DeleteDeviceRequest(device_id=chosen, purge=purge),
            timeout=CALL_SECONDS,
            metadata=service.metadata,
        )
    if as_json:
        echo_json({"device_id": chosen, "message": answer.message, "purged": purge})
    else:
        click.echo(f"{answer.message}: {chosen}")
