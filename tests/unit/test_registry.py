"""The registry's file and its administration."""

from __future__ import annotations

import fcntl
import hashlib
import os
import sqlite3
import subprocess
import sys
import threading
import uuid
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from wuts.adapters.registry import Registry, RegistryError, User
from wuts.domain.caller import DeviceId, Role
from wuts.domain.device import DeviceRecord
from wuts.domain.errors import NotFound, ServiceUnavailable
from wuts.domain.jid import pn_jid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

OPEN = (
    "import sys, pathlib; from wuts.adapters.registry import Registry; Registry(pathlib.Path({!r}))"
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Gives a data directory that does not exist yet."""
    return tmp_path / "deep" / "data"


@pytest.fixture
def registry(data: Path) -> Iterator[Registry]:
    """Gives a registry with a tenant, two users and one device."""
    registry = Registry(data)
    registry.add_tenant("acme")
    registry.add_user("acme", "ana", Role.ADMIN)
    registry.add_user("acme", "bob")
    registry.create_device("acme", "ana", device_id="phone-1", name="front desk")
    yield registry
    registry.close()


class TestFile:
    """registry.db."""

    @pytest.mark.parametrize("umask", [0o000, 0o077, 0o277])
    def test_private(self, data: Path, umask: int) -> None:
        """Directory and files are private under any umask."""
        before = os.umask(umask)
        try:
            data.parent.mkdir(mode=0o777)
            data.parent.chmod(0o755)
            registry = Registry(data)
        finally:
            os.umask(before)
        modes = {path.name: path.stat().st_mode & 0o777 for path in [data, *data.iterdir()]}
        registry.close()
        assert modes == {
            "data": 0o700,
            "registry.db": 0o600,
            "registry.db-wal": 0o600,
            "registry.db-shm": 0o600,
        }

    def test_made_private_again(self, data: Path, registry: Registry) -> None:
        """A registry that others may read is closed to them when it is opened."""
        (data / "registry.db").chmod(0o644)
        Registry(data).close()
        assert registry.tenants() == ["acme"]
        assert (data / "registry.db").stat().st_mode & 0o777 == 0o600

    def test_newer_schema(self, data: Path, registry: Registry) -> None:
        """A registry of a newer release is refused by both versions, and not altered."""
        registry.close()
        with closing(sqlite3.connect(data / "registry.db")) as connection, connection:
            connection.execute("INSERT INTO migrations VALUES (99, 0)")
        before = (data / "registry.db").read_bytes()
        with pytest.raises(RegistryError) as refusal:
            Registry(data)
        expected = "registry.db has schema 99, made by a newer release; this one knows up to 2"
        assert (expected, before) == (str(refusal.value), (data / "registry.db").read_bytes())

    def test_migrations_are_recorded(self, data: Path, registry: Registry) -> None:
        """Each migration is recorded once, however often the registry is opened."""
        Registry(data).close()
        with closing(sqlite3.connect(data / "registry.db")) as connection:
            versions = connection.execute("SELECT version FROM migrations").fetchall()
        assert (versions, registry.tenants()) == ([(1,), (2,)], ["acme"])

    def test_first_opened_by_many(self, data: Path) -> None:
        """Several processes may open a registry for the first time at once."""
        processes = [
            subprocess.Popen([sys.executable, "-c", OPEN.format(str(data))])  # our own
            for _ in range(4)
        ]
        assert [process.wait(30) for process in processes] == [0, 0, 0, 0]

    def test_opened_during_an_upgrade(self, data: Path, registry: Registry) -> None:
        """Who opens a registry while another upgrades it waits for the other."""
        directory = os.open(data, os.O_RDONLY)
        fcntl.flock(directory, fcntl.LOCK_EX)
        release = threading.Timer(0.1, lambda: os.close(directory))
        release.start()
        late = Registry(data)
        release.join(5)
        assert late.tenants() == registry.tenants()
        late.close()

    def test_damaged(self, data: Path) -> None:
        """A file that is no database is no registry."""
        data.mkdir(parents=True)
        (data / "registry.db").write_bytes(b"\xa5" * 8_192)
        with pytest.raises(ServiceUnavailable):
            Registry(data)

    def test_briefly_locked(self, data: Path, registry: Registry) -> None:
        """A change waits for another writer who is done within a second."""
        with closing(_writer(data)) as other:
            other.execute("BEGIN IMMEDIATE")
            release = threading.Timer(0.1, lambda: other.execute("ROLLBACK"))
            release.start()
            registry.add_tenant("late")
            release.join(5)
        assert registry.tenants() == ["acme", "late"]

    def test_long_locked(self, data: Path, registry: Registry) -> None:
        """While another writes for long, requests are answered and changes are given up."""
        token = registry.add_token("acme", "bob").token
        with closing(_writer(data)) as other:
            other.execute("BEGIN EXCLUSIVE")
            caller = registry.authenticate(token)
            with pytest.raises(ServiceUnavailable):
                registry.add_tenant("late")
        assert caller is not None

    def test_lost(self, data: Path, registry: Registry) -> None:
        """A registry that cannot be read is a service that is unavailable."""
        with closing(_writer(data)) as other:
            other.execute("DROP TABLE tokens")
        with pytest.raises(ServiceUnavailable):
            registry.authenticate(str(uuid.uuid4()))


class TestTokens:
    """Tokens of the registry."""

    def test_form(self, registry: Registry) -> None:
        """A token is a random UUID in lower case."""
        token = uuid.UUID(registry.add_token("acme", "bob").token)
        assert (token.version, str(token)) == (4, str(token).lower())

    def test_only_the_hash_is_kept(self, data: Path, registry: Registry) -> None:
        """The file holds a token's SHA-256 and nowhere the token."""
        token = registry.add_token("acme", "bob").token
        contents = b"".join(path.read_bytes() for path in data.iterdir())
        kept = [token.encode(), uuid.UUID(token).bytes, uuid.UUID(token).hex.encode()]
        assert [form in contents for form in kept] == [False, False, False]
        assert hashlib.sha256(token.encode()).digest() in contents

    def test_list(self, registry: Registry) -> None:
        """Tokens are listed by id, with owner, device and times."""
        made = registry.add_token("acme", "ana", "phone-1")
        registry.add_token("acme", "bob")
        (listed,) = registry.tokens("acme", "ana")
        assert (made.id, "acme", "ana", "phone-1", None) == (
            listed.id,
            listed.tenant,
            listed.user,
            listed.device,
            listed.revoked_at,
        )
        assert [len(registry.tokens(*who)) for who in ((), ("acme",), ("other",))] == [2, 2, 0]

    @pytest.mark.parametrize("form", ["id", "token", "upper"])
    def test_revoke(self, registry: Registry, form: str) -> None:
        """A token is revoked by its id or by itself, in any case."""
        made = registry.add_token("acme", "bob")
        names = {"id": made.id, "token": made.token, "upper": made.token.upper()}
        assert made.id == registry.revoke_token(names[form])
        assert registry.authenticate(made.token) is None

    def test_revoke_twice(self, registry: Registry) -> None:
        """The second revocation changes nothing."""
        made = registry.add_token("acme", "bob")
        registry.revoke_token(made.id)
        first = registry.tokens()
        registry.revoke_token(made.id)
        assert first == registry.tokens()
        assert first[0].revoked_at is not None

    def test_bound_to_a_foreign_device(self, registry: Registry) -> None:
        """A token cannot be bound to another user's device."""
        with pytest.raises(RegistryError) as refusal:
            registry.add_token("acme", "bob", "phone-1")
        assert str(refusal.value) == "there is no device phone-1 of user acme/bob"


class TestDevices:
    """Devices of the registry."""

    def test_new(self, registry: Registry) -> None:
        """A new device is not linked and not to be connected."""
        (device,) = registry.devices()
        expected = DeviceRecord(
            DeviceId("phone-1"),
            tenant="acme",
            user="ana",
            name="front desk",
            account=None,
            created_at=device.created_at,
            updated_at=device.created_at,
        )
        assert (expected, []) == (device, registry.devices_to_connect())

    def test_linked(self, registry: Registry) -> None:
        """A linked device has its account and is to be connected."""
        registry.record_linked(DeviceId("phone-1"), pn_jid("5511900000000"))
        (device,) = registry.devices("acme", "ana")
        assert (
            device.account,
            registry.devices_to_connect(),
        ) == (pn_jid("5511900000000"), ["phone-1"])

    def test_unlinked(self, registry: Registry) -> None:
        """A device that is linked no more is not to be connected."""
        registry.record_linked(DeviceId("phone-1"), pn_jid("5511900000000"))
        registry.record_unlinked(DeviceId("phone-1"))
        (device,) = registry.devices()
        assert (device.account, registry.devices_to_connect()) == (None, [])
        assert registry.devices_logged_out() == ["phone-1"]

    def test_linked_again(self, registry: Registry) -> None:
        """A device that is linked again is logged out no more."""
        registry.record_unlinked(DeviceId("phone-1"))
        registry.record_linked(DeviceId("phone-1"), pn_jid("5511900000000"))
        assert registry.devices_logged_out() == []

    def test_disconnected(self, registry: Registry) -> None:
        """A device that is disconnected by request stays linked, and is not brought up."""
        registry.record_linked(DeviceId("phone-1"), pn_jid("5511900000000"))
        registry.set_should_connect(DeviceId("phone-1"), should_connect=False)
        (device,) = registry.devices()
        assert ([], pn_jid("5511900000000")) == (registry.devices_to_connect(), device.account)

    def test_upgrade(self, data: Path, registry: Registry) -> None:
        """Devices of a registry of the first release last changed when they were created."""
        registry.close()
        with closing(sqlite3.connect(data / "registry.db")) as connection, connection:
            for column in ("updated_at", "logged_out"):
                connection.execute(f"ALTER TABLE devices DROP COLUMN {column}")
            connection.execute("DELETE FROM migrations WHERE version = 2")
            connection.execute("UPDATE devices SET created_at = 1000")
        upgraded = Registry(data)
        (device,) = upgraded.devices()
        upgraded.close()
        assert device.created_at == device.updated_at

    def test_unlink_unknown(self, registry: Registry) -> None:
        """An unknown device cannot be unlinked."""
        with pytest.raises(NotFound) as refusal:
            registry.record_unlinked(DeviceId("none"))
        assert refusal.value.what == "device"

    @pytest.mark.parametrize("device_id", ["", ".", "../up", "a/b", "-x", "a b", "x" * 65, "é"])
    def test_unfit_id(self, registry: Registry, device_id: str) -> None:
        """An id that could not name a directory is refused."""
        with pytest.raises(RegistryError) as refusal:
            registry.create_device("acme", "bob", device_id=device_id)
        assert "device id" in str(refusal.value)


class TestPeople:
    """Tenants and users of the registry."""

    def test_list(self, registry: Registry) -> None:
        """Users are listed by tenant and name."""
        registry.add_tenant("a")
        registry.add_user("a", "zoe", Role.MANAGER)
        assert registry.tenants() == ["a", "acme"]
        assert [User("a", "zoe", Role.MANAGER)] == registry.users("a")
        assert [user.name for user in registry.users()] == ["zoe", "ana", "bob"]

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            (lambda r: r.add_tenant("acme"), "tenant acme exists already"),
            (lambda r: r.add_user("acme", "bob"), "user acme/bob exists already"),
            (lambda r: r.add_user("none", "bob"), "there is no tenant none"),
            (lambda r: r.add_token("acme", "eve"), "there is no user acme/eve"),
            (lambda r: r.remove_tenant("none"), "there is no tenant none"),
            (lambda r: r.remove_tenant("acme"), "tenant acme has users"),
            (lambda r: r.remove_user("acme", "eve"), "there is no user acme/eve"),
            (lambda r: r.remove_user("acme", "ana"), "user acme/ana has devices"),
            (lambda r: r.revoke_token("secret"), "there is no such token"),
            (
                lambda r: r.create_device("acme", "bob", device_id="phone-1"),
                "device phone-1 exists already",
            ),
        ],
    )
    def test_refused(
        self, registry: Registry, change: Callable[[Registry], object], reason: str
    ) -> None:
        """What cannot be done is refused with its reason."""
        with pytest.raises(RegistryError) as refusal:
            change(registry)
        assert reason == str(refusal.value)

    @pytest.mark.parametrize("name", ["", "ação", "a/b", "a b", "-a", ".", "x" * 65, "a\n"])
    def test_unfit_names(self, registry: Registry, name: str) -> None:
        """A name that could not be written as TENANT/USER is refused."""
        refusals = []
        for add in (registry.add_tenant, lambda name: registry.add_user("acme", name)):
            with pytest.raises(RegistryError) as refusal:
                add(name)
            refusals.append(str(refusal.value).split(" is named")[0])
        assert refusals == ["a tenant", "a user"]

    def test_remove_user(self, registry: Registry) -> None:
        """A removed user's token is nobody's."""
        token = registry.add_token("acme", "bob").token
        registry.remove_user("acme", "bob")
        assert (
            registry.authenticate(token),
            [user.name for user in registry.users()],
        ) == (None, ["ana"])

    def test_remove_by_force(self, registry: Registry) -> None:
        """A tenant removed by force takes users, devices and tokens along, and nobody else's."""
        registry.add_tenant("other")
        registry.add_user("other", "ana")
        kept = registry.add_token("other", "ana").token
        gone = registry.add_token("acme", "ana", "phone-1").token
        registry.remove_tenant("acme", force=True)
        callers = [registry.authenticate(token) for token in (gone, kept)]
        assert [caller and caller.tenant for caller in callers] == [None, "other"]
        assert (registry.devices(), len(registry.tokens())) == ([], 1)


def _writer(data: Path) -> sqlite3.Connection:
    return sqlite3.connect(data / "registry.db", isolation_level=None, check_same_thread=False)
