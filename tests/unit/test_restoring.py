"""What a starting service makes of registry and stores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from whatsmeow_files import WhatsmeowFiles
from wuts.adapters.registry import Registry
from wuts.adapters.sessions.sessions import Sessions
from wuts.adapters.whatsmeow_store import WhatsmeowStore
from wuts.domain.caller import DeviceId
from wuts.domain.errors import DomainError, NotFound
from wuts.domain.jid import pn_jid
from wuts.domain.state import DeviceState, Reason
from wuts.restoring import restore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from wuts.domain.jid import Jid

DEVICE, PN = DeviceId("device-a"), "5511900000000"
OTHER = DeviceId("device-b")


class Installation:
    """A data directory after the service was stopped, or killed."""

    def __init__(self, data: Path) -> None:
        self.files = WhatsmeowFiles(data)
        self.registry = Registry(data)
        self.registry.add_tenant("acme")
        self.registry.add_user("acme", "ana")
        self.registry.create_device("acme", "ana", device_id=DEVICE)
        self.store = WhatsmeowStore(data)
        self.sessions = Sessions(
            data / "devices",
            command=("false",),
            sandbox=False,
            account_of=self.store.account,
            on_linked=self._on_linked,
            on_logged_out=self._on_logged_out,
        )

    def link(self) -> None:
        """Links the device, with the registry's knowledge."""
        self.files.link(DEVICE, PN)
        self.registry.record_linked(DEVICE, pn_jid(PN))

    async def restore(self) -> tuple[list[DeviceId], DeviceState]:
        """Restores; gives what is to be connected, and the state until then."""
        found = await restore(self.registry, self.store, self.sessions)
        return found, self.sessions.state(DEVICE)

    @property
    def account(self) -> Jid | None:
        """What the registry says of the device."""
        return self.registry.device("acme", DEVICE).account

    async def close(self) -> None:
        """Closes everything."""
        await self.sessions.stop()
        self.store.close()
        self.registry.close()

    async def _on_linked(self, device: DeviceId, account: Jid) -> None:
        self.registry.record_linked(device, account)

    async def _on_logged_out(self, device: DeviceId) -> None:
        self.registry.record_unlinked(device)


@pytest.fixture
async def installation(tmp_path: Path) -> AsyncIterator[Installation]:
    """Gives one with a device that was never linked."""
    made = Installation(tmp_path)
    yield made
    await made.close()


class TestRestore:
    """restore()."""

    async def test_new(self, installation: Installation) -> None:
        """A device that was never linked is left alone."""
        assert ([], DeviceState.NEW) == await installation.restore()

    async def test_linked(self, installation: Installation) -> None:
        """A linked device comes back by itself."""
        installation.link()
        assert [DEVICE] == (await installation.restore())[0]

    async def test_missed_link(self, installation: Installation) -> None:
        """A link that the registry missed is recorded, and the device comes back."""
        installation.files.link(DEVICE, PN)
        found, _ = await installation.restore()
        assert ([DEVICE], pn_jid(PN)) == (found, installation.account)

    async def test_disconnected(self, installation: Installation) -> None:
        """A device that was disconnected by request stays so, and says so."""
        installation.link()
        installation.registry.set_should_connect(DEVICE, should_connect=False)
        assert ([], DeviceState.DISCONNECTED) == await installation.restore()
        status = installation.sessions.status(DEVICE)
        assert (Reason.DISCONNECTED_BY_REQUEST, pn_jid(PN)) == (status.reason, installation.account)

    async def test_logged_out(self, installation: Installation) -> None:
        """A device that was logged out still is."""
        installation.link()
        installation.files.unlink(DEVICE)
        installation.registry.record_unlinked(DEVICE)
        assert ([], DeviceState.LOGGED_OUT) == await installation.restore()

    async def test_missed_log_out(self, installation: Installation) -> None:
        """A log-out that the registry missed is recorded; nothing is connected."""
        installation.link()
        installation.files.unlink(DEVICE)
        assert ([], DeviceState.LOGGED_OUT) == await installation.restore()
        assert installation.account is None

    async def test_unknown_schema(self, installation: Installation) -> None:
        """A store that this release must not open is not opened, and that is said."""
        installation.link()
        installation.files.run(DEVICE, "UPDATE whatsmeow_version SET version = 99")
        assert ([], DeviceState.STORE_REFUSED) == await installation.restore()
        assert pn_jid(PN) == installation.account

    async def test_damaged(self, installation: Installation) -> None:
        """A damaged store is for the session to judge; the registry keeps what it knows."""
        installation.link()
        installation.files.path(DEVICE).write_bytes(b"\xa5" * 8192)
        found, _ = await installation.restore()
        assert ([DEVICE], pn_jid(PN)) == (found, installation.account)

    async def test_made_meanwhile(
        self, installation: Installation, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A device that somebody makes in the middle of it does no harm."""
        installation.link()
        real = installation.store.check

        async def check(device: DeviceId) -> object:
            installation.registry.create_device("acme", "ana", device_id=OTHER)
            return await real(device)

        monkeypatch.setattr(installation.store, "check", check)
        assert [DEVICE] == (await installation.restore())[0]

    @pytest.mark.parametrize("error", [NotFound("device")])
    async def test_registry_refuses(
        self, installation: Installation, monkeypatch: pytest.MonkeyPatch, error: DomainError
    ) -> None:
        """What cannot be recorded now does not keep the service from starting."""
        installation.files.link(DEVICE, PN)

        def refuse(_: DeviceId, __: Jid) -> None:
            raise error

        monkeypatch.setattr(installation.registry, "record_linked", refuse)
        assert ([], DeviceState.NEW) == await installation.restore()
