"""Adds the commands that show or change the world to `wuts-sandbox ctl`."""

from __future__ import annotations

import json
from typing import Any

import click

from wuts_sandbox.ctl import Options, account_option, ctl


@ctl.command()
@account_option
def world(account: str | None) -> Options:
    """Prints the world as it is now."""
    return {"command": "world", "account": account}


quiet_option = click.option("--quiet", is_flag=True, help="Do not tell the linked device.")


@ctl.command("set-picture")
@click.argument("jid")
@click.argument("picture")
@quiet_option
@account_option
def set_picture(jid: str, picture: str, account: str | None, *, quiet: bool) -> Options:
    """Gives JID another PICTURE: a JSON object, or none, hidden, rate_limited, silent."""
    value = parse_json(picture) if picture.startswith("{") else picture
    return {
        "command": "set-picture",
        "jid": jid,
        "picture": value,
        "account": account,
        "quiet": quiet,
    }


@ctl.command("set-group")
@click.argument("jid")
@click.argument("fields")
@quiet_option
@account_option
def set_group(jid: str, fields: str, account: str | None, *, quiet: bool) -> Options:
    """Changes FIELDS (a JSON object) of the group JID, or adds it."""
    return {
        "command": "set-group",
        "jid": jid,
        "fields": parse_json(fields),
        "account": account,
        "quiet": quiet,
    }


@ctl.command("set-person")
@click.argument("fields")
@account_option
def set_person(fields: str, account: str | None) -> Options:
    """Changes the person with the pn or lid in FIELDS (a JSON object), or adds one."""
    return {"command": "set-person", "fields": parse_json(fields), "account": account}


@ctl.command("set-blocklist")
@click.argument("jids", nargs=-1)
@account_option
def set_blocklist(jids: tuple[str, ...], account: str | None) -> Options:
    """Sets whom the account has blocked: JIDS, or nobody."""
    return {"command": "set-blocklist", "jids": list(jids), "account": account}


@ctl.command()
@click.argument("sender")
@click.option("--text")
@click.option("--push-name")
@click.option("--business-name")
@click.option("--alias", metavar="JID", help="The sender's other spelling.")
@account_option
def message(**fields: Any) -> Options:  # noqa: ANN401  # as click hands them over
    """Sends the linked device a message from the JID SENDER."""
    return {"command": "message", **fields}


@ctl.command()
@account_option
def resync(account: str | None) -> Options:
    """Sends all push names and pairs again."""
    return {"command": "resync", "account": account}


def parse_json(text: str) -> Options:
    """Reads a JSON object of the command line."""
    try:
        value = json.loads(text)
    except ValueError as error:
        message = "not JSON"
        raise click.BadParameter(message) from error
    if not isinstance(value, dict):
        message = "not a JSON object"
        raise click.BadParameter(message)
    return value
