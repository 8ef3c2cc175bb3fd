"""The command `wuts-sandbox run`."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wuts_sandbox.run.launcher import Launcher
from wuts_sandbox.run.options import Options, RunFailed, read_settings, require_loopback
from wuts_sandbox.world.examples import add_people, default_world
from wuts_sandbox.world.load import WorldError, read_world

if TYPE_CHECKING:
    from wuts_sandbox.world.document import World

_PORT = click.IntRange(0, 65535)
_FILE = click.Path(path_type=Path)


@click.command()
@click.option(
    "--http-port",
    type=_PORT,
    envvar="HTTP_PORT",
    default=8080,
    show_default=True,
    show_envvar=True,
    help="Where JSON and gRPC are served; 0: any free port.",
)
@click.option(
    "--grpc-port",
    type=_PORT,
    envvar="GRPC_PORT",
    default=50051,
    show_default=True,
    show_envvar=True,
    help="The service's own port; 0: any free port.",
)
@click.option(
    "--ready-file",
    type=_FILE,
    envvar="READY_FILE",
    default=".run/ready.json",
    show_default=True,
    show_envvar=True,
    help="Written once everything is up, removed at the end.",
)
@click.option(
    "--world",
    type=_FILE,
    envvar="WORLD",
    show_envvar=True,
    help="A world document; default: the documented example.",
)
@click.option(
    "--contacts",
    type=click.IntRange(0),
    envvar="CONTACTS",
    default=0,
    show_envvar=True,
    help="So many invented people more.",
)
@click.option(
    "--emulator",
    type=_FILE,
    envvar="EMULATOR",
    show_envvar=True,
    help="A file that names another loopback WhatsApp; nothing is linked.",
)
@click.option(
    "--otlp-endpoint",
    envvar="OTLP_ENDPOINT",
    default="",
    show_envvar=True,
    help="A collector on this machine that gets all traces, over HTTP; default: none.",
)
@click.option(
    "--settings",
    envvar="SETTINGS",
    default="",
    show_envvar=True,
    help="Budgets, and how long answers are remembered: WUTS_...=... words, quoted as in a shell.",
)
def run(
    http_port: int,
    grpc_port: int,
    ready_file: Path,
    world: Path | None,
    contacts: int,
    emulator: Path | None,
    otlp_endpoint: str,
    settings: str,
) -> None:
    """Starts a loopback WhatsApp, links a device to it, and serves it.

    Prints calls to paste once everything is healthy. SIGINT, SIGTERM and SIGHUP
    stop everything. Exit code 0 after a stop, 1 when something failed.
    """
    os.umask(0o077)

    def make_world() -> World:
        people = read_world(world) if world else default_world()
        add_people(people.accounts[0], contacts)
        return people

    try:
        require_loopback(otlp_endpoint)
        options = Options(
            http_port=http_port,
            grpc_port=grpc_port,
            ready_file=ready_file.absolute(),
            world=world,
            contacts=contacts,
            emulator=emulator,
            settings=read_settings(settings),
            otlp_endpoint=otlp_endpoint,
        )
        sys.exit(asyncio.run(Launcher(options).go(make_world)))
    except (RunFailed, WorldError) as error:
        click.echo(f"wuts-sandbox: {error}", err=True)
        sys.exit(1)
