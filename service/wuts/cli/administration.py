"""What the commands that work on the data directory share."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wuts.adapters.registry import Registry, RegistryError
from wuts.domain.errors import ServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from wuts.domain.device import DeviceRecord


data_option = click.option(
    "--data",
    envvar="WUTS_DATA_DIR",
    default="./data",
    show_default=True,
    show_envvar=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The data directory of the service; made when missing.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
force_option = click.option("--force", is_flag=True, help="Remove what belongs to it as well.")


def tenant_and_user(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> tuple[str, str] | None:
    """Splits a TENANT/USER argument; anything else is a usage error."""
    if value is None:
        return None
    tenant, slash, user = value.partition("/")
    if not (slash and tenant and user) or "/" in user:
        message = f"{value!r} is not of the form TENANT/USER"
        raise click.BadParameter(message)
    return tenant, user


@contextmanager
def opened(data: Path) -> Iterator[Registry]:
    """Opens the registry; whatever it refuses ends the command with one line and exit 1."""
    try:
        registry = Registry(data)
        try:
            yield registry
        finally:
            registry.close()
    except RegistryError as refusal:
        raise click.ClickException(str(refusal)) from None
    except ServiceUnavailable:
        message = f"{data}/registry.db is locked, damaged or no registry"
        raise click.ClickException(message) from None
    except OSError as error:
        message = f"the data directory {data} cannot be used: {error.strerror}"
        raise click.ClickException(message) from None


def show(rows: Sequence[Mapping[str, str | None]], *, as_json: bool) -> None:
    """Prints a list: a JSON array of objects, or a table for the eye."""
    if as_json:
        click.echo(json.dumps(list(rows)))
    elif rows:
        lines = [tuple(rows[0]), *(tuple(cell or "-" for cell in row.values()) for row in rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        for line in lines:
            cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
            click.echo("  ".join(cells).rstrip())


def done(text: str, record: Mapping[str, object], *, as_json: bool) -> None:
    """Tells what was done: as one JSON object, or as one line."""
    click.echo(json.dumps(record) if as_json else text)


def tell_left_behind(devices: Sequence[DeviceRecord], data: Path) -> None:
    """Names the directories of removed devices, which hold keys and are not removed."""
    for device in devices:
        directory = data / "devices" / device.id
        click.echo(f"delete {directory} yourself once the service is stopped", err=True)
