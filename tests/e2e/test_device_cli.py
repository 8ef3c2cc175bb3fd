"""The command line on a whole sandbox: devices, backup, doctor, as an operator uses them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sandboxes import Sandbox, running, wait_for
from terminals import Terminal
from wuts.cli.device.code_view import qr_rows
from wuts_sandbox.client import send

if TYPE_CHECKING:
    from collections.abc import Iterator

WUTS = str(Path(sys.executable).parent / "wuts")
NUMBER = "5511900000000"
SECONDS = 40


class Operator:
    """Runs `wuts` against a sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.device = str(sandbox.ready["device_id"])
        self.data = Path(sandbox.ready["emulator"]["ca"]).parent / "data"
        self.control = str(sandbox.ready["emulator"]["control"])
        self.environment = {
            "WUTS_URL": sandbox.ready["http"],
            "WUTS_TOKEN": sandbox.token,
            "WUTS_DATA_DIR": str(self.data),
            "WUTS_SANDBOX": "true",
        }

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end."""
        return subprocess.run(
            [WUTS, *words],
            env={**os.environ, **self.environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def json(self, *words: str) -> Any:  # as json.loads
        """Runs a command that succeeds and reads its JSON."""
        done = self.run(*words, "--json")
        assert 0 == done.returncode, done.stderr
        return json.loads(done.stdout)

    @contextlib.contextmanager
    def started(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """Starts a command that prints JSON line by line; ends it if it still runs."""
        process = subprocess.Popen(
            [WUTS, *words, "--json"],
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    def status(self) -> str:
        """The state of the first device, in lower case."""
        return str(self.json("device", "status", self.device)["status"])

    def wait_for_status(self, status: str) -> None:
        """Waits for a state."""
        wait_for(lambda: self.status() == status, SECONDS, status)


def next_line(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Reads the next object that a command prints."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.stderr.read() if process.stderr else ""
    told: dict[str, Any] = json.loads(line)
    return told


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Operator]:
    """Somebody with a sandbox of their own: one device, linked."""
    with running(tmp_path) as sandbox:
        yield Operator(sandbox)


class TestDevices:
    """`wuts device` through the gateway."""

    def test_connection(self, operator: Operator) -> None:
        """List, status, disconnect, connect; a watcher sees it all and ends at Ctrl-C with 130."""
        operator.wait_for_status("connected")
        (listed,) = operator.json("device", "list")
        assert (operator.device, True) == (listed["id"], listed["connected"])
        assert f"number:       +{NUMBER}" in operator.run("device", "status").stdout.splitlines()
        with operator.started("device", "status", "--watch", operator.device[:8]) as watching:
            assert "CONNECTED" == next_line(watching)["state"]
            gone = operator.run("device", "disconnect")
            assert (0, f"disconnected device {operator.device}\n") == (gone.returncode, gone.stdout)
            assert 503 == operator.sandbox.get("/contacts").status_code
            back = operator.run("device", "connect")
            assert (0, f"device {operator.device} is connected\n") == (back.returncode, back.stdout)
            seen = [next_line(watching)["state"]]
            while seen[-1] != "CONNECTED":
                seen.append(next_line(watching)["state"])
            assert "DISCONNECTED" == seen[0]
            watching.send_signal(signal.SIGINT)
            assert 130 == watching.wait(SECONDS)
        assert 200 == operator.sandbox.get("/contacts").status_code

    def test_link_in_a_terminal(self, operator: Operator) -> None:
        """Log out, link again: the drawn code is the one that the phone must scan."""
        done = operator.run("device", "logout", "--yes")
        assert (0, f"logged out device {operator.device}\n") == (done.returncode, done.stdout)
        operator.wait_for_status("logged_out")
        assert 1 == operator.run("device", "connect").returncode
        with Terminal([WUTS, "device", "link"], operator.environment) as terminal:
            terminal.expect("Good for")
            told = operator.sandbox.get("/qr").json()["data"]
            assert told["cached"] is True
            wait_for(
                lambda: all(row in terminal.text for row in qr_rows(told["qr_code"])), 5, "the code"
            )
            operator.sandbox.control("scan", text=told["qr_code"])
            assert 0 == terminal.end()
            expected = f"linked device {operator.device} to +{NUMBER}"
            assert expected == terminal.frame.strip()
        wait_for(lambda: operator.sandbox.get("/contacts").status_code == 200, 20, "the contacts")

    def test_link_by_pair_code(self, operator: Operator) -> None:
        """The code that the terminal shows links the device once it is typed into the phone."""
        operator.run("device", "logout", "--yes")
        with operator.started("device", "link", "--code", f"+{NUMBER}") as linking:
            told = next_line(linking)
            assert ("pair_code", NUMBER) == (told["event"], told["phone"])
            operator.sandbox.control("enter-code", code=told["code"])
            out, error = linking.communicate(timeout=SECONDS)
        assert (0, "linked") == (linking.returncode, json.loads(out.splitlines()[-1])["event"]), (
            error
        )
        wait_for(lambda: operator.sandbox.get("/contacts").status_code == 200, 20, "the contacts")

    def test_pairing_refused(self, operator: Operator) -> None:
        """When WhatsApp refuses the pairing the command says so, and a second one works."""
        operator.run("device", "logout", "--yes")
        with operator.started("device", "link") as linking:
            spoiled = {"command": "scan", "text": next_line(linking)["text"], "spoil": "hmac"}
            assert "LINKING_FAILED" == send(operator.control, spoiled)["code"]
            out, error = linking.communicate(timeout=SECONDS)
        assert "PAIRING_REFUSED" == json.loads(out.splitlines()[-1])["reason"]
        assert (1, True) == (linking.returncode, "WhatsApp refused the pairing" in error)
        with operator.started("device", "link") as again:
            operator.sandbox.control("scan", text=next_line(again)["text"])
            out, error = again.communicate(timeout=SECONDS)
        assert (0, "linked") == (again.returncode, json.loads(out.splitlines()[-1])["event"]), error

    def test_remove_and_start_over(self, operator: Operator) -> None:
        """A purged device leaves nothing on disk; a new one is added, named and linked."""
        directory = operator.data / "devices" / operator.device
        assert directory.exists()
        assert 1 == operator.run("device", "remove", operator.device, "--purge").returncode
        done = operator.run("device", "remove", operator.device, "--purge", "--yes")
        assert (0, f"device logged out and removed: {operator.device}\n") == (
            done.returncode,
            done.stdout,
        )
        assert not directory.exists()
        assert [] == operator.json("device", "list")
        added = operator.json("device", "add", "Front desk")
        with operator.started("device", "link", "Front desk") as linking:
            operator.sandbox.control("scan", text=next_line(linking)["text"])
            out, error = linking.communicate(timeout=SECONDS)
        assert 0 == linking.returncode, error
        last = json.loads(out.splitlines()[-1])
        assert (added["id"], f"{NUMBER}@s.whatsapp.net") == (last["device_id"], last["jid"])


class TestDataDirectory:
    """`wuts backup`, `wuts restore` and `wuts doctor` beside the running service."""

    def test_backup(self, operator: Operator, tmp_path: Path) -> None:
        """The backup of a live directory restores to one that the doctor finds well."""
        file, target = str(tmp_path / "b.tar"), tmp_path / "restored"
        assert 1 == operator.json("backup", file)["devices"]
        held = operator.run("restore", file, "--data", str(operator.data))
        assert (1, True) == (held.returncode, "is held by a service" in held.stderr)
        assert 0 == operator.run("restore", file, "--data", str(target)).returncode
        examined = operator.run("doctor", "--data", str(target), "--json", WUTS_GRPC_PORT="0")
        found = {one["check"]: one for one in json.loads(examined.stdout)["findings"]}
        assert "ok" == found[f"store {operator.device}"]["level"]
        assert "linked" in found[f"store {operator.device}"]["message"]
        assert 0 == examined.returncode, examined.stdout
        assert 200 == operator.sandbox.get("/contacts").status_code

    def test_doctor(self, operator: Operator) -> None:
        """A running sandbox is well; a file that others may read is found."""
        well = operator.run("doctor")
        assert 0 == well.returncode, well.stdout
        assert "our service (pid " in well.stdout
        (operator.data / "registry.db").chmod(0o644)
        ill = operator.run("doctor")
        assert (1, True) == (ill.returncode, "fail  modes: others may open" in ill.stdout)
