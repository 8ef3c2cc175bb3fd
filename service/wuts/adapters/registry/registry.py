"""The token directory: who holds a token, and which devices are theirs."""

from __future__ import annotations

import uuid
from sqlite3 import IntegrityError
from typing import TYPE_CHECKING, cast

from cachetools import LRUCache

from wuts.adapters.registry.database import Taken
from wuts.adapters.registry.people import People, digest, moment, now
from wuts.adapters.registry.records import require_device_id
from wuts.domain.caller import Caller, DeviceId, Role
from wuts.domain.device import DeviceRecord
from wuts.domain.errors import NotFound
from wuts.domain.jid import parse_user

if TYPE_CHECKING:
    from pathlib import Path

    from wuts.domain.jid import Jid


class Registry(People):
    """Tenants, users, devices and tokens in `<data>/registry.db`.

    Answers the ports TokenDirectory and Devices.

    Tenants and users are named by their handles everywhere, in a Caller too;
    devices by their ids. Callers are remembered until anything is written: a
    revocation, by whichever process, holds from the next request on. Raises
    ServiceUnavailable when the file cannot be read or written within a second.
    """

    def __init__(self, data: Path) -> None:
        """Opens the registry in the data directory."""
        super().__init__(data)
        self._callers: LRUCache[bytes, Caller] = LRUCache(_CALLERS)
        self._callers_of = (0, 0)

    def authenticate(self, token: str) -> Caller | None:
        """Tells who holds this token; None for an unknown or revoked one."""
        version, sha256 = self._database.version(), digest(token)
        if version != self._callers_of:
            self._callers.clear()
            self._callers_of = version
        caller = self._callers.get(sha256)
        if caller is None:
            caller = self._find_caller(sha256)
            if caller is not None:
                self._callers[sha256] = caller
        return caller

    def _find_caller(self, sha256: bytes) -> Caller | None:
        statement = (
            "SELECT u.tenant, u.name, u.role, t.device, d.id FROM tokens AS t"
            " JOIN users AS u ON u.tenant = t.tenant AND u.name = t.user"
            " LEFT JOIN devices AS d ON d.tenant = u.tenant AND d.user = u.name"
            " WHERE t.sha256 = :sha256 AND t.revoked_at IS NULL ORDER BY d.created_at, d.rowid"
        )
        rows = cast("list[_CallerRow]", self._database.read(statement, {"sha256": sha256}))
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
        statement = (
            "INSERT INTO devices (id, tenant, user, name, created_at, updated_at)"
            " VALUES (:id, :tenant, :user, :name, :now, :now)"
        )
        try:
            self._database.write(statement, owner | {"id": device, "name": name, "now": now()})
        except IntegrityError:
            raise Taken(what=f"device {device}") from None
        return DeviceId(device)

    def devices(self, tenant: str | None = None, user: str | None = None) -> list[DeviceRecord]:
        """Lists the devices of one user, of one tenant or of all, oldest first."""
        rows = self._database.read(
            f"{_DEVICES} WHERE (:tenant IS NULL OR tenant = :tenant)"
            " AND (:user IS NULL OR user = :user) ORDER BY created_at, rowid",
            {"tenant": tenant, "user": user},
        )
        return [_device(cast("_DeviceRow", row)) for row in rows]

    def device(self, tenant: str, device: str) -> DeviceRecord:
        """Finds a device of a tenant; raises NotFound."""
        values = {"tenant": tenant, "id": device}
        rows = self._database.read(f"{_DEVICES} WHERE tenant = :tenant AND id = :id", values)
        if not rows:
            raise NotFound(what="device")
        return _device(cast("_DeviceRow", rows[0]))

    def devices_to_connect(self) -> list[DeviceId]:
        """Lists the devices whose sessions a starting service brings up."""
        rows = self._database.read("SELECT id FROM devices WHERE should_connect ORDER BY rowid")
        return [DeviceId(str(device)) for (device,) in rows]

    def devices_logged_out(self) -> list[DeviceId]:
        """Lists the devices that were linked and are no more."""
        rows = self._database.read("SELECT id FROM devices WHERE logged_out ORDER BY rowid")
        return [DeviceId(str(device)) for (device,) in rows]

    def record_linked(self, device: DeviceId, account: Jid) -> None:
        """Remembers that a device is linked and should be connected; raises NotFound."""
        assignments = "account = :account, should_connect = 1, logged_out = 0"
        self._change(device, assignments, account=str(account))

    def record_unlinked(self, device: DeviceId) -> None:
        """Remembers that a device is linked no more; raises NotFound."""
        self._change(device, "account = NULL, should_connect = 0, logged_out = 1")

    def set_should_connect(self, device: DeviceId, *, should_connect: bool) -> None:
        """Remembers whether a restarted service connects the device; raises NotFound."""
        # No change of the device itself: updated_at stays.
        statement = "UPDATE devices SET should_connect = :connect WHERE id = :id"
        values = {"id": device, "connect": int(should_connect)}
        if not self._database.write(statement, values):
            raise NotFound(what="device")

    def remove_device(self, device: DeviceId) -> None:
        """Removes a device and the tokens bound to it; raises NotFound."""
        if not self._database.write("DELETE FROM devices WHERE id = :id", {"id": device}):
            raise NotFound(what="device")

    def _change(self, device: DeviceId, assignments: str, **values: str) -> None:
        # Assignments are written in this class.
        statement = f"UPDATE devices SET {assignments}, updated_at = :now WHERE id = :id"  # noqa: S608
        if not self._database.write(statement, {"id": device, "now": now(), **values}):
            raise NotFound(what="device")


_CALLERS = 10_000
# Some megabytes at the most.
_DEVICES = "SELECT id, tenant, user, name, account, created_at, updated_at FROM devices"
_CallerRow = tuple[str, str, str, DeviceId | None, DeviceId | None]
_DeviceRow = tuple[DeviceId, str, str, str | None, str | None, int, int]


def _device(row: _DeviceRow) -> DeviceRecord:
    device, tenant, user, name, account, created_at, updated_at = row
    return DeviceRecord(
        device,
        tenant=tenant,
        user=user,
        name=name or "",
        account=parse_user(account) if account else None,
        created_at=moment(created_at),
        updated_at=moment(updated_at),
    )
