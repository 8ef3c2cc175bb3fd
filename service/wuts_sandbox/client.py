"""Finds a running emulator and sends it commands."""

from __future__ import annotations

import json
import os
import socket
from contextlib import closing
from pathlib import Path
from typing import Any

READY_FILE = Path(".run/ready.json")
CONTROL_VARIABLE = "WUTS_SANDBOX_CONTROL"
LIMIT_S = 30.0
READ_SIZE = 1 << 16


class UnreachableError(RuntimeError):
    """There is no emulator to talk to; the text says where it was sought."""


def find_control(given: str | None = None) -> str:
    """Returns the control socket's path: as given, from the environment, or of `make run`."""
    path = given or os.environ.get(CONTROL_VARIABLE)
    if path:
        return path
    try:
        path = json.loads(READY_FILE.read_bytes())["emulator"]["control"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"no emulator known: give --control, set {CONTROL_VARIABLE}, or `make run` first"
        raise UnreachableError(message) from error
    if not path:
        message = "`make run` uses another emulator, which this command cannot steer"
        raise UnreachableError(message)
    return str(path)


def send(control: str, command: dict[str, Any]) -> dict[str, Any]:
    """Sends one command and returns the answer, `{"ok": ...}`; raises UnreachableError."""
    line = json.dumps(command).encode() + b"\n"
    try:
        with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as connection:
            connection.settimeout(LIMIT_S)
            connection.connect(control)
            connection.sendall(line)
            answer: dict[str, Any] = json.loads(_read_line(connection))
    except (OSError, ValueError) as error:
        message = f"{control}: no emulator answers"
        raise UnreachableError(message) from error
    return answer


def _read_line(connection: socket.socket) -> bytes:
    received = bytearray()
    while not received.endswith(b"\n"):
        part = connection.recv(READ_SIZE)
        if not part:
            break
        received += part
    return bytes(received)
