"""wuts.client and the real engine: a device's whole life, in both kinds of clients."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from sandboxes import Sandbox, running
from wuts.client import AsyncClient, Client, DeviceNotReady, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNT, PATIENCE = "5511900000000", 30.0
NAMES = ["Maria Silva", "Joao Pereira"]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox of its own: devices come and go here."""
    with running(tmp_path_factory.mktemp("clients")) as started:
        yield started


def _address(sandbox: Sandbox) -> str:
    return str(sandbox.ready["http"]).removeprefix("http://")


class TestClient:
    """Client."""

    def test_what_the_engine_received(self, sandbox: Sandbox) -> None:
        """Contacts, a picture and an identity are those of the documented example."""
        with Client(_address(sandbox), token=sandbox.token, tls=False) as client:
            names = [contact.full_name for contact in client.contacts(page_size=1)]
            picture = client.picture(number="5511999999999", preview=False)
            (item,) = client.resolve(["112233445566778@lid"]).items
        assert (NAMES, "1700000000") == (names, picture.id)
        assert ("5511888888888", "Joao Pereira") == (item.phone_number, item.full_name)

    def test_a_whole_life(self, sandbox: Sandbox) -> None:
        """Made, linked, watched, disconnected, connected, logged out and removed."""
        with Client(_address(sandbox), token=sandbox.token, tls=False, timeout=PATIENCE) as client:
            device = client.create_device("Front desk").id
            for step in client.link_device(device, timeout=PATIENCE):
                if step.qr_code:
                    sandbox.control("scan", text=step.qr_code.text, account=ACCOUNT)
            assert f"{ACCOUNT}@s.whatsapp.net" == (step.linked and step.linked.jid)
            with ThreadPoolExecutor(1) as pool:
                watching = pool.submit(self._until, client, device, "DISCONNECTED")
                client.disconnect_device(device)
                seen = watching.result(PATIENCE)
            assert "DISCONNECTED" == seen[-1]
            assert "connected" == client.connect_device(device).status
            client.logout_device(device)
            assert ("logged_out", False) == self._standing(client, device)
            client.delete_device(device, purge=True)
            with pytest.raises(NotFound):
                client.device_status(device)

    @staticmethod
    def _until(client: Client, device: str, state: str) -> list[str]:
        """Watches a device until it is in a state; gives the states it was in."""
        seen = []
        for told in client.watch_device(device, timeout=PATIENCE):
            seen.append(told.state)
            if told.state == state:
                break
        return seen

    @staticmethod
    def _standing(client: Client, device: str) -> tuple[str, bool]:
        status = client.device_status(device)
        return status.status, status.is_logged_in


class TestAsyncClient:
    """AsyncClient."""

    async def test_linking(self, sandbox: Sandbox) -> None:
        """Codes are streamed until the phone has used one; then the device is there."""
        address = _address(sandbox)
        async with AsyncClient(address, token=sandbox.token, tls=False, timeout=PATIENCE) as client:
            device = (await client.create_device("Second")).id
            with pytest.raises(DeviceNotReady):
                await client.logout_device(device)
            async with aclosing(client.link_device(device, timeout=PATIENCE)) as steps:
                first = await anext(steps)
                assert first.qr_code is not None
                await asyncio.to_thread(
                    sandbox.control, "scan", text=first.qr_code.text, account=ACCOUNT
                )
                linked = [step.linked async for step in steps][-1]
            status = await client.device_status(device)
            await client.delete_device(device, purge=True)
        assert linked is not None
        assert (linked.jid, True) == (status.jid, status.is_logged_in)
