"""`wuts doctor` on installations that are well, and on ones that are not."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import time
from contextlib import closing
from importlib import metadata
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from whatsmeow_files import WhatsmeowFiles
from wuts.adapters.data_directory import DataDirectory
from wuts.adapters.doctor import engine, machine
from wuts.adapters.registry import Registry
from wuts.cli.main import cli
from wuts.domain.caller import DeviceId
from wuts.domain.jid import pn_jid
from wuts.session.root_key import GENUINE_ROOT, locate_in_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from click.testing import Result

DEVICE = DeviceId("phone-1")
PN = "5511900000000"
Levels = dict[str, tuple[str, str, str]]


def run(data: Path, *words: str, **environment: str) -> Result:
    """Runs `wuts doctor`."""
    told = {"WUTS_GRPC_PORT": "0", **environment}
    return CliRunner().invoke(cli, ["doctor", "--data", str(data), *words], env=told)


def findings(data: Path, **environment: str) -> tuple[int, Levels]:
    """Gives the exit code, and level, message and remedy of each check."""
    result = run(data, "--json", **environment)
    told = json.loads(result.stdout)
    found = {one["check"]: one for one in told["findings"]}
    assert told["ok"] == (result.exit_code == 0)
    return result.exit_code, {
        check: (one["level"], one["message"], one["remedy"]) for check, one in found.items()
    }


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Gives a directory with one linked device."""
    data = tmp_path / "data"
    registry = Registry(data)
    registry.add_tenant("acme")
    registry.add_user("acme", "ana")
    registry.create_device("acme", "ana", device_id=DEVICE)
    registry.record_linked(DEVICE, pn_jid(PN))
    registry.close()
    (data / "devices").mkdir(mode=0o700)
    WhatsmeowFiles(data).link(DEVICE, PN)
    return data


@pytest.fixture
def taken() -> Iterator[int]:
    """Gives a port on which somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture(autouse=True)
def no_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the kernel say that its clock is right, whatever this machine's says."""
    monkeypatch.setattr(machine, "_is_unsynchronised", lambda: False)


class TestWell:
    """Nothing is wrong."""

    def test_text(self, data: Path) -> None:
        """Every check is one line that starts with ok; the exit code is 0."""
        result = run(data)
        checks = [line.partition(":")[0] for line in result.stdout.splitlines()]
        assert (0, "") == (result.exit_code, result.stderr)
        assert checks == [
            "ok    modes",
            "ok    sandbox",
            "ok    page-token key",
            "ok    registry",
            f"ok    store {DEVICE}",
            "ok    disk",
            "ok    port",
            "ok    engine",
            "ok    time",
        ]

    def test_messages(self, data: Path) -> None:
        """Schemas and versions are told."""
        code, found = findings(data)
        assert 0 == code
        assert ("ok", "intact, schema 15, linked", "") == found[f"store {DEVICE}"]
        assert ("ok", "neonize 0.5.2, genuine root key", "") == found["engine"]

    def test_alters_nothing(self, data: Path) -> None:
        """Contents and modes are the same afterwards."""
        before = {p: (p.read_bytes(), p.stat().st_mode) for p in data.rglob("*.db")}
        run(data)
        assert before == {p: (p.read_bytes(), p.stat().st_mode) for p in data.rglob("*.db")}

    def test_help(self) -> None:
        """The help shows an example."""
        assert "  wuts doctor --data" in CliRunner().invoke(cli, ["doctor", "-h"]).stdout


def _store(data: Path) -> Path:
    return data / "devices" / DEVICE / "store.db"


def _run_sql(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def _damage(path: Path) -> None:
    """Overwrites the middle of a database, all but its header."""
    _run_sql(path, "PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * 40_000)


class TestData:
    """What may be wrong with a data directory."""

    @pytest.mark.parametrize(
        ("spoil", "check", "level", "message"),
        [
            (lambda d: (d / "registry.db").chmod(0o644), "modes", "fail", "others may open"),
            (lambda d: d.chmod(0o750), "modes", "fail", "others may open"),
            (lambda d: (d / ".wuts-sandbox").touch(0o600), "sandbox", "fail", "not set"),
            (
                lambda d: (d / "page_token.key").touch(0o600),
                "page-token key",
                "fail",
                "0 bytes instead of 32",
            ),
            (
                lambda d: (d / "registry.db").write_bytes(b"\xa5" * 9_000),
                "registry",
                "fail",
                "cannot be read: NOTADB",
            ),
            (lambda d: _damage(d / "registry.db"), "registry", "fail", ""),
            (
                lambda d: _run_sql(d / "registry.db", "INSERT INTO migrations VALUES (99, 0)"),
                "registry",
                "fail",
                "schema 99",
            ),
            (
                lambda d: _run_sql(d / "registry.db", "DELETE FROM migrations WHERE version > 1"),
                "registry",
                "warn",
                "schema 1; this release brings it to",
            ),
            (lambda d: (d / "registry.db").unlink(), "registry", "warn", "there is none yet"),
            (
                lambda d: _store(d).unlink(),
                f"store {DEVICE}",
                "fail",
                "missing, though the device is linked",
            ),
            (lambda d: _damage(_store(d)), f"store {DEVICE}", "fail", ""),
            (
                lambda d: _run_sql(_store(d), "UPDATE whatsmeow_version SET version = 99"),
                f"store {DEVICE}",
                "fail",
                "schema 99; this release knows 8 to 15",
            ),
            (
                lambda d: _run_sql(_store(d), "DELETE FROM whatsmeow_device"),
                f"store {DEVICE}",
                "warn",
                "intact, but linked no more",
            ),
            (
                lambda d: (d / "devices" / "gone").mkdir(mode=0o700),
                "store gone",
                "warn",
                "belongs to no device",
            ),
            (
                lambda d: _store(d).with_name("store.db.damaged").touch(0o600),
                f"store {DEVICE}",
                "warn",
                "kept aside",
            ),
        ],
    )
    def test_found(
        self, data: Path, spoil: Callable[[Path], object], check: str, level: str, message: str
    ) -> None:
        """Each is found, with a remedy; only a failure is exit code 1."""
        spoil(data)
        code, found = findings(data)
        assert (level, True) == (found[check][0], message in found[check][1]), found
        assert found[check][2]
        assert (1 if level == "fail" else 0) == code

    def test_none(self, tmp_path: Path) -> None:
        """Without a data directory the rest is still checked."""
        code, found = findings(tmp_path / "none")
        assert (1, "fail") == (code, found["data directory"][0])
        assert {"data directory", "port", "engine", "time"} == set(found)

    def test_sandbox_setting(self, data: Path) -> None:
        """A sandbox never opens a directory of real devices."""
        assert "fail" == findings(data, WUTS_SANDBOX="true")[1]["sandbox"][0]
        (data / ".wuts-sandbox").touch(0o600)
        assert "ok" == findings(data, WUTS_SANDBOX="true")[1]["sandbox"][0]

    def test_settings(self, data: Path) -> None:
        """A setting that `serve` would refuse is found."""
        code, found = findings(data, WUTS_GRPC_PORT="many")
        assert (1, "fail") == (code, found["settings"][0])
        assert found["settings"][1].startswith("WUTS_GRPC_PORT: ")


class TestPort:
    """The port."""

    def test_taken(self, data: Path, taken: int) -> None:
        """Another program's port is a failure."""
        level, message, remedy = findings(data, WUTS_GRPC_PORT=str(taken))[1]["port"]
        assert ("fail", f"127.0.0.1:{taken} is taken by another program") == (level, message)
        assert "WUTS_GRPC_PORT" in remedy

    def test_ours(self, data: Path, taken: int) -> None:
        """The port of the running service is well."""
        directory = DataDirectory(data)
        directory.hold()
        directory.announce(taken)
        expected = f"our service (pid {os.getpid()}) answers on 127.0.0.1:{taken}"
        assert ("ok", expected, "") == findings(data)[1]["port"]

    def test_silent(self, data: Path) -> None:
        """A service that holds the directory and does not answer is a failure."""
        directory = DataDirectory(data)
        directory.hold()
        directory.announce(1)
        assert "fail" == findings(data)[1]["port"][0]

    def test_left_behind(self, data: Path) -> None:
        """What a killed service has left is a warning."""
        (data / "service.json").write_text('{"pid": 1, "port": 1}')
        (data / "service.json").chmod(0o600)
        level, message, _ = findings(data)[1]["port"]
        assert ("warn", True) == (level, "ended without a stop" in message)


class TestMachine:
    """Disk, engine and time."""

    @pytest.mark.parametrize(("mib", "level"), [(10, "fail"), (500, "warn"), (5_000, "ok")])
    def test_disk(self, data: Path, monkeypatch: pytest.MonkeyPatch, mib: int, level: str) -> None:
        """Little room is a warning, hardly any a failure."""
        room = type("Room", (), {"free": mib << 20, "total": 10_000 << 20})
        monkeypatch.setattr("shutil.disk_usage", lambda _path: room)
        assert (level, f"{mib} MiB free of 10000") == findings(data)[1]["disk"][:2]

    def test_clock_behind(self, data: Path) -> None:
        """A clock that is behind the files is a failure."""
        later = time.time() + 3_600
        os.utime(data / "registry.db", (later, later))
        level, message, _ = findings(data)[1]["time"]
        assert ("fail", True) == (level, "s younger" in message)

    def test_clock_unknown(self, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A clock that nobody keeps is a warning."""
        monkeypatch.setattr(machine, "_is_unsynchronised", lambda: True)
        assert "warn" == findings(data)[1]["time"][0]

    def test_other_engine(self, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Another version than the pinned one is a failure."""
        monkeypatch.setattr(engine, "_pinned", lambda: "9.9.9")
        level, message, _ = findings(data)[1]["engine"]
        expected = f"neonize {metadata.version('neonize')} is installed; this release is made for"
        assert ("fail", True) == (level, message.startswith(expected))

    def test_changed_engine(self, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A library with another root key is a failure."""

        def locate_changed(image: bytes) -> int:
            return locate_in_file(image.replace(GENUINE_ROOT, bytes(len(GENUINE_ROOT))))

        monkeypatch.setattr(engine, "locate_in_file", locate_changed)
        level, message, _ = findings(data)[1]["engine"]
        assert ("fail", True) == (level, "unknown build" in message)
