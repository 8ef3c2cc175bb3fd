"""What every port Devices does, in memory and in the registry's file."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from fakes_store import InMemoryTokenDirectory
from wuts.adapters.registry import Registry
from wuts.domain.caller import DeviceId
from wuts.domain.errors import NotFound
from wuts.domain.jid import pn_jid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from wuts.ports import Devices, TokenDirectory

    class Subject(Devices, TokenDirectory, Protocol):
        """Both ports: one object answers them, so that they agree."""


ACCOUNT = pn_jid("5511900000000")
NOBODY = DeviceId("none")


@pytest.fixture(params=["memory", "sqlite"])
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """Gives each implementation in turn, with two users of acme and one of other."""
    users = [("acme", "ana"), ("acme", "bob"), ("other", "ana")]
    if request.param == "memory":
        memory = InMemoryTokenDirectory()
        for tenant, user in users:
            memory.add_user(tenant, user)
        yield memory
        return
    registry = Registry(tmp_path)
    for tenant in ("acme", "other"):
        registry.add_tenant(tenant)
    for tenant, user in users:
        registry.add_user(tenant, user)
    yield registry
    registry.close()


class TestCreate:
    """Devices.create_device."""

    def test_id(self, subject: Subject) -> None:
        """Each device gets a random UUID."""
        ids = [subject.create_device("acme", "ana", name="desk") for _ in range(2)]
        assert ids == [str(uuid.UUID(device)) for device in ids]
        assert ids[0] != ids[1]

    def test_record(self, subject: Subject) -> None:
        """A new device has its owner and name, no account, and has never changed."""
        device = subject.create_device("acme", "ana", name="Front desk")
        record = subject.device("acme", device)
        expected = (device, "acme", "ana", "Front desk", None)
        assert expected == (record.id, record.tenant, record.user, record.name, record.account)
        assert record.created_at == record.updated_at
        assert record.created_at.tzinfo is not None

    def test_without_a_name(self, subject: Subject) -> None:
        """A device that was never named has an empty name."""
        device = subject.create_device("acme", "ana")
        assert "" == subject.device("acme", device).name

    def test_unknown_user(self, subject: Subject) -> None:
        """A device of an unknown user is refused."""
        with pytest.raises(NotFound) as refusal:
            subject.create_device("acme", "nobody", name="x")
        assert "user" == refusal.value.what


class TestFind:
    """Devices.device and Devices.devices."""

    def test_of_a_user(self, subject: Subject) -> None:
        """A user's devices are listed oldest first, and nobody else's."""
        mine = [subject.create_device("acme", "ana") for _ in range(3)]
        subject.create_device("acme", "bob")
        subject.create_device("other", "ana")
        assert mine == [device.id for device in subject.devices("acme", "ana")]

    def test_of_a_tenant(self, subject: Subject) -> None:
        """Without a user all of the tenant are listed, whoever made them first."""
        order = ("bob", "ana", "bob")
        made = [subject.create_device("acme", user) for user in order]
        subject.create_device("other", "ana")
        assert made == [device.id for device in subject.devices("acme")]

    def test_another_tenants(self, subject: Subject) -> None:
        """Another tenant's device does not exist."""
        device = subject.create_device("other", "ana")
        with pytest.raises(NotFound) as refusal:
            subject.device("acme", device)
        assert "device" == refusal.value.what

    @pytest.mark.parametrize("text", ["", "none", "x' OR 1=1 --", "%", "\0", "../other"])
    def test_unknown(self, subject: Subject, text: str) -> None:
        """An id that nobody made finds nothing, whatever is in it."""
        subject.create_device("acme", "ana")
        with pytest.raises(NotFound):
            subject.device("acme", text)

    def test_linked(self, subject: Subject) -> None:
        """A linked device has its account."""
        device = subject.create_device("acme", "ana")
        subject.record_linked(device, ACCOUNT)
        assert ACCOUNT == subject.device("acme", device).account


class TestChange:
    """Devices.set_should_connect and Devices.remove_device."""

    def test_wish_leaves_the_record(self, subject: Subject) -> None:
        """Whether a device is to be connected is no change of the device."""
        device = subject.create_device("acme", "ana")
        before = subject.device("acme", device)
        subject.set_should_connect(device, should_connect=True)
        assert before == subject.device("acme", device)

    def test_removed(self, subject: Subject) -> None:
        """A removed device is gone, and the others stay."""
        gone, kept = (subject.create_device("acme", "ana") for _ in range(2))
        subject.remove_device(gone)
        assert [kept] == [device.id for device in subject.devices("acme")]

    def test_tokens_of_a_removed_device(self, subject: Any) -> None:
        """Tokens bound to a removed device are nobody's; those of its user stay."""
        device = subject.create_device("acme", "ana")
        made = [subject.add_token("acme", "ana", bound) for bound in (device, None)]
        tokens = [getattr(token, "token", token) for token in made]
        subject.remove_device(device)
        assert [False, True] == [subject.authenticate(token) is not None for token in tokens]

    @pytest.mark.parametrize(
        "change",
        [
            lambda devices: devices.set_should_connect(NOBODY, should_connect=True),
            lambda devices: devices.set_should_connect(NOBODY, should_connect=False),
            lambda devices: devices.remove_device(NOBODY),
            lambda devices: devices.record_linked(NOBODY, ACCOUNT),
        ],
    )
    def test_unknown(self, subject: Subject, change: Callable[[Devices], None]) -> None:
        """A device that does not exist cannot be changed."""
        with pytest.raises(NotFound) as refusal:
            change(subject)
        assert "device" == refusal.value.what
