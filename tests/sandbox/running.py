"""Starts emulators and neonize clients as processes for the tests, and ends them."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wuts_sandbox import client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LIMIT_S = 20.0
PAUSE_S = 0.02
DRIVER = Path(__file__).with_name("driver.py")


def eventually(condition: Callable[[], bool], *, limit: float = LIMIT_S) -> bool:
    """Tells whether a condition comes true within the limit."""
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(PAUSE_S)
    return True


def plain_environment() -> dict[str, str]:
    """Returns an environment without anything of the machine's own settings."""
    return {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}


class EmulatorProcess:
    """A running emulator."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        command = [sys.executable, "-m", "wuts_sandbox", "emulator", "--directory", str(directory)]
        self.directory = directory
        self.process = subprocess.Popen([*command, *arguments], env=plain_environment())
        file = directory / "emulator.json"
        assert eventually(lambda: file.exists() or self.process.poll() is not None)
        self.info: dict[str, Any] = json.loads(file.read_bytes())

    def ask(self, command: str, **fields: object) -> dict[str, Any]:
        """Sends a command that must be obeyed; returns its result."""
        answer = client.send(self.info["control"], {"command": command, **fields})
        assert answer["ok"], answer
        result: dict[str, Any] = answer["result"]
        return result

    def counts(self) -> dict[str, int]:
        """Returns the stanza counts."""
        counts: dict[str, int] = self.ask("count")["counts"]
        return counts

    def environment(self) -> dict[str, str]:
        """Returns the environment of a client."""
        return {
            **plain_environment(),
            "HTTPS_PROXY": self.info["proxy"],
            "https_proxy": self.info["proxy"],
            "SSL_CERT_FILE": self.info["ca"],
            "SSL_CERT_DIR": "/nonexistent",
            "ROOT": self.info["noise_root"],
        }

    def stop(self) -> int:
        """Ends it as a service manager would; returns its exit status."""
        self.process.terminate()
        return self.process.wait(LIMIT_S)


class NeonizeProcess:
    """A running client of the unmodified neonize."""

    def __init__(self, emulator: EmulatorProcess, store: Path) -> None:
        prepare_store(store)
        self.process = subprocess.Popen(  # our own interpreter and module
            [sys.executable, str(DRIVER), str(store)],
            env=emulator.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, do: str, **fields: object) -> Any:  # whatever the driver answers
        """Runs one command of the driver; returns `{"ok": ...}` or `{"error", "text"}`."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"do": do, **fields}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def stop(self) -> int:
        """Stops the client as it wants to be; returns the exit status of its process."""
        self.ask("stop")
        return self.process.wait(LIMIT_S)

    def close(self) -> int:
        """Ends the process, whatever it does; a neonize that is not stopped never exits."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.kill()
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stdout.close()
        return self.process.wait(LIMIT_S)


@contextmanager
def running_emulator(directory: Path, *arguments: str) -> Iterator[EmulatorProcess]:
    """Runs an emulator for the length of a test."""
    emulator = EmulatorProcess(directory, *arguments)
    try:
        yield emulator
    finally:
        emulator.stop()


@contextmanager
def running_client(emulator: EmulatorProcess, store: Path) -> Iterator[NeonizeProcess]:
    """Runs a neonize client for the length of a test."""
    neonize = NeonizeProcess(emulator, store)
    try:
        yield neonize
    finally:
        neonize.close()


def prepare_store(store: Path) -> None:
    """Sets the journal mode before neonize opens the file."""
    with closing(sqlite3.connect(store)) as database:
        database.execute("PRAGMA journal_mode=WAL").fetchall()


def write_world(path: Path, document: dict[str, Any]) -> Path:
    """Writes a world document."""
    path.write_text(json.dumps(document))
    return path
