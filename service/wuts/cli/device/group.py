"""The command group `wuts device`."""

from __future__ import annotations

import click

from wuts.cli.device.connection import connect, disconnect, logout
from wuts.cli.device.link import link
from wuts.cli.device.pair import pair
from wuts.cli.device.records import add, list_, remove
from wuts.cli.device.status import status


@click.group()
def device() -> None:
    """Devices: the WhatsApp accounts that the service speaks for.

    These commands speak to a running service. WUTS_URL says where it is, and
    WUTS_TOKEN who is calling. DEVICE is an id, the first characters of one, or
    a name; without it the token's device is meant, else the user's only one.
    """


for command in (add, list_, link, pair, status, connect, disconnect, logout, remove):
    device.add_command(command)
