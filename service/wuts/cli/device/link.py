"""`wuts device link`: draws codes in the terminal until the device is linked."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click
import grpc
from rich.console import Console
from rich.live import Live

from wuts.cli.administration import json_option
from wuts.cli.client import Failure, failure, token_option, url_option
from wuts.cli.device.code_view import CodeView
from wuts.cli.device.pair import LINK_SECONDS
from wuts.cli.device.service import device_argument, echo_json, opened, phone_number
from wuts.cli.ending import tidy
from wuts.devices.v1 import devices_service_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_REFRESHES_A_SECOND = 2
_DIGITS = re.compile(r"[0-9]{10,15}", re.ASCII)

_WORDS = {
    "QR_TIMEOUT": "nobody used a code in time; run it again",
    "PAIRING_REFUSED": "WhatsApp refused the pairing; run it again",
    "CANNOT_CONNECT": "WhatsApp cannot be reached from the service",
    "CONNECTION_LOST": "the connection to WhatsApp was lost; run it again",
    "NO_ANSWER": "WhatsApp did not answer; run it again later",
    "PROCESS_DIED": "the device's process died; run it again",
    "LOGIN_REFUSED": "WhatsApp refused the login",
    "BANNED": "WhatsApp has banned the account",
    "OUTDATED": "WhatsApp refuses this release; upgrade wuts",
    "DISK_FULL": "the service's disk is full",
    "STORE_BUSY": "another process holds the device's store",
    "STORE_REFUSED": "the device's store cannot be opened",
    "STORE_CORRUPT": "the device's store is damaged",
    "WRONG_ENGINE": "the service runs the wrong engine; see `wuts doctor`",
    "DISCONNECTED_BY_REQUEST": "somebody disconnected the device meanwhile",
}


def _phone(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """Takes a number as people write it; gives its digits."""
    if value is None:
        return None
    digits = re.sub(r"[ ().-]|^\+", "", value.strip())
    if not _DIGITS.fullmatch(digits):
        raise click.BadParameter("is no phone number of 10 to 15 digits with country code")
    return digits


@click.command(
    epilog="\b\nExamples:\n"
    "  wuts device link\n"
    '  wuts device link "Front desk"\n'
    "  wuts device link 9b2f6c0e --code +5511999999999\n"
    "  wuts device link --json"
)
@device_argument
@click.option(
    "--code",
    "phone",
    metavar="PHONE",
    callback=_phone,
    help="Link by a code to type into the phone with this number.",
)
@url_option
@token_option
@json_option
def link(device: str | None, phone: str | None, url: str, token: str, *, as_json: bool) -> None:
    """Link a device to a phone, by QR code or by a code to type in.

    Open WhatsApp on the phone, choose Linked devices, Link a device, and scan
    the code. It changes every 20 to 60 seconds and is redrawn in place. A user
    without any device gets one. Exit code 0 once the device is linked, 1 with
    the reason on stderr.

    With --json each step is one object a line; `event` is qr_code, pair_code,
    linked or failed.
    """
    with opened(url, token) as service:
        request = pb.LinkDeviceRequest(device_id=service.find_any(device), phone=phone)
        steps = service.stub.LinkDevice(request, timeout=LINK_SECONDS, metadata=service.metadata)
        try:
            end = _follow(steps, _echo_step) if as_json else _draw(steps)
        except grpc.RpcError as error:
            raise _not_linked(failure(error), as_json=as_json) from None
    if not as_json:
        number = phone_number(end.step.linked.jid)
        if end.is_new:
            click.echo(f"linked device {end.step.device_id} to {number}")
        else:
            click.echo(f"device {end.step.device_id} is linked to {number} already")


@dataclass(frozen=True)
class _End:
    """How linking ended well."""

    step: pb.LinkDeviceResponse
    is_new: bool
    """Whether a code was shown before; without one it was linked already."""


def _draw(steps: Iterable[pb.LinkDeviceResponse]) -> _End:
    """Redraws in place where that is possible, else prints code after code."""
    console, view = Console(), CodeView()
    if not console.is_terminal or console.is_dumb_terminal:
        return _follow(steps, lambda step: _print_step(console, view, step))
    with _live(console, view):
        return _follow(steps, lambda step: _take(view, step))


@contextlib.contextmanager
def _live(console: Console, view: CodeView) -> Iterator[None]:
    """Shows the view from now on, and wipes it in the end: a code is a key."""
    rate = _REFRESHES_A_SECOND
    with tidy(), Live(view, console=console, transient=True, refresh_per_second=rate):
        yield


def _follow(
    steps: Iterable[pb.LinkDeviceResponse], tell: Callable[[pb.LinkDeviceResponse], None]
) -> _End:
    is_new = False
    for step in steps:
        tell(step)
        if step.HasField("linked"):
            return _End(step, is_new)
        is_new = True
    raise click.ClickException("not linked: the service has ended the attempt")


def _take(view: CodeView, step: pb.LinkDeviceResponse) -> None:
    match step.WhichOneof("step"):
        case "qr_code":
            view.show_qr(step.qr_code.text, step.qr_code.ttl)
        case "pair_code":
            told = step.pair_code
            view.show_pair_code(told.code, told.phone, told.expires_in)


def _print_step(console: Console, view: CodeView, step: pb.LinkDeviceResponse) -> None:
    _take(view, step)
    if not step.HasField("linked"):
        console.print(view)


def _echo_step(step: pb.LinkDeviceResponse) -> None:
    told: dict[str, object] = {"device_id": step.device_id, "event": step.WhichOneof("step")}
    match step.WhichOneof("step"):
        case "qr_code":
            told |= {"text": step.qr_code.text, "ttl": step.qr_code.ttl}
        case "pair_code":
            code = step.pair_code
            told |= {"code": code.code, "phone": code.phone, "expires_in": code.expires_in}
        case "linked":
            told |= {"jid": step.linked.jid}
    echo_json(told)


def _not_linked(failed: Failure, *, as_json: bool) -> click.ClickException:
    word = failed.reason or failed.code
    text = f"not linked: {_WORDS[word]} ({word})" if word in _WORDS else str(failed)
    if as_json:
        told = {"event": "failed", "error_code": failed.code, "error": text}
        echo_json(told | {"state": failed.state, "reason": failed.reason})
    return click.ClickException(text)
