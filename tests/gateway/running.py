"""Starts the service and the gateway for the tests, and ends them."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
LAUNCH = ROOT / "gateway" / "launch.py"
ADMIN = ROOT / "gateway" / "admin.py"
HURRIED_CALL = 0.75  # seconds that the hurried gateway gives a call to WhatsApp
_HASTE = (
    ("request_headers_timeout: 5s", "request_headers_timeout: 0.25s"),
    ("request_timeout: 10s", "request_timeout: 0.5s"),
    ("stream_idle_timeout: 60s", "stream_idle_timeout: 1s"),
    ("value: 15S", f"value: {HURRIED_CALL * 1000:.0f}m"),
    ("grpc_timeout_header_max: 15s", f"grpc_timeout_header_max: {HURRIED_CALL}s"),
    ("max_stream_duration: 16s", "max_stream_duration: 0.9s"),
)
# Linking takes longer in service.py than any of these.


@dataclass(frozen=True)
class Service:
    """The running service; it writes a line whenever it begins to wait for WhatsApp."""

    process: subprocess.Popen[bytes]
    output: IO[bytes] | None
    port: int = 0

    def next_line(self) -> str:
        """Waits for the next line of output."""
        assert self.output is not None
        return self.output.readline().decode()


@dataclass(frozen=True)
class Gateway:
    """A running Envoy. `output` is all that it writes but the access log."""

    port: int
    admin: Path
    access_log: Path
    output: Path
    process: subprocess.Popen[bytes]


@contextmanager
def running_service(port: int = 0) -> Iterator[Service]:
    """Runs the service on fakes."""
    command = [sys.executable, "-m", "gateway.service", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT / "tests") as process:
        try:
            service = Service(process, process.stdout)
            yield replace(service, port=int(service.next_line()))
        finally:
            process.terminate()


@contextmanager
def running_gateway(
    grpc_port: int,
    directory: Path,
    *options: str | Path,
    config: Path | None = None,
    healthy: bool = True,
) -> Iterator[Gateway]:
    """Runs the gateway in front of that port, on any free port of its own.

    `options` are more options of the launcher. Waits until it has found the
    service healthy, or else only until it listens.
    """
    admin, access_log, output = (directory / name for name in ("admin", "access", "output"))
    command: list[str | Path] = [sys.executable, LAUNCH, "--http-port", "0"]
    command += ["--grpc-port", str(grpc_port), "--admin", admin, "--access-log", access_log]
    command += ["--die-with-parent"]
    command += ["--config", config] if config else []
    command += options
    with (
        output.open("wb") as sink,
        subprocess.Popen(command, stdout=sink, stderr=sink) as process,
    ):
        try:
            port = port_of(admin, healthy=healthy)
            yield Gateway(port, admin, access_log, output, process)
        finally:
            process.terminate()
            process.wait(10)


def port_of(admin: Path, *, healthy: bool) -> int:
    """Waits until the gateway serves, and tells its port."""
    command: list[str | Path] = [sys.executable, ADMIN, admin, "--wait", "20"]
    command += ["--healthy"] if healthy else []
    return int(subprocess.run(command, check=True, capture_output=True, timeout=30).stdout)


def hurried_config(directory: Path) -> Path:
    """Writes envoy.yaml with limits on time far below what they are."""
    return changed_config(directory, *_HASTE)


def changed_config(directory: Path, *changes: tuple[str, str]) -> Path:
    """Writes envoy.yaml with texts replaced that are in it."""
    text = (ROOT / "envoy.yaml").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = directory / "changed.yaml"
    path.write_text(text)
    return path
