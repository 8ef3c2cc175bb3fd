"""`wuts serve`: runs the service until it is told to stop."""

from __future__ import annotations

import sys

import click
import pydantic

from wuts.settings import Settings


@click.command()
def serve() -> None:
    """Runs the gRPC service.

    Settings come from WUTS_* environment variables; the README lists them.
    SIGTERM, SIGINT and SIGHUP stop it: calls under way may finish first; a
    second signal hurries. Exit code 0 after a stop, 1 when it cannot start.
    """
    try:
        settings = Settings()
    except pydantic.ValidationError as error:
        for problem in error.errors():
            name = "_".join(str(part) for part in problem["loc"][:1]).upper()
            click.echo(f"wuts: WUTS_{name}: {problem['msg']}", err=True)
        sys.exit(1)
    # Only this command needs the adapters; the others start faster without.
    from wuts.bootstrap import CannotStart, run  # noqa: PLC0415

    try:
        run(settings)
    except CannotStart as error:
        click.echo(f"wuts: {error}", err=True)
        sys.exit(1)
