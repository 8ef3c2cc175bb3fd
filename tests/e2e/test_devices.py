"""A device's whole life over HTTP, from its making to its removal, with the real engine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sandboxes import Sandbox, running, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNT = "5511900000000"


class Front:
    """One device, made over HTTP, and the calls about it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.id = str(self.call("POST", "/devices", json={"name": "Front desk"})["device"]["id"])

    def call(self, method: str, path: str, **options: Any) -> Any:
        """Calls; gives the body of a success."""
        reply = self._sandbox.call(method, path, **options)
        assert 200 == reply.status_code, reply.text
        return reply.json()

    def status(self) -> Any:
        """Asks how the device is."""
        return self.call("GET", f"/status?device_id={self.id}")["data"]

    def link(self) -> None:
        """Shows a QR code to the phone; returns once the device is connected."""
        code = self.call("GET", f"/qr?device_id={self.id}")["data"]["qr_code"]
        self._sandbox.control("scan", text=code, account=ACCOUNT)
        wait_for(lambda: "phone_number" in self.status(), 20, "the link")
        wait_for(lambda: self.status()["connected"], 20, "the connection")


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox of its own: linking here replaces the device of the first user."""
    with running(tmp_path_factory.mktemp("devices")) as started:
        yield started


@pytest.fixture
def front(sandbox: Sandbox) -> Front:
    """A device that is not linked."""
    return Front(sandbox)


def _store(sandbox: Sandbox, device: str) -> Path:
    directory = Path(sandbox.ready["emulator"]["ca"]).parent
    return directory / "data" / "devices" / device / "store.db"


class TestLife:
    """What becomes of one device."""

    def test_a_whole_life(self, sandbox: Sandbox, front: Front) -> None:
        """Made, linked, disconnected, connected, logged out, removed: each step shows."""
        assert "new" == front.status()["status"]
        front.link()
        linked = front.status()
        assert (ACCOUNT, True) == (linked["phone_number"], linked["is_logged_in"])
        off = front.call("POST", f"/disconnect?device_id={front.id}")["data"]["device_id"]
        assert (front.id, "disconnected") == (off, front.status()["status"])
        on = front.call("POST", "/connect", json={"device_id": front.id})["data"]
        assert {"status": "connected", "device_id": front.id, "needs_qr": False} == on
        front.call("POST", f"/logout?device_id={front.id}")
        assert ("logged_out", False) == (
            front.status()["status"],
            front.status()["is_logged_in"],
        )
        front.call("DELETE", f"/devices/{front.id}?purge=true")
        listed = [device["id"] for device in front.call("GET", "/devices")["devices"]]
        assert (False, False) == (front.id in listed, _store(sandbox, front.id).parent.exists())

    def test_delete_keeps_the_link(self, sandbox: Sandbox, front: Front) -> None:
        """A deleted device is only disconnected: its keys stay, and connect brings it back."""
        front.link()
        front.call("DELETE", f"/devices/{front.id}")
        assert ("disconnected", True) == (
            front.status()["status"],
            _store(sandbox, front.id).exists(),
        )
        assert "connected" == front.call("POST", f"/connect?device_id={front.id}")["data"]["status"]
        front.call("DELETE", f"/devices/{front.id}?purge=true")

    def test_codes(self, sandbox: Sandbox, front: Front) -> None:
        """The code that is shown is given again; a refresh gives another; a phone takes either."""
        query = f"device_id={front.id}"
        first = front.call("GET", f"/qr?{query}")["data"]
        again = front.call("GET", f"/qr?{query}")["data"]
        assert (first["qr_code"], True) == (again["qr_code"], again["cached"])
        assert front.call("GET", f"/qr/status?{query}")["data"]["exists"]
        fresh = front.call("GET", f"/qr?{query}&refresh=true")["data"]
        assert (False, False) == (fresh["cached"], fresh["qr_code"] == first["qr_code"])
        sandbox.control("scan", text=fresh["qr_code"], account=ACCOUNT)
        wait_for(lambda: front.status()["connected"], 20, "the connection")
        refused = sandbox.call("GET", f"/qr?{query}")
        assert (400, "device_id") == (
            refused.status_code,
            refused.json()["validation"][0]["field"],
        )
        front.call("DELETE", f"/devices/{front.id}?purge=true")
