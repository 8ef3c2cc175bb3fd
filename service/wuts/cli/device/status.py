"""`wuts device status`: the state of a device, once or as it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from wuts.cli.administration import json_option
from wuts.cli.client import token_option, url_option
from wuts.cli.device.service import (
    CALL_SECONDS,
    as_dict,
    device_argument,
    echo_json,
    opened,
    phone_number,
)
from wuts.devices.v1 import devices_service_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wuts.cli.device.service import Service
    from wuts.devices.v1 import device_state_pb2


@click.command(
    epilog="\b\nExamples:\n"
    "  wuts device status\n"
    '  wuts device status "Front desk" --watch\n'
    "  wuts device status 9b2f6c0e --json"
)
@device_argument
@click.option("--watch", "-w", is_flag=True, help="Print a line at each change, until Ctrl-C.")
@url_option
@token_option
@json_option
def status(device: str | None, url: str, token: str, *, watch: bool, as_json: bool) -> None:
    """Tell the state of a device, since when and why.

    Exit code 0 whatever the state is. With --watch the present state comes
    first, then one line at each change; with --json each is an object.
    """
    with opened(url, token) as service:
        chosen = service.find_any(device)
        if watch:
            _watch(service, chosen, as_json=as_json)
            return
        answer = service.stub.GetStatus(
            pb.GetStatusRequest(device_id=chosen), timeout=CALL_SECONDS, metadata=service.metadata
        )
    if as_json:
        echo_json(as_dict(answer.data))
    else:
        for name, value in _facts(answer.data):
            click.echo(f"{name + ':':<14}{value}")


def _watch(service: Service, device: str | None, *, as_json: bool) -> None:
    request = pb.WatchDeviceRequest(device_id=device)
    # Without a deadline: it is meant to stay.
    for step in service.stub.WatchDevice(request, metadata=service.metadata):
        if as_json:
            echo_json(as_dict(step.state))
        else:
            click.echo(_line(step.state))
    raise click.ClickException("the service has ended the watch; it may be restarting")


def _facts(told: device_state_pb2.DeviceStatus) -> Iterator[tuple[str, str]]:
    """Gives what is known, in a fixed order; what is absent is left out."""
    yield "device", told.device_id or "none yet; `wuts device add NAME` makes one"
    yield "state", told.status.upper()
    facts = {
        "since": told.since,
        "reason": told.reason,
        "next attempt": told.next_retry_at,
        "banned until": told.banned_until,
        "number": phone_number(told.jid) if told.jid else "",
        "last seen": told.last_seen,
    }
    yield from ((name, value) for name, value in facts.items() if value)


def _line(state: device_state_pb2.DeviceState) -> str:
    parts = [state.since, f"{state.state:<13}", state.reason]
    parts += [f"next attempt {state.next_retry_at}"] if state.next_retry_at else []
    parts += [f"banned until {state.banned_until}"] if state.banned_until else []
    return "  ".join(part for part in parts if part).rstrip()
