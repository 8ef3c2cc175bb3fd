"""`wuts tenant`: adds, lists and removes tenants."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from wuts.cli.administration import (
    data_option,
    done,
    force_option,
    json_option,
    opened,
    show,
    tell_left_behind,
)

if TYPE_CHECKING:
    from pathlib import Path


@click.group
def tenant() -> None:
    """Tenants: who shares nothing with anybody else.

    These commands work on the data directory, whether the service runs or not.
    """


@tenant.command(epilog="\b\nExample:\n  wuts tenant add acme")
@click.argument("name")
@data_option
@json_option
def add(name: str, data: Path, *, as_json: bool) -> None:
    """Add a tenant.

    NAME is 1 to 64 letters, digits, dots, underscores and dashes.
    """
    with opened(data) as registry:
        registry.add_tenant(name)
    done(f"added tenant {name}", {"tenant": name}, as_json=as_json)


@tenant.command("list", epilog="\b\nExample:\n  wuts tenant list --json")
@data_option
@json_option
def list_(data: Path, *, as_json: bool) -> None:
    """List all tenants."""
    with opened(data) as registry:
        show([{"tenant": name} for name in registry.tenants()], as_json=as_json)


@tenant.command(epilog="\b\nExample:\n  wuts tenant remove acme")
@click.argument("name")
@force_option
@data_option
@json_option
def remove(name: str, data: Path, *, force: bool, as_json: bool) -> None:
    """Remove a tenant; with --force its users, tokens and devices too."""
    with opened(data) as registry:
        devices = registry.devices(name)
        registry.remove_tenant(name, force=force)
    done(f"removed tenant {name}", {"tenant": name}, as_json=as_json)
    tell_left_behind(devices, data)
