"""Defines `wuts-sandbox ctl`: one command of the line for one command of the control socket."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from wuts_sandbox.client import UnreachableError, find_control, send

EXIT_REFUSED = 1
EXIT_UNREACHABLE = 3

Options = dict[str, Any]


@click.group(
    epilog="Exit status: 0 done, 1 refused by the emulator, 2 wrong usage, 3 no emulator found."
)
@click.option(
    "--control",
    metavar="PATH",
    help="The control socket. Default: WUTS_SANDBOX_CONTROL, else that of .run/ready.json.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the answer as one JSON line.")
@click.pass_context
def ctl(context: click.Context, control: str | None, *, as_json: bool) -> None:
    """Steers a running emulator."""
    context.obj = {"control": control, "json": as_json}


@ctl.result_callback()
@click.pass_context
def _run(context: click.Context, /, command: Options, **_options: object) -> None:
    # Every command below returns the JSON object of the control protocol; here it is sent.
    try:
        answer = send(find_control(context.obj["control"]), _without_none(command))
    except UnreachableError as error:
        click.echo(f"wuts-sandbox: {error}", err=True)
        sys.exit(EXIT_UNREACHABLE)
    if context.obj["json"]:
        click.echo(json.dumps(answer))
    elif answer["ok"]:
        _print(answer["result"])
    else:
        click.echo(f"wuts-sandbox: {answer['error']} ({answer['code']})", err=True)
    sys.exit(0 if answer["ok"] else EXIT_REFUSED)


def _without_none(command: Options) -> Options:
    return {name: value for name, value in command.items() if value is not None}


def _print(result: Options) -> None:
    for name, value in result.items():
        plain = isinstance(value, str | int | bool) or value is None
        click.echo(f"{name}: {value if plain else json.dumps(value, indent=2)}")


account_option = click.option(
    "--account", metavar="PN", help="The account it concerns; all (or the only one) if not given."
)


@ctl.command()
@click.argument("text")
@click.option("--spoil", type=click.Choice(["hmac"]), help="What is wrong with the pairing.")
@account_option
def scan(text: str, account: str | None, spoil: str | None) -> Options:
    """Scans the QR code TEXT as the account's phone would."""
    return {"command": "scan", "text": text, "account": account, "spoil": spoil}


@ctl.command("enter-code")
@click.argument("code")
@account_option
def enter_code(code: str, account: str | None) -> Options:
    """Types the pair code CODE into the phone of the account that it is for."""
    return {"command": "enter-code", "code": code, "account": account}


@ctl.command()
@account_option
def accounts(account: str | None) -> Options:
    """Lists accounts: linked, online, synced."""
    return {"command": "accounts", "account": account}


@ctl.command()
@account_option
def unlink(account: str | None) -> Options:
    """Forgets the linked device without telling it: its next login fails with 401."""
    return {"command": "unlink", "account": account}


@ctl.command()
@account_option
@click.option("--reset", is_flag=True, help="Start again at zero afterwards.")
def count(account: str | None, *, reset: bool) -> Options:
    """Prints how many stanzas of each kind came in."""
    return {"command": "count", "account": account, "reset": reset}
