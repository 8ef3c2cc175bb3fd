"""`wuts token`: makes, lists and revokes tokens."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from wuts.cli.administration import data_option, done, json_option, opened, show, tenant_and_user

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path


@click.group
def token() -> None:
    """Tokens: what a caller sends as `Authorization: Bearer <token>`.

    These commands work on the data directory, whether the service runs or not.
    A token is shown once, when it is made; only its hash is kept.
    """


@token.command(
    epilog="\b\nExamples:\n"
    "  wuts token add acme/reception\n"
    "  TOKEN=$(wuts token add acme/reception --device 3f2c9d1e)",
)
@click.argument("owner", callback=tenant_and_user, metavar="TENANT/USER")
@click.option("--device", metavar="ID", help="Bind the token to this device of the user.")
@data_option
@json_option
def add(owner: tuple[str, str], device: str | None, data: Path, *, as_json: bool) -> None:
    """Make a token for a user and print it."""
    tenant, user = owner
    with opened(data) as registry:
        made = registry.add_token(tenant, user, device)
    record = {"token": made.token, "id": made.id, "tenant": tenant, "user": user, "device": device}
    done(made.token, record, as_json=as_json)
    if not as_json:
        click.echo(f"keep it: it is not shown again; revoke it as {made.id}", err=True)


@token.command("list", epilog="\b\nExample:\n  wuts token list acme/reception")
@click.argument("owner", callback=tenant_and_user, metavar="[TENANT/USER]", required=False)
@data_option
@json_option
def list_(owner: tuple[str, str] | None, data: Path, *, as_json: bool) -> None:
    """List the tokens of one user, or of all, by their ids."""
    tenant, user = owner or (None, None)
    with opened(data) as registry:
        tokens = registry.tokens(tenant, user)
    rows = [
        {
            "id": one.id,
            "tenant": one.tenant,
            "user": one.user,
            "device": one.device,
            "created_at": _text(one.created_at),
            "revoked_at": _text(one.revoked_at),
        }
        for one in tokens
    ]
    show(rows, as_json=as_json)


@token.command(
    epilog="\b\nExamples:\n  wuts token revoke 1f9b03aa\n  wuts token revoke - < leaked.txt",
)
@click.argument("named", metavar="ID|TOKEN|-")
@data_option
@json_option
def revoke(named: str, data: Path, *, as_json: bool) -> None:
    """Revoke a token, named by its id or by itself; it stops working at once.

    A dash reads the token from standard input, where no process list shows it.
    """
    if named == "-":
        named = sys.stdin.readline().strip()
    with opened(data) as registry:
        revoked = registry.revoke_token(named)
    done(f"revoked token {revoked}", {"id": revoked}, as_json=as_json)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
