"""`wuts user`: adds, lists and removes users."""

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
    tenant_and_user,
)
from wuts.domain.caller import Role

if TYPE_CHECKING:
    from pathlib import Path


@click.group
def user() -> None:
    """Users: who holds tokens and devices within a tenant.

    These commands work on the data directory, whether the service runs or not.
    """


@user.command(epilog="\b\nExample:\n  wuts user add acme/reception --role manager")
@click.argument("owner", callback=tenant_and_user, metavar="TENANT/USER")
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    default=Role.USER.value,
    show_default=True,
    help="What the user may do.",
)
@data_option
@json_option
def add(owner: tuple[str, str], role: str, data: Path, *, as_json: bool) -> None:
    """Add a user to a tenant."""
    tenant, name = owner
    with opened(data) as registry:
        registry.add_user(tenant, name, Role(role))
    record = {"tenant": tenant, "user": name, "role": role}
    done(f"added user {tenant}/{name}", record, as_json=as_json)


@user.command("list", epilog="\b\nExample:\n  wuts user list acme")
@click.argument("tenant", required=False)
@data_option
@json_option
def list_(tenant: str | None, data: Path, *, as_json: bool) -> None:
    """List the users of one tenant, or of all."""
    with opened(data) as registry:
        users = registry.users(tenant)
    rows = [{"tenant": one.tenant, "user": one.name, "role": one.role.value} for one in users]
    show(rows, as_json=as_json)


@user.command(epilog="\b\nExample:\n  wuts user remove acme/reception")
@click.argument("owner", callback=tenant_and_user, metavar="TENANT/USER")
@force_option
@data_option
@json_option
def remove(owner: tuple[str, str], data: Path, *, force: bool, as_json: bool) -> None:
    """Remove a user and the user's tokens; with --force the devices too."""
    tenant, name = owner
    with opened(data) as registry:
        devices = registry.devices(tenant, name)
        registry.remove_user(tenant, name, force=force)
    done(f"removed user {tenant}/{name}", {"tenant": tenant, "user": name}, as_json=as_json)
    tell_left_behind(devices, data)
