"""Tests that each fault looks to the real client as losing the connection that way does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sandbox.running import (
    EmulatorProcess,
    NeonizeProcess,
    eventually,
    running_client,
    running_emulator,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PN = "5511900000000"
STAYS_DOWN = [
    ("stream-error", {"conflict": "replaced"}, "StreamReplaced"),
    ("stream-error", {"code": "401", "conflict": "device_removed"}, "LoggedOut"),
    ("login-failure", {"reason": "401"}, "LoggedOut"),
    ("login-failure", {"reason": "402", "attrs": {"code": "101", "expire": "9"}}, "TemporaryBan"),
    ("login-failure", {"reason": "403"}, "LoggedOut"),
    ("login-failure", {"reason": "405"}, "ClientOutdated"),
    ("login-failure", {"reason": "409"}, "ConnectFailure"),
]
COMES_BACK = [
    ("kill", {}),
    ("kill", {"how": "close-frame"}),
    ("kill", {"how": "xmlstreamend"}),
    ("stream-error", {"code": "503"}),
    ("stream-error", {"code": "999"}),
    ("stream-error", {"code": "515"}),
    ("login-failure", {"reason": "503", "times": 1}),
]


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """Runs an emulator with the default world."""
    with running_emulator(tmp_path_factory.mktemp("faults") / "e") as running:
        yield running


def is_online(emulator: EmulatorProcess) -> bool:
    """Tells whether the linked device is logged in."""
    online: bool = emulator.ask("accounts")["accounts"][0]["online"]
    return online


def cause(emulator: EmulatorProcess, command: str, fields: dict[str, Any]) -> None:
    """Switches a fault on; one that concerns logins needs a new login to be seen."""
    emulator.ask(command, **fields)
    if command == "login-failure":
        emulator.ask("kill")


@pytest.mark.parametrize(("command", "fields", "event"), STAYS_DOWN)
def test_stays_down(
    emulator: EmulatorProcess, tmp_path: Path, command: str, fields: dict[str, Any], event: str
) -> None:
    """A fault for good is told by its event, and the client makes no further attempt."""
    with running_client(emulator, tmp_path / "store.db") as neonize:
        emulator.ask("scan", text=neonize.ask("qr")["ok"], account=PN)
        assert neonize.ask("connected") == {"ok": True}
        cause(emulator, command, fields)
        seen = (neonize.ask("event")["ok"] for _ in range(10))
        told = next(kind for kind in seen if kind not in {"Message", "Disconnected"})
        emulator.ask("login-failure", reason="off")
        assert event == told
        assert eventually(lambda: not is_online(emulator))


@pytest.fixture(scope="module")
def linked(
    emulator: EmulatorProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[NeonizeProcess]:
    """Runs a client that outlives what happens to it."""
    with running_client(emulator, tmp_path_factory.mktemp("linked") / "store.db") as neonize:
        emulator.ask("scan", text=neonize.ask("qr")["ok"], account=PN)
        assert neonize.ask("connected") == {"ok": True}
        yield neonize


@pytest.mark.usefixtures("linked")
@pytest.mark.parametrize(("command", "fields"), COMES_BACK)
def test_comes_back(emulator: EmulatorProcess, command: str, fields: dict[str, Any]) -> None:
    """After a passing fault the client logs in again by itself."""
    before = emulator.counts()["login"]
    cause(emulator, command, fields)
    assert eventually(lambda: emulator.counts()["login"] > before)
    assert eventually(lambda: is_online(emulator))


@pytest.mark.parametrize("door", ["closed", "refusing"])
def test_outage(emulator: EmulatorProcess, linked: NeonizeProcess, door: str) -> None:
    """The client comes back when the port opens again."""
    emulator.ask("door", door=door)
    told = (linked.ask("event")["ok"] for _ in range(20))
    assert "Disconnected" in told
    emulator.ask("door", door="open")
    assert eventually(lambda: is_online(emulator))
