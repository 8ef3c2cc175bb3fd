"""The command group `wuts`."""

from __future__ import annotations

import click

from wuts import __version__
from wuts.cli.device import device
from wuts.cli.health import health
from wuts.cli.serve import serve
from wuts.cli.tenant import tenant
from wuts.cli.token import token
from wuts.cli.user import user


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="wuts")
def cli() -> None:
    """Says who someone is on WhatsApp.

    `serve` runs the service. `tenant`, `user` and `token` work on its data
    directory; `device` and `health` speak to a running service.

    Exit codes: 0 done, 1 refused or failed (the reason is on stderr), 2 wrong
    usage.
    """


for command in (serve, tenant, user, token, device, health):
    cli.add_command(command)
