"""The registry of a run: tenants, users, tokens and devices as the world names them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wuts.adapters.registry import Registry
from wuts.domain.caller import Role
from wuts_sandbox.guards import mark_data_directory

if TYPE_CHECKING:
    from pathlib import Path

    from wuts_sandbox.world.document import Account, World


@dataclass(frozen=True)
class Resident:
    """One account of the world, with its device and its user's tokens.

    `token` is the user's; `own_token` is good for this device, also when the
    user has several.
    """

    account: Account
    device: str
    token: str
    own_token: str

    @property
    def name(self) -> str:
        """`<tenant>/<user>`."""
        return f"{self.account.tenant}/{self.account.user}"


def settle(data: Path, world: World) -> list[Resident]:
    """Makes a data directory and registers everybody; one device for each account."""
    mark_data_directory(data)
    registry = Registry(data)
    try:
        tokens: dict[tuple[str, str], str] = {}
        for tenant in dict.fromkeys(account.tenant for account in world.accounts):
            registry.add_tenant(tenant)
        for owner in dict.fromkeys((account.tenant, account.user) for account in world.accounts):
            registry.add_user(*owner, Role.ADMIN)
            tokens[owner] = registry.add_token(*owner).token
        counts = Counter((account.tenant, account.user) for account in world.accounts)
        return [
            _resident(registry, account, tokens, alone=counts[account.tenant, account.user] == 1)
            for account in world.accounts
        ]
    finally:
        registry.close()


def _resident(
    registry: Registry, account: Account, tokens: dict[tuple[str, str], str], *, alone: bool
) -> Resident:
    owner = (account.tenant, account.user)
    device = registry.create_device(*owner)
    bound = tokens[owner] if alone else registry.add_token(*owner, device).token
    return Resident(account, device, tokens[owner], bound)
