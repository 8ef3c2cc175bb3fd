"""Runs one emulator as a process, from its first file to its last signal."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

from wuts_sandbox.control.server import check_path, open_control
from wuts_sandbox.emulator.server import Emulator

if TYPE_CHECKING:
    from pathlib import Path

    from wuts_sandbox.world.document import World

CA_FILE = "ca.pem"
ANNOUNCEMENT = "emulator.json"
CONTROL_SOCKET = "control.sock"
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


async def run_emulator(
    directory: Path, world: World, *, control: Path | None = None, lifeline: int | None = None
) -> None:
    """Runs until a signal arrives, or until the pipe `lifeline` (a descriptor) is closed.

    Writes the CA file, then `emulator.json` once everything listens; removes the latter at the
    end. Raises OSError or ControlPathError when it cannot start.
    """
    socket = control or directory / CONTROL_SOCKET
    check_path(socket)
    ended = _end_event(lifeline)
    emulator = Emulator(world)
    _write(directory / CA_FILE, emulator.authority.pem)
    await emulator.start()
    server = await open_control(emulator, socket)
    announcement = directory / ANNOUNCEMENT
    _write(announcement, json.dumps(_describe(emulator, directory, socket)).encode() + b"\n")
    try:
        await ended.wait()
    finally:
        announcement.unlink(missing_ok=True)
        server.close()
        socket.unlink(missing_ok=True)
        await emulator.stop()


def _end_event(lifeline: int | None) -> asyncio.Event:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    for number in SIGNALS:
        # Also takes signals that were inherited as ignored.
        loop.add_signal_handler(number, ended.set)
    if lifeline is not None:
        loop.add_reader(lifeline, _watch, lifeline, ended)
    return ended


def _watch(lifeline: int, ended: asyncio.Event) -> None:
    with suppress(BlockingIOError):
        if not os.read(lifeline, 1):
            asyncio.get_running_loop().remove_reader(lifeline)
            ended.set()


def _describe(emulator: Emulator, directory: Path, socket: Path) -> dict[str, str | int]:
    return {
        "proxy": emulator.proxy,
        "ca": str((directory / CA_FILE).absolute()),
        "noise_root": emulator.identity.root_public.hex(),
        "control": str(socket.absolute()),
        "pid": os.getpid(),
    }


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    draft.replace(path)
