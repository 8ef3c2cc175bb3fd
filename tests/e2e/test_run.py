"""`make run`: what it announces, honours, refuses, and leaves behind (nothing)."""

from __future__ import annotations

import json
import os
import shlex
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sandboxes import ROOT, STOP_SECONDS, Sandbox, is_alive, make_run, running, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

KEYS = {"http", "grpc", "token", "device_id", "tokens", "pids", "emulator"}
BIN = Path(sys.executable).parent


def sandbox_directory(sandbox: Sandbox) -> Path:
    """The directory of a run."""
    return Path(sandbox.ready["emulator"]["ca"]).parent


def assert_gone(sandbox: Sandbox, pids: list[int]) -> None:
    """Waits until no process, file or directory of a run is left."""
    directory = sandbox_directory(sandbox)
    wait_for(lambda: not any(map(is_alive, pids)), STOP_SECONDS, "the end of all processes")
    wait_for(lambda: not directory.exists(), STOP_SECONDS, "the end of the directory")
    wait_for(lambda: not sandbox.ready_file.exists(), STOP_SECONDS, "the end of ready.json")


class TestReadyFile:
    """ready.json says everything another program needs."""

    def test_content(self, example: Sandbox) -> None:
        """All documented keys are there, with the types they are documented with."""
        ready = example.refresh()
        assert set(ready) >= KEYS
        assert ready["tokens"] == {"demo/demo": ready["token"]}
        assert ready["http"].startswith("http://127.0.0.1:")
        assert ready["grpc"].startswith("127.0.0.1:")
        assert {ready["device_id"]} == set(ready["pids"]["sessions"])
        assert all(is_alive(pid) for pid in example.pids())
        assert 64 == len(ready["emulator"]["noise_root"])
        assert Path(ready["emulator"]["control"]).is_socket()

    def test_only_its_owner_may_read_it(self, example: Sandbox) -> None:
        """The file holds tokens: mode 0600."""
        assert 0o600 == stat.S_IMODE(example.ready_file.stat().st_mode)

    def test_everything_in_the_directory_is_private(self, example: Sandbox) -> None:
        """Files are 0600 and directories 0700, stores, sockets and logs included."""
        found = [sandbox_directory(example), *sandbox_directory(example).rglob("*")]
        open_to_others = [str(p) for p in found if stat.S_IMODE(p.lstat().st_mode) & 0o077]
        assert [] == open_to_others

    def test_printed_calls_can_be_pasted(self, example: Sandbox) -> None:
        """Three curl lines and one grpcurl line are printed, and each answers."""
        lines = example.log.read_text().splitlines()
        calls = [line for line in lines if line.startswith("curl ") or "grpcurl" in line]
        assert 4 == len(calls)
        for call in calls:
            done = subprocess.run(
                shlex.split(call), cwd=ROOT, capture_output=True, timeout=20, check=True
            )
            assert json.loads(done.stdout)["success"] is True


class TestStop:
    """Whatever ends it, nothing is left behind."""

    @pytest.mark.parametrize(
        "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda s: s.name
    )
    def test_a_signal(self, tmp_path: Path, number: signal.Signals) -> None:
        """SIGINT, SIGTERM and SIGHUP end everything within ten seconds, exit code 0."""
        with running(tmp_path) as sandbox:
            pids = sandbox.pids()
            assert 0 == sandbox.stop(number)
            assert_gone(sandbox, pids)

    def test_signals_inherited_as_ignored(self, tmp_path: Path) -> None:
        """Also when started in the background with SIGHUP and SIGINT ignored."""
        ignoring = (
            "import os, signal, sys\n"
            "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
            "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
            "os.execvp(sys.argv[1], sys.argv[1:])\n"
        )
        for number in (signal.SIGHUP, signal.SIGINT):
            with running(tmp_path, before=(sys.executable, "-c", ignoring)) as sandbox:
                pids = sandbox.pids()
                assert 0 == sandbox.stop(number)
                assert_gone(sandbox, pids)

    def test_the_launchers_sudden_death(self, tmp_path: Path) -> None:
        """When the launcher is killed, its children end by themselves."""
        with running(tmp_path) as sandbox:
            pids = sandbox.pids()
            os.kill(sandbox.ready["pids"]["launcher"], signal.SIGKILL)
            assert_gone(sandbox, pids)

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGTERM])
    def test_a_signal_for_make_alone(self, tmp_path: Path, number: signal.Signals) -> None:
        """A signal that only make gets, which hands on SIGTERM only, stops everything, too."""
        with running(tmp_path) as sandbox:
            pids = sandbox.pids()
            os.kill(sandbox.process.pid, number)
            sandbox.process.wait(STOP_SECONDS)
            assert_gone(sandbox, pids)

    def test_the_death_of_make(self, tmp_path: Path) -> None:
        """When make itself is killed, everything stops, too."""
        with running(tmp_path) as sandbox:
            pids = sandbox.pids()
            os.kill(sandbox.process.pid, signal.SIGKILL)
            assert_gone(sandbox, pids)


class TestRefusals:
    """What cannot work is one clear line and exit code 1."""

    @pytest.mark.parametrize("name", ["HTTP_PORT", "GRPC_PORT"])
    def test_a_busy_port(self, example: Sandbox, tmp_path: Path, name: str) -> None:
        """A second run on the same port names port and remedy, and harms nobody."""
        address = example.ready["http" if name == "HTTP_PORT" else "grpc"]
        port = address.rpartition(":")[2]
        second = make_run(tmp_path, **{name: port})
        assert 0 != second.process.wait(STOP_SECONDS)
        expected = f"wuts-sandbox: port {port} on 127.0.0.1 is taken; choose another {name}="
        assert expected == second.log.read_text().splitlines()[0]
        assert example.get("/contacts").status_code == 200

    def test_a_ready_file_in_use(self, example: Sandbox, tmp_path: Path) -> None:
        """Two runs cannot share one ready file; the first keeps it."""
        second = make_run(tmp_path, READY_FILE=str(example.ready_file))
        assert 0 != second.process.wait(STOP_SECONDS)
        assert "belongs to a run that is up" in second.log.read_text()
        assert example.ready_file.exists()

    @pytest.mark.parametrize(
        ("text", "complaint"),
        [
            ('{"accounts": [{"tenant": "a", "user": "b", "pn": "55119", "colour": 1}]}', "colour"),
            ("nonsense", "JSON"),
        ],
    )
    def test_a_bad_world(self, tmp_path: Path, text: str, complaint: str) -> None:
        """An unknown key is refused by its name, broken JSON as such."""
        world = tmp_path / "world.json"
        world.write_text(text)
        run = make_run(tmp_path, WORLD=str(world))
        assert 0 != run.process.wait(STOP_SECONDS)
        assert complaint in run.log.read_text()

    @pytest.mark.parametrize(
        "told", [{}, {"proxy": "http://10.0.0.1:1", "ca": "/x", "noise_root": "00" * 32}]
    )
    def test_a_bad_emulator(self, tmp_path: Path, told: dict[str, str]) -> None:
        """An emulator that is not on loopback, or not described, is refused."""
        file = tmp_path / "emulator.json"
        file.write_text(json.dumps(told))
        run = make_run(tmp_path, EMULATOR=str(file))
        assert 0 != run.process.wait(STOP_SECONDS)
        assert f"EMULATOR={file}" in run.log.read_text()

    @pytest.mark.parametrize(
        ("settings", "complaint"),
        [
            ("WUTS_SANDBOX=false", "SETTINGS: WUTS_SANDBOX=false is no NAME=VALUE with one of"),
            ("WUTS_BUDGET_PICTURES=many", 'WUTS_BUDGET_PICTURES: write it as "120/h burst 60"'),
        ],
    )
    def test_a_bad_setting(self, tmp_path: Path, settings: str, complaint: str) -> None:
        """A setting that does not pass, and a value that is none, are told by name."""
        run = make_run(tmp_path, SETTINGS=settings)
        assert 0 != run.process.wait(STOP_SECONDS)
        assert complaint in run.log.read_text()


class TestSuddenDeath:
    """A part that dies is started again; callers meanwhile get the envelope."""

    def test_of_the_service(self, tmp_path: Path) -> None:
        """While the service is down HTTP callers get SERVICE_UNAVAILABLE; then all is as before."""
        with running(tmp_path) as sandbox:
            before = dict(sandbox.ready["pids"])
            os.kill(before["service"], signal.SIGKILL)
            answer = sandbox.get("/contacts")
            assert (503, "SERVICE_UNAVAILABLE") == (
                answer.status_code,
                answer.json()["error_code"],
            )
            wait_for(lambda: sandbox.get("/contacts").status_code == 200, 20, "the return")
            wait_for(lambda: sandbox.refresh()["pids"]["service"] != before["service"], 5, "pid")
            assert not any(is_alive(pid) for pid in before["sessions"].values())

    def test_of_the_gateway(self, tmp_path: Path) -> None:
        """A killed Envoy comes back on the same port."""
        with running(tmp_path) as sandbox:
            envoy = sandbox.ready["pids"]["envoy"]
            os.kill(envoy, signal.SIGKILL)
            wait_for(lambda: sandbox.refresh()["pids"]["envoy"] != envoy, 20, "a new Envoy")
            assert 200 == sandbox.get("/contacts").status_code


class TestForeignEmulator:
    """EMULATOR=FILE: somebody else's WhatsApp, linked by hand."""

    @pytest.fixture
    def donor(self, tmp_path: Path) -> Iterator[Sandbox]:
        """The run whose WhatsApp is used."""
        directory = tmp_path / "donor"
        directory.mkdir()
        with running(directory) as sandbox:
            yield sandbox

    @pytest.fixture
    def foreign(self, donor: Sandbox, tmp_path: Path) -> Iterator[Sandbox]:
        """A run on the emulator of another run."""
        file = tmp_path / "emulator.json"
        told = {key: donor.ready["emulator"][key] for key in ("proxy", "ca", "noise_root")}
        file.write_text(json.dumps(told))
        with running(tmp_path, EMULATOR=str(file)) as sandbox:
            yield sandbox

    def test_pairs_by_hand(self, donor: Sandbox, foreign: Sandbox) -> None:
        """Nothing is linked at first; `device pair --qr-text` prints codes and ends linked."""
        assert 503 == foreign.get("/contacts").status_code
        assert {} == foreign.refresh()["pids"]["sessions"]
        told = {"WUTS_URL": foreign.ready["http"], "WUTS_TOKEN": foreign.token}
        device = foreign.ready["device_id"]
        pairing = subprocess.Popen(
            [BIN / "wuts", "device", "pair", "--qr-text", "--device", device],
            env={**os.environ, **told},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert pairing.stdout is not None
        code = pairing.stdout.readline().strip()
        # The donor's own device is replaced at the phone; its run is not asked again.
        donor.control("scan", text=code, account="5511900000000")
        _, error = pairing.communicate(timeout=30)
        assert (0, True) == (pairing.returncode, "5511900000000@s.whatsapp.net" in error)
        wait_for(lambda: foreign.get("/contacts").json().get("count") == 2, 20, "the contacts")
        wait_for(lambda: device in foreign.refresh()["pids"]["sessions"], 5, "the session's pid")
