"""Tests of the emulator as a process: its files, its ends, its door."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from sandbox.running import LIMIT_S, EmulatorProcess, plain_environment, running_emulator
from wuts_sandbox.client import send

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def speak(emulator: EmulatorProcess, head: str, *, limit: float = LIMIT_S) -> str:
    """Sends an HTTP head to the proxy; returns the first line of the answer."""
    port = urlsplit(emulator.info["proxy"]).port
    assert port is not None
    with closing(socket.create_connection(("127.0.0.1", port), limit)) as connection:
        connection.sendall(f"{head}\r\nHost: x\r\n\r\n".encode())
        return connection.recv(1000).partition(b"\r\n")[0].decode()


class TestFiles:
    """What the emulator writes is its owner's only."""

    def test_modes(self, tmp_path: Path) -> None:
        """The files have mode 0600, the directory 0700."""
        with running_emulator(tmp_path / "e") as emulator:
            directory = emulator.directory
            files = [directory / name for name in ("emulator.json", "ca.pem", "control.sock")]
            modes = [stat.S_IMODE(file.stat().st_mode) for file in files]
            assert (modes, stat.S_IMODE(directory.stat().st_mode)) == ([0o600] * 3, 0o700)
            assert emulator.info["pid"] == emulator.process.pid
            assert len(bytes.fromhex(emulator.info["noise_root"])) == 32

    def test_control_elsewhere(self, tmp_path: Path) -> None:
        """The control socket may lie in another directory."""
        path = tmp_path / "c" / "s"
        with running_emulator(tmp_path / "e", "--control", str(path)) as emulator:
            assert emulator.info["control"] == str(path)
            assert send(str(path), {"command": "count"})["ok"]

    @pytest.mark.parametrize(
        ("arguments", "text"),
        [
            (("--control", "/tmp/" + "x" * 107), "must not exceed 107 bytes"),
            (("--world", "/nonexistent.json"), "No such file"),
        ],
    )
    def test_refusals(self, tmp_path: Path, arguments: tuple[str, ...], text: str) -> None:
        """What cannot work is one line on stderr and exit status 1."""
        ended = subprocess.run(  # our own interpreter and module
            [sys.executable, "-m", "wuts_sandbox", "emulator", "--directory", str(tmp_path),
             *arguments],
            env=plain_environment(), capture_output=True, text=True, timeout=LIMIT_S, check=False,
        )  # fmt: skip
        assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
        assert text in ended.stderr


class TestEnd:
    """The emulator ends by signals or with its parent, and cleans up."""

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
    def test_signals(self, tmp_path: Path, number: signal.Signals) -> None:
        """Each of three signals ends it with status 0 and removes what named it."""
        emulator = EmulatorProcess(tmp_path / "e")
        emulator.process.send_signal(number)
        assert emulator.process.wait(LIMIT_S) == 0
        assert sorted(file.name for file in (tmp_path / "e").iterdir()) == ["ca.pem"]

    def test_lifeline(self, tmp_path: Path) -> None:
        """It ends when the other end of its lifeline is gone."""
        reading, writing = os.pipe()
        command = [sys.executable, "-m", "wuts_sandbox", "emulator", "--directory", str(tmp_path)]
        with subprocess.Popen(  # our own interpreter and module
            [*command, "--lifeline", str(reading)], pass_fds=[reading], env=plain_environment()
        ) as process:
            os.close(reading)
            os.close(writing)
            assert process.wait(LIMIT_S) == 0


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """Runs an emulator for the tests of its door."""
    with running_emulator(tmp_path_factory.mktemp("door") / "e") as running:
        yield running


class TestDoor:
    """The proxy leads nowhere but to the emulator itself."""

    @pytest.mark.parametrize(
        ("head", "line"),
        [
            ("CONNECT web.whatsapp.com:443 HTTP/1.1", "HTTP/1.1 200 "),
            ("CONNECT mmg.whatsapp.net:443 HTTP/1.1", "HTTP/1.1 200 "),
            ("CONNECT example.org:443 HTTP/1.1", "HTTP/1.1 403 "),
            ("CONNECT whatsapp.com.example.org:443 HTTP/1.1", "HTTP/1.1 403 "),
            ("CONNECT evilwhatsapp.com:443 HTTP/1.1", "HTTP/1.1 403 "),
            ("GET http://web.whatsapp.com/ HTTP/1.1", "HTTP/1.1 405 "),
        ],
    )
    def test_connect(self, emulator: EmulatorProcess, head: str, line: str) -> None:
        """CONNECT to names of WhatsApp passes, everything else is refused."""
        assert line == speak(emulator, head)

    def test_black_hole(self, emulator: EmulatorProcess) -> None:
        """In a black hole a connection is accepted and CONNECT is not answered."""
        emulator.ask("door", door="black-hole")
        with pytest.raises(TimeoutError):
            speak(emulator, "CONNECT web.whatsapp.com:443 HTTP/1.1", limit=0.2)
        emulator.ask("door", door="open")
        assert "200" in speak(emulator, "CONNECT web.whatsapp.com:443 HTTP/1.1")

    def test_no_http(self, emulator: EmulatorProcess) -> None:
        """Something else than HTTP ends the connection, not the emulator."""
        speak(emulator, "\x16\x03\x01")
        assert emulator.ask("accounts")["accounts"][0]["linked"] is False
