"""Administration of tenants, users and their tokens."""

from __future__ import annotations

import hashlib
import secrets
import time
import uuid
from datetime import UTC, datetime
from sqlite3 import IntegrityError
from typing import TYPE_CHECKING, cast

from wuts.adapters.registry.database import Database, InUse, Taken, Unknown
from wuts.adapters.registry.records import NewToken, TokenRecord, User, require_handle
from wuts.domain.caller import DeviceId, Role

if TYPE_CHECKING:
    from pathlib import Path


class People:
    """Adds, lists and removes tenants, users and tokens. All raise RegistryError."""

    def __init__(self, data: Path) -> None:
        """Opens the registry in the data directory."""
        self._database = Database(data)

    def close(self) -> None:
        """Closes the registry."""
        self._database.close()

    def add_tenant(self, name: str) -> None:
        """Adds a tenant."""
        values = {"name": require_handle(name, "tenant"), "now": now()}
        try:
            self._database.write("INSERT INTO tenants VALUES (:name, :now)", values)
        except IntegrityError:
            raise Taken(what=f"tenant {name}") from None

    def tenants(self) -> list[str]:
        """Lists all tenants by name."""
        rows = self._database.read("SELECT name FROM tenants ORDER BY name")
        return [str(name) for (name,) in rows]

    def remove_tenant(self, name: str, *, force: bool = False) -> None:
        """Removes a tenant; one that has users only by force, with all that is theirs."""
        if self.users(name) and not force:
            raise InUse(what=f"tenant {name}", by="users")
        if not self._database.write("DELETE FROM tenants WHERE name = :name", {"name": name}):
            raise Unknown(what=f"tenant {name}")

    def add_user(self, tenant: str, name: str, role: Role = Role.USER) -> None:
        """Adds a user to a tenant."""
        values = {"tenant": tenant, "name": require_handle(name, "user"), "role": role.value}
        statement = "INSERT INTO users VALUES (:tenant, :name, :role, :now)"
        if not self._exists("tenants", "name = :tenant", {"tenant": tenant}):
            raise Unknown(what=f"tenant {tenant}")
        try:
            self._database.write(statement, values | {"now": now()})
        except IntegrityError:
            raise Taken(what=f"user {tenant}/{name}") from None

    def users(self, tenant: str | None = None) -> list[User]:
        """Lists the users of one tenant, or of all, by tenant and name."""
        statement = (
            "SELECT tenant, name, role FROM users"
            " WHERE :tenant IS NULL OR tenant = :tenant ORDER BY tenant, name"
        )
        rows = cast(
            "list[tuple[str, str, str]]", self._database.read(statement, {"tenant": tenant})
        )
        return [User(owner, name, Role(role)) for owner, name, role in rows]

    def remove_user(self, tenant: str, name: str, *, force: bool = False) -> None:
        """Removes a user; one that has devices only by force, and them with it."""
        values = {"tenant": tenant, "user": name}
        if not force and self._exists("devices", "tenant = :tenant AND user = :user", values):
            raise InUse(what=f"user {tenant}/{name}", by="devices")
        statement = "DELETE FROM users WHERE tenant = :tenant AND name = :user"
        if not self._database.write(statement, values):
            raise Unknown(what=f"user {tenant}/{name}")

    def add_token(self, tenant: str, user: str, device: str | None = None) -> NewToken:
        """Makes a token for a user, bound to one of the user's devices if one is given."""
        owner = {"tenant": tenant, "user": user}
        if not self._exists("users", "tenant = :tenant AND name = :user", owner):
            raise Unknown(what=f"user {tenant}/{user}")
        made = NewToken(secrets.token_hex(4), str(uuid.uuid4()))
        values = owner | {"id": made.id, "sha256": digest(made.token), "device": device}
        statement = "INSERT INTO tokens VALUES (:sha256, :id, :tenant, :user, :device, :now, NULL)"
        try:
            self._database.write(statement, values | {"now": now()})
        except IntegrityError:
            raise Unknown(what=f"device {device} of user {tenant}/{user}") from None
        return made

    def tokens(self, tenant: str | None = None, user: str | None = None) -> list[TokenRecord]:
        """Lists the tokens of one user, of one tenant or of all, oldest first."""
        statement = (
            "SELECT id, tenant, user, device, created_at, revoked_at FROM tokens"
            " WHERE (:tenant IS NULL OR tenant = :tenant) AND (:user IS NULL OR user = :user)"
            " ORDER BY tenant, user, created_at, rowid"
        )
        rows = self._database.read(statement, {"tenant": tenant, "user": user})
        return [_token(cast("_TokenRow", row)) for row in rows]

    def revoke_token(self, id_or_token: str) -> str:
        """Revokes a token named by its id or by itself, and gives its id.

        Revoking twice is no error; the first time stays recorded.
        """
        values = {"id": id_or_token, "sha256": digest(id_or_token.lower()), "now": now()}
        rows = self._database.read(
            "UPDATE tokens SET revoked_at = COALESCE(revoked_at, :now)"
            " WHERE id = :id OR sha256 = :sha256 RETURNING id",
            values,
        )
        if not rows:
            # Never repeats what was given: it may be a token.
            raise Unknown(what="such token")
        return str(rows[0][0])

    def _exists(self, table: str, condition: str, values: dict[str, str]) -> bool:
        # Both texts are written in this module.
        statement = f"SELECT 1 FROM {table} WHERE {condition} LIMIT 1"  # noqa: S608
        return bool(self._database.read(statement, values))


_TokenRow = tuple[str, str, str, DeviceId | None, int, int | None]


def digest(token: str) -> bytes:
    """Gives what the registry keeps of a token: its SHA-256."""
    return hashlib.sha256(token.encode()).digest()


def now() -> int:
    """Gives the time as the registry keeps it."""
    return int(time.time())


def moment(seconds: int) -> datetime:
    """Reads a time of the registry."""
    return datetime.fromtimestamp(seconds, UTC)


def _token(row: _TokenRow) -> TokenRecord:
    token_id, tenant, user, device, created_at, revoked_at = row
    revoked = None if revoked_at is None else moment(revoked_at)
    return TokenRecord(token_id, tenant, user, device, moment(created_at), revoked)
