"""The token directory: who holds a token, and which devices are theirs."""

from __future__ import annotations

import uuid
from sqlite3 import IntegrityError
from typing import TYPE_CHECKING, cast

from wuts.adapters.registry.database import Taken
from wuts.adapters.registry.people import People, digest, moment, now
from wuts.adapters.registry.records import Device, require_device_id
from wuts.domain.caller import Caller, DeviceId, Role
from wuts.domain.errors import NotFound

if TYPE_CHECKING:
    from wuts.domain.jid import Jid


class Registry(People):
    """Tenants, users, devices and tokens in `<data>/registry.db`.

    Tenants and users are named by their handles everywhere, in a Caller too;
    devices by their ids. Nothing is cached: a revocation, by whichever process,
    holds from the next request on. Raises ServiceUnavailable when the file
    cannot be read or written within a second.
    """

    def authenticate(self, token: str) -> Caller | None:
        """Tells who holds this token; None for an unknown or revoked one."""
        statement = (
            "SELECT u.tenant, u.name, u.role, t.device, d.id FROM tokens AS t"
            " JOIN users AS u ON u.tenant = t.tenant AND u.name = t.user"
            " LEFT JOIN devices AS d ON d.tenant = u.tenant AND d.user = u.name"
            " WHERE t.sha256 = :sha256 AND t.revoked_at IS NULL ORDER BY d.created_at, d.id"
        )
        rows = cast("list[_CallerRow]", self._database.read(statement, {"sha256": digest(token)}))
        if not rows:
            return None
        tenant, user, role, bound_device, _ = rows[0]
        devices = tuple(device for *_, device in rows if device is not None)
        return Caller(tenant, user, Role(role), bound_device, devices)

    def create_device(
        self, tenant: str, user: str, *, device_id: str | None = None, name: str | None = None
    ) -> DeviceId:
        """Creates one more device for a user; without an id, of a random UUID.

        Raises NotFound for an unknown user, RegistryError for an id that is
        taken or no name for a directory. Makes no directory.
        """
        device = require_device_id(str(uuid.uuid4()) if device_id is None else device_id)
        owner = {"tenant": tenant, "user": user}
        if not self._exists("users", "tenant = :tenant AND name = :user", owner):
            raise NotFound(what="user")
        statement = "INSERT INTO devices VALUES (:id, :tenant, :user, :name, NULL, 0, :now)"
        try:
            self._database.write(statement, owner | {"id": device, "name": name, "now": now()})
        except IntegrityError:
            raise Taken(what=f"device {device}") from None
        return DeviceId(device)

    def record_linked(self, device: DeviceId, account: Jid) -> None:
        """Remembers that a device is linked and should be connected; raises NotFound."""
        self._change_device(device, account=str(account), should_connect=True)

    def record_unlinked(self, device: DeviceId) -> None:
        """Remembers that a device is linked no more; raises NotFound."""
        self._change_device(device, account=None, should_connect=False)

    def devices(self, tenant: str | None = None, user: str | None = None) -> list[Device]:
        """Lists the devices of one user, of one tenant or of all, oldest first."""
        statement = (
            "SELECT id, tenant, user, name, account, should_connect, created_at FROM devices"
            " WHERE (:tenant IS NULL OR tenant = :tenant) AND (:user IS NULL OR user = :user)"
            " ORDER BY tenant, user, created_at, id"
        )
        rows = self._database.read(statement, {"tenant": tenant, "user": user})
        return [_device(cast("_DeviceRow", row)) for row in rows]

    def devices_to_connect(self) -> list[DeviceId]:
        """Lists the devices whose sessions a starting service brings up."""
        return [device.id for device in self.devices() if device.should_connect]

    def _change_device(
        self, device: DeviceId, *, account: str | None, should_connect: bool
    ) -> None:
        changed = self._database.write(
            "UPDATE devices SET account = :account, should_connect = :connect WHERE id = :id",
            {"id": device, "account": account, "connect": int(should_connect)},
        )
        if not changed:
            raise NotFound(what="device")


_CallerRow = tuple[str, str, str, DeviceId | None, DeviceId | None]
_DeviceRow = tuple[DeviceId, str, str, str | None, str | None, int, int]


def _device(row: _DeviceRow) -> Device:
    device, tenant, user, name, account, should_connect, created_at = row
    return Device(device, tenant, user, name, account, bool(should_connect), moment(created_at))
