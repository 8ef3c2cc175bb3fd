"""`wuts backup` and `wuts restore`: a data directory as one file, and back."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wuts.adapters import backup as backups
from wuts.cli.administration import data_option, done, json_option
from wuts.cli.ending import tidy
from wuts.cli.progress import mb, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(epilog="\b\nExample:\n  wuts backup wuts-$(date +%F).tar --data /var/lib/wuts")
@click.argument("file", type=_FILE)
@data_option
@json_option
def backup(file: Path, data: Path, *, as_json: bool) -> None:
    """Save a data directory into FILE, whether the service runs or not.

    FILE is made (0600) and never overwritten. It holds the keys of every device:
    whoever has it can be these devices. A store that cannot be read is left
    out; then the exit code is 1 and stderr names it.
    """
    with tidy(), _told_plainly(), shown("saving") as tell:
        saved = backups.save(data, file, tell=tell)
    manifest = saved.manifest
    record = {"file": str(file), "size": saved.size, "devices": manifest.devices}
    left_out = [one.model_dump() for one in manifest.left_out]
    text = f"saved {_devices(manifest.devices)} to {file}, {mb(saved.size)}"
    done(text, record | {"made_at": manifest.made_at, "left_out": left_out}, as_json=as_json)
    for one in manifest.left_out:
        click.echo(f"left out {one.name}: {one.reason}; see `wuts doctor`", err=True)
    sys.exit(1 if left_out else 0)


@click.command(epilog="\b\nExample:\n  wuts restore wuts-2026-06-15.tar --data /var/lib/wuts")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--data",
    envvar="WUTS_DATA_DIR",
    required=True,
    show_envvar=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The directory to restore into; missing or empty.",
)
@json_option
def restore(file: Path, data: Path, *, as_json: bool) -> None:
    """Restore the backup FILE into a directory that is missing or empty.

    All checksums are verified first. Stop the service that the backup was made
    of before another one starts on the copy: WhatsApp lets only one of two
    equal devices live.
    """
    with tidy(), _told_plainly(), shown("restoring") as tell:
        manifest = backups.restore(file, data, tell=tell).manifest
    record = {"data": str(data), "devices": manifest.devices, "made_at": manifest.made_at}
    text = f"restored {_devices(manifest.devices)} of {manifest.made_at} to {data}"
    done(text, record, as_json=as_json)
    for one in manifest.left_out:
        click.echo(f"the backup lacks {one.name}: {one.reason}", err=True)


@contextlib.contextmanager
def _told_plainly() -> Iterator[None]:
    """Turns a refusal into one line on stderr and exit code 1."""
    try:
        yield
    except backups.BackupError as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise click.ClickException(f"{where}{error.strerror}") from None


def _devices(number: int) -> str:
    return f"{number} device{'' if number == 1 else 's'}"
