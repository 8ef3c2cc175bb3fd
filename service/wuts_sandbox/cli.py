"""Gives the sandbox its command line: `wuts-sandbox emulator` and `wuts-sandbox ctl`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wuts_sandbox import ctl_faults, ctl_world  # noqa: F401  # they add their commands to ctl
from wuts_sandbox.control.server import ControlPathError
from wuts_sandbox.ctl import ctl
from wuts_sandbox.process import run_emulator
from wuts_sandbox.run.command import run
from wuts_sandbox.world.examples import add_people, default_world
from wuts_sandbox.world.load import WorldError, read_world

if TYPE_CHECKING:
    from wuts_sandbox.world.document import World

MAX_CONTACTS = 1_000_000


@click.group()
def main() -> None:
    """Runs and steers a loopback WhatsApp; nothing here ever reaches the real one."""


main.add_command(ctl)
main.add_command(run)


@main.command()
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Where ca.pem, emulator.json and the control socket are made.",
)
@click.option(
    "--world",
    "world_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A world document; without it the documented example.",
)
@click.option(
    "--contacts",
    type=click.IntRange(0, MAX_CONTACTS),
    default=0,
    help="Seeded people to add to the first account.",
)
@click.option(
    "--control",
    type=click.Path(path_type=Path),
    help="The control socket; DIRECTORY/control.sock if not given.",
)
@click.option(
    "--lifeline", type=click.IntRange(min=0), help="Ends when this descriptor reaches its end."
)
def emulator(
    directory: Path,
    world_file: Path | None,
    contacts: int,
    control: Path | None,
    lifeline: int | None,
) -> None:
    """Runs an emulator until SIGTERM, SIGINT or SIGHUP.

    Once it listens, DIRECTORY/emulator.json holds proxy, ca, noise_root, control and pid.
    """
    try:
        world = load_world(world_file, contacts)
        asyncio.run(run_emulator(directory, world, control=control, lifeline=lifeline))
    except (WorldError, ControlPathError) as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        message = f"cannot start: {error.strerror or type(error).__name__}"
        raise click.ClickException(message) from error


def load_world(world_file: Path | None, contacts: int) -> World:
    """Returns the world of a file or the default one, with seeded people in its first account."""
    world = read_world(world_file) if world_file else default_world()
    add_people(world.accounts[0], contacts)
    return world
