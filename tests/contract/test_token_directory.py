"""What every TokenDirectory does, in memory and in the registry's file."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Protocol

import pytest

from fakes_store import InMemoryTokenDirectory
from wuts.adapters.registry import Registry
from wuts.domain.caller import Caller, DeviceId, Role
from wuts.domain.errors import NotFound
from wuts.domain.jid import pn_jid

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wuts.ports import Devices, TokenDirectory

    class Directory(Devices, TokenDirectory, Protocol):
        """Both ports: one object answers them, so that they agree."""


class Filler(Protocol):
    """Does what an operator does."""

    def add_user(self, tenant: str, user: str, role: Role = Role.USER) -> None:
        """Adds a user, and the tenant when it is new."""

    def add_token(self, tenant: str, user: str, device: DeviceId | None = None) -> str:
        """Makes a token."""
        ...

    def revoke_token(self, token: str) -> None:
        """Revokes a token."""


class Operator:
    """Fills a registry from a second connection, as the command line does."""

    def __init__(self, data: Path) -> None:
        self._registry = Registry(data)
        self.close = self._registry.close

    def add_user(self, tenant: str, user: str, role: Role = Role.USER) -> None:
        """Adds a user, and the tenant when it is new."""
        if tenant not in self._registry.tenants():
            self._registry.add_tenant(tenant)
        self._registry.add_user(tenant, user, role)

    def add_token(self, tenant: str, user: str, device: DeviceId | None = None) -> str:
        """Makes a token."""
        return self._registry.add_token(tenant, user, device).token

    def revoke_token(self, token: str) -> None:
        """Revokes a token."""
        self._registry.revoke_token(token)


class Subject:
    """A directory under test and the way to fill it."""

    def __init__(self, directory: Directory, filler: Filler) -> None:
        self.directory = directory
        self.fill = filler
        filler.add_user("acme", "ana")


@pytest.fixture(params=["memory", "sqlite"])
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    """Gives each of the directories in turn."""
    if request.param == "memory":
        memory = InMemoryTokenDirectory()
        yield Subject(memory, memory)
        return
    registry, operator = Registry(tmp_path), Operator(tmp_path)
    yield Subject(registry, operator)
    operator.close()
    registry.close()


class TestAuthenticate:
    """TokenDirectory.authenticate."""

    def test_unknown(self, subject: Subject) -> None:
        """A token nobody made is nobody's."""
        assert subject.directory.authenticate(str(uuid.uuid4())) is None

    def test_no_device(self, subject: Subject) -> None:
        """A user without devices is a caller without devices."""
        token = subject.fill.add_token("acme", "ana")
        expected = Caller("acme", "ana", Role.USER, None, ())
        assert expected == subject.directory.authenticate(token)

    @pytest.mark.parametrize("role", list(Role))
    def test_role(self, subject: Subject, role: Role) -> None:
        """The caller has the user's role."""
        subject.fill.add_user("acme", "boss", role)
        caller = subject.directory.authenticate(subject.fill.add_token("acme", "boss"))
        assert Caller("acme", "boss", role, None, ()) == caller

    def test_devices(self, subject: Subject) -> None:
        """The caller has all devices of the user, and of nobody else."""
        subject.fill.add_user("acme", "bob")
        subject.fill.add_user("other", "ana")
        mine = {subject.directory.create_device("acme", "ana") for _ in range(2)}
        subject.directory.create_device("acme", "bob")
        subject.directory.create_device("other", "ana")
        caller = subject.directory.authenticate(subject.fill.add_token("acme", "ana"))
        assert caller is not None
        assert mine == set(caller.devices)

    def test_bound(self, subject: Subject) -> None:
        """A bound token names its device among the user's."""
        devices = [subject.directory.create_device("acme", "ana") for _ in range(2)]
        token = subject.fill.add_token("acme", "ana", devices[1])
        caller = subject.directory.authenticate(token)
        assert caller is not None
        assert devices[1] == caller.bound_device

    def test_revoked(self, subject: Subject) -> None:
        """A revoked token is nobody's from the next request on; others stay."""
        revoked = subject.fill.add_token("acme", "ana")
        kept = subject.fill.add_token("acme", "ana")
        assert subject.directory.authenticate(revoked) is not None
        subject.fill.revoke_token(revoked)
        callers = [subject.directory.authenticate(token) for token in (revoked, kept)]
        assert [None, Caller("acme", "ana", Role.USER, None, ())] == callers

    def test_same_name_in_two_tenants(self, subject: Subject) -> None:
        """Users of one name in two tenants are two users."""
        subject.fill.add_user("other", "ana", Role.ADMIN)
        tokens = [subject.fill.add_token(tenant, "ana") for tenant in ("acme", "other")]
        callers = [subject.directory.authenticate(token) for token in tokens]
        assert [
            Caller("acme", "ana", Role.USER, None, ()),
            Caller("other", "ana", Role.ADMIN, None, ()),
        ] == callers


class TestDevices:
    """Devices that are created and linked show in who is calling."""

    def test_ids(self, subject: Subject) -> None:
        """Every new device gets an id of its own, a UUID."""
        ids = [subject.directory.create_device("acme", "ana") for _ in range(2)]
        assert ids == [str(uuid.UUID(device)) for device in ids]
        assert ids[0] != ids[1]

    def test_unknown_user(self, subject: Subject) -> None:
        """A device of an unknown user is refused."""
        with pytest.raises(NotFound) as refusal:
            subject.directory.create_device("acme", "nobody")
        assert refusal.value.what == "user"

    def test_record_linked(self, subject: Subject) -> None:
        """A device that is linked again may change its account."""
        device = subject.directory.create_device("acme", "ana")
        subject.directory.record_linked(device, pn_jid("5511900000000"))
        subject.directory.record_linked(device, pn_jid("5511900000001"))
        caller = subject.directory.authenticate(subject.fill.add_token("acme", "ana"))
        assert caller is not None
        assert (device,) == caller.devices

    def test_record_linked_of_an_unknown_device(self, subject: Subject) -> None:
        """An unknown device cannot be linked."""
        with pytest.raises(NotFound) as refusal:
            subject.directory.record_linked(DeviceId("none"), pn_jid("5511900000000"))
        assert refusal.value.what == "device"
