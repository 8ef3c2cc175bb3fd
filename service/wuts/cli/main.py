"""The command group `wuts`."""

from __future__ import annotations

from typing import Any

import click

from wuts import __version__
from wuts.cli.backup import backup, restore
from wuts.cli.device import device
from wuts.cli.doctor import doctor
from wuts.cli.health import health
from wuts.cli.serve import serve
from wuts.cli.tenant import tenant
from wuts.cli.token import token
from wuts.cli.user import user

_INTERRUPTED = 130
# What shells report for a program that Ctrl-C has ended.


class _Commands(click.Group):
    """A group whose commands end quietly at Ctrl-C."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  # as click has it
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo(err=True)
            ctx.exit(_INTERRUPTED)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="wuts")
def cli() -> None:
    """Says who someone is on WhatsApp.

    `serve` runs the service. `tenant`, `user`, `token`, `backup`, `restore` and
    `doctor` work on its data directory; `device` and `health` speak to a
    running service.

    Exit codes: 0 done, 1 refused or failed (the reason is on stderr), 2 wrong
    usage, 130 interrupted.
    """


for command in (serve, tenant, user, token, device, health, backup, restore, doctor):
    cli.add_command(command)
