"""DevicesService, as the commands call it."""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click
from google.protobuf.json_format import MessageToDict

from wuts.cli.client import bearer, open_channel, told_plainly
from wuts.devices.v1 import devices_service_pb2 as pb
from wuts.devices.v1 import devices_service_pb2_grpc as pb_grpc

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from google.protobuf.message import Message

    from wuts.devices.v1 import device_pb2

CALL_SECONDS = 30
# The gateway gives up earlier; this guards against a dead peer.

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_SHORTEST_START = 4

device_argument = click.argument("device", metavar="[DEVICE]", required=False)
yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask.")


@dataclass(frozen=True)
class Service:
    """A stub, and what every call of it carries."""

    stub: pb_grpc.DevicesServiceStub
    metadata: tuple[tuple[str, str], ...]

    def devices(self) -> Sequence[device_pb2.Device]:
        """Lists what the caller may see."""
        request = pb.ListDevicesRequest()
        answer = self.stub.ListDevices(request, timeout=CALL_SECONDS, metadata=self.metadata)
        devices: Sequence[device_pb2.Device] = answer.devices
        return devices

    def find(self, named: str) -> str:
        """Gives the id of a device named by id, name or the start of its id."""
        return named if _UUID.fullmatch(named) else _pick(self.devices(), named)

    def find_any(self, named: str | None) -> str | None:
        """Does so where naming none is allowed, too."""
        return None if named is None else self.find(named)


@contextlib.contextmanager
def opened(url: str, token: str) -> Iterator[Service]:
    """Opens a channel; a failed call ends the command with one line and exit code 1."""
    with told_plainly(), open_channel(url) as channel:
        yield Service(pb_grpc.DevicesServiceStub(channel), bearer(token))


def ask(question: str, *, yes: bool) -> None:
    """Lets a person confirm; ends the command unless it is a yes."""
    try:
        confirmed = yes or click.confirm(question, err=True)
    except click.Abort as abort:
        if isinstance(abort.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        confirmed = False
    if not confirmed:
        raise click.ClickException("not confirmed, nothing was done; --yes does not ask")


def as_dict(message: Message) -> dict[str, Any]:
    """Gives a message as the API's JSON has it; absent fields are left out."""
    return MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )


def echo_json(value: object) -> None:
    """Prints a value as one line of JSON, at once."""
    click.echo(json.dumps(value))


def phone_number(jid: str) -> str:
    """Writes the number of a PN JID for people: "+5511900000000"."""
    return f"+{jid.partition('@')[0]}"


def _pick(devices: Sequence[device_pb2.Device], named: str) -> str:
    found = [one.id for one in devices if one.id == named]
    found = found or [one.id for one in devices if one.name == named]
    if not found and len(named) >= _SHORTEST_START:
        found = [one.id for one in devices if one.id.startswith(named)]
    if not found:
        raise click.ClickException(f"there is no device {named!r}; see `wuts device list`")
    if len(found) > 1:
        raise click.ClickException(f"{named!r} is several devices: {', '.join(found)}")
    return found[0]
