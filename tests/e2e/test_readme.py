"""The README is true: every command in it runs, every answer in it comes."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from sandboxes import ROOT, Sandbox, running, wait_for
from wuts.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```(sh|json)\n(.*?)```", README, re.DOTALL)
COMMANDS = [text.strip() for kind, text in BLOCKS if kind == "sh"]
ANSWERS = [json.loads(text) for kind, text in BLOCKS if kind == "json"]
CALLS = [command for command in COMMANDS if command.startswith(("curl ", ".venv/bin/grpcurl"))]
INSTALL = next(command for command in COMMANDS if command.startswith("make install"))
SERVE, GATEWAY = ".venv/bin/wuts serve", ".venv/bin/python gateway/launch.py"
LINK, HEALTH = "WUTS_TOKEN=$TOKEN .venv/bin/wuts device link", ".venv/bin/wuts health"
DOCTOR = ".venv/bin/wuts doctor"
TOKEN = next(command for command in COMMANDS if command.startswith("TOKEN="))
SERVICE = "wuts.contacts.v1.ContactsService"
ELSEWHERE = {"make run", "make test"}
# `make run` is what the fixtures start; `make test` is what runs these tests.


def shell(command: str, **environment: str) -> str:
    """Runs a command of the README in a shell, in the checkout."""
    done = subprocess.run(
        ["bash", "-euc", command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **environment},
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    return done.stdout


def at(sandbox: Sandbox, command: str) -> str:
    """Points a command to the ports and the ready file of a sandbox."""
    gateway = sandbox.ready["http"].removeprefix("http://")
    return command.replace("127.0.0.1:8080", gateway).replace(
        ".run/ready.json", str(sandbox.ready_file)
    )


class TestCommands:
    """Each block of commands is run somewhere below."""

    def test_none_is_left_out(self) -> None:
        """Every command of the README is one that these tests run."""
        run = {*CALLS, INSTALL, SERVE, GATEWAY, LINK, HEALTH, DOCTOR, TOKEN, *ELSEWHERE}
        assert set(COMMANDS) == run

    @pytest.mark.parametrize("call", CALLS)
    def test_a_call(self, example: Sandbox, call: str) -> None:
        """A call of the README, pasted with the token as told, answers."""
        answer = shell(f"{at(example, TOKEN)}\n{at(example, call)}")
        expected = '"success": true' if call.endswith("ListContacts") else SERVICE
        assert answer.startswith('{"success":true') or expected in answer

    def test_the_answers_are_shown(self, example: Sandbox) -> None:
        """The three JSON answers of the README are those of the three curl calls, in order."""
        curls = [call for call in CALLS if call.startswith("curl ")]
        found = [json.loads(shell(f"{at(example, TOKEN)}\n{at(example, call)}")) for call in curls]
        assert ANSWERS[: len(found)] == found


class TestErrorExample:
    """The error body of the README is a real one."""

    def test_the_envelope(self, example: Sandbox) -> None:
        """A call with neither jid nor number gives the printed body, but for the time."""
        body = example.get("/contacts/profile-picture").json()
        shown: dict[str, Any] = ANSWERS[-1]
        assert shown | {"timestamp": ""} == body | {"timestamp": ""}


class TestSettings:
    """The table of settings is complete."""

    def test_every_setting_has_a_row(self) -> None:
        """Each WUTS_ variable of the service stands in the README, and no other."""
        told = set(re.findall(r"`(WUTS_[A-Z_]+)`", README))
        assert {f"WUTS_{name.upper()}" for name in Settings.model_fields} == told - {
            "WUTS_URL",
            "WUTS_TOKEN",
        }


class TestRealPhone:
    """The way to a linked phone works; here the phone is the sandbox's."""

    @pytest.fixture
    def donor(self, tmp_path: Path) -> Iterator[Sandbox]:
        """The run whose WhatsApp plays the real one."""
        with running(tmp_path) as sandbox:
            yield sandbox

    def test_from_install_to_linked(self, donor: Sandbox, tmp_path: Path) -> None:
        """Tenant, user, token, service, gateway, pairing and health, as the README says."""
        told = self._environment(donor, tmp_path)
        port, log = free_port(), tmp_path / "access.log"
        gateway = f"{GATEWAY} --http-port {port} --grpc-port {told['WUTS_GRPC_PORT']}"
        told |= {"TOKEN": shell(INSTALL, **told).splitlines()[-1]}
        told |= {"WUTS_URL": f"http://127.0.0.1:{port}"}
        with (
            background(SERVE, told),
            background(f"{gateway} --admin {tmp_path}/admin.sock --access-log {log}", told),
        ):
            wait_for(lambda: self._is_healthy(told), 20, "health")
            with background(f"{LINK} --json", told) as linking:
                assert linking.stdout is not None
                code = json.loads(linking.stdout.readline())
                donor.control("scan", text=code["text"], account="5511900000000")
                assert 0 == linking.wait(30)
            findings = json.loads(shell(f"{DOCTOR} --json", **told))["findings"]
            assert [] == [finding for finding in findings if finding["level"] == "fail"]

    @staticmethod
    def _environment(donor: Sandbox, tmp_path: Path) -> dict[str, str]:
        data = tmp_path / "data"
        data.mkdir(mode=0o700)
        (data / ".wuts-sandbox").touch(mode=0o600)
        whatsapp = donor.ready["emulator"]
        session = f"{sys.executable} -m wuts_sandbox.session --proxy {whatsapp['proxy']}"
        return {
            "WUTS_DATA_DIR": str(data),
            "WUTS_GRPC_PORT": str(free_port()),
            "WUTS_SANDBOX": "true",
            "WUTS_SESSION_COMMAND": f"{session} --ca {whatsapp['ca']}"
            f" --noise-root {whatsapp['noise_root']}",
        }

    @staticmethod
    def _is_healthy(environment: dict[str, str]) -> bool:
        try:
            return "status: SERVING" in shell(HEALTH, **environment)
        except AssertionError:
            return False


@contextlib.contextmanager
def background(command: str, environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Runs a command of the README until the end of the block."""
    with subprocess.Popen(
        # The shell becomes the command, so that a signal reaches it.
        ["bash", "-euc", re.sub(r"(?<!\S)\.venv", "exec .venv", command, count=1)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    ) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.wait(15)


def free_port() -> int:
    """A port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
