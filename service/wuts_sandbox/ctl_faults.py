"""Adds the commands that put something out of order to `wuts-sandbox ctl`."""

from __future__ import annotations

from typing import Any

import click

from wuts_sandbox.ctl import Options, account_option, ctl
from wuts_sandbox.emulator.kinds import Kind
from wuts_sandbox.emulator.router import ANSWERS

QUESTIONS = click.Choice([*(str(kind) for kind in ANSWERS), str(Kind.QUERY)])


def span_options(command: Any) -> Any:  # noqa: ANN401  # a decorator of click commands
    """Adds --times and --seconds."""
    command = click.option("--times", type=click.IntRange(1), help="Only the next TIMES.")(command)
    return click.option("--seconds", type=float, help="Only for SECONDS.")(command)


@ctl.command()
@account_option
@click.option("--how", type=click.Choice(["abort", "close-frame", "xmlstreamend"]))
def kill(account: str | None, how: str | None) -> Options:
    """Ends connections."""
    return {"command": "kill", "account": account, "how": how}


@ctl.command()
@account_option
def crash(account: str | None) -> Options:
    """Sends an empty frame, at which the client's process aborts."""
    return {"command": "crash", "account": account}


@ctl.command()
@click.argument("kind", type=QUESTIONS)
@account_option
@span_options
def drop(**fields: Any) -> Options:  # noqa: ANN401  # as click hands them over
    """Leaves questions of KIND without an answer."""
    return {"command": "drop", **fields}


@ctl.command()
@click.argument("kind", type=QUESTIONS)
@click.option("--code", type=int, help="Default 429.")
@click.option("--text", help="Default rate-overlimit.")
@account_option
@span_options
def refuse(**fields: Any) -> Options:  # noqa: ANN401  # as click hands them over
    """Answers questions of KIND with an error."""
    return {"command": "refuse", **fields}


@ctl.command()
@click.argument("kind", type=QUESTIONS)
@click.option("--delay", type=float, help="Seconds, default 1.")
@account_option
@span_options
def slow(**fields: Any) -> Options:  # noqa: ANN401  # as click hands them over
    """Answers questions of KIND late."""
    return {"command": "slow", **fields}


@ctl.command()
@click.argument("kind", type=QUESTIONS, required=False)
@account_option
def answer(kind: str | None, account: str | None) -> Options:
    """Answers questions of KIND (default: all) again."""
    return {"command": "answer", "kind": kind, "account": account}


@ctl.command()
@click.argument("number", type=int)
def codes(number: int) -> Options:
    """Offers NUMBER codes (usually 6) to devices that begin to link."""
    return {"command": "codes", "number": number}


@ctl.command("stream-error")
@click.argument("code", required=False)
@click.option("--conflict", type=click.Choice(["replaced", "device_removed"]))
@account_option
def stream_error(**fields: Any) -> Options:  # noqa: ANN401  # as click hands them over
    """Ends connections with the stream error CODE."""
    return {"command": "stream-error", **fields}


@ctl.command("login-failure")
@click.argument("reason")
@click.option("--attr", "attrs", multiple=True, metavar="NAME=VALUE", help="For instance code=101.")
@account_option
@span_options
def login_failure(attrs: tuple[str, ...], **fields: Any) -> Options:  # noqa: ANN401  # as click hands them over
    """Refuses logins with REASON, a number; `off` lets them in again."""
    pairs = dict(attr.partition("=")[::2] for attr in attrs)
    return {"command": "login-failure", "attrs": pairs, **fields}


@ctl.command()
@click.argument("state", type=click.Choice(["on", "off", "503"]))
@click.option("--keep", is_flag=True, help="Leave present connections alone.")
def outage(state: str, *, keep: bool) -> Options:
    """Closes the port (on), refuses CONNECT (503), or ends that (off)."""
    door = {"on": "closed", "off": "open", "503": "refusing"}[state]
    return {"command": "door", "door": door, "keep": keep}


@ctl.command()
@click.argument("state", type=click.Choice(["on", "off"]))
def blackhole(state: str) -> Options:
    """Accepts new connections and never answers."""
    return {"command": "door", "door": "black-hole" if state == "on" else "open"}


@ctl.command("silent-handshake")
@click.argument("state", type=click.Choice(["on", "off"]))
def silent_handshake(state: str) -> Options:
    """Opens WebSockets and never answers the handshake."""
    return {"command": "door", "door": "silent-handshake" if state == "on" else "open"}
