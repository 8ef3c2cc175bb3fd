"""Tests of the session child of the product, run against an emulator by the sandbox."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sandbox.running import LIMIT_S, EmulatorProcess, plain_environment, running_emulator
from wuts.session.framing import Deframer, frame
from wuts.session.v1 import session_pb2 as pb
from wuts_sandbox import guards

if TYPE_CHECKING:
    from collections.abc import Iterator


class Session:
    """The service's end of a session child."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._events = self._read()

    def send(self, request: pb.Request) -> None:
        """Sends a request."""
        self._connection.sendall(frame(request))

    def expect(self, field: str) -> pb.Event:
        """Returns the next event of that kind."""
        return next(event for event in self._events if event.WhichOneof("event") == field)

    def _read(self) -> Iterator[pb.Event]:
        deframer = Deframer(pb.Event)
        while data := self._connection.recv(1 << 16):
            yield from deframer.feed(data)


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[EmulatorProcess]:
    """Runs an emulator."""
    with running_emulator(tmp_path / "e") as running:
        yield running


class TestSession:
    """The child runs with the emulator's root, whatever its parent's environment holds."""

    def test_hello(self, emulator: EmulatorProcess, tmp_path: Path) -> None:
        """With NO_PROXY=* in the parent the child still asks the emulator, and says sandbox."""
        guards.mark_data_directory(tmp_path / "data")
        directory = tmp_path / "data" / "devices" / "one"
        directory.mkdir(parents=True, mode=0o700)
        ours, theirs = socket.socketpair()
        ours.settimeout(LIMIT_S)
        command = [
            sys.executable, "-m", "wuts_sandbox.session",
            "--proxy", emulator.info["proxy"],
            "--ca", emulator.info["ca"],
            "--noise-root", emulator.info["noise_root"],
            "--directory", str(directory),
            "--fd", str(theirs.fileno()),
        ]  # fmt: skip
        environment = {**plain_environment(), "NO_PROXY": "*", "ALL_PROXY": "http://10.0.0.1:1"}
        with (
            closing(ours),
            subprocess.Popen(  # our own interpreter and module
                command, pass_fds=[theirs.fileno()], env=environment, stderr=subprocess.DEVNULL
            ) as process,
        ):
            theirs.close()
            session = Session(ours)
            assert session.expect("hello").hello.sandbox
            variables = Path(f"/proc/{process.pid}/environ").read_bytes()
            assert b"NO_PROXY" not in variables
            session.send(pb.Request(id=1, connect=pb.ConnectRequest()))
            assert session.expect("qr_text").qr_text.startswith("https://")
            assert emulator.counts()["registration"] == 1
            session.send(pb.Request(id=2, stop=pb.StopRequest()))
            assert process.wait(LIMIT_S) == os.EX_OK
