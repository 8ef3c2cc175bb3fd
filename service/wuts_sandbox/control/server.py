"""Takes commands on a Unix socket: a JSON object a line in, a JSON object a line out."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from wuts_sandbox.control.commands import Command
from wuts_sandbox.control.errors import CommandError, Refusal
from wuts_sandbox.emulator.account import NoPreKeysError
from wuts_sandbox.emulator.phone import QrError
from wuts_sandbox.world.load import first_fault

if TYPE_CHECKING:
    from pathlib import Path

    from wuts_sandbox.emulator.server import Emulator

MAX_PATH_BYTES = 107
MAX_LINE_BYTES = 1 << 20
IDLE_LIMIT_S = 600
COMMANDS: TypeAdapter[Command] = TypeAdapter(Command)


class ControlPathError(ValueError):
    """The socket cannot be made at that path."""


async def open_control(emulator: Emulator, path: Path) -> asyncio.Server:
    """Listens on a new socket with mode 0600 in a directory with mode 0700."""
    check_path(path)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _serve(emulator, reader, writer)
        except (ConnectionError, TimeoutError, ValueError):
            pass  # nobody there any more, or a line too long
        finally:
            writer.close()

    server = await asyncio.start_unix_server(serve, path, limit=MAX_LINE_BYTES)
    path.chmod(0o600)  # noqa: ASYNC240  # one call, before anybody is served
    return server


def check_path(path: Path) -> None:
    """Makes the socket's directory; raises ControlPathError when the path cannot serve."""
    if len(os.fsencode(path)) > MAX_PATH_BYTES:
        message = f"{path}: a socket's path must not exceed {MAX_PATH_BYTES} bytes"
        raise ControlPathError(message)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if stat.S_IMODE(path.parent.stat().st_mode) & 0o077:
        message = f"{path.parent}: other users can enter this directory; it needs mode 0700"
        raise ControlPathError(message)
    if path.is_socket():
        path.unlink()
    elif path.exists():
        message = f"{path}: something else is there"
        raise ControlPathError(message)


async def _serve(
    emulator: Emulator, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    while line := await asyncio.wait_for(reader.readline(), IDLE_LIMIT_S):
        answer = await run_line(emulator, line)
        writer.write(json.dumps(answer).encode() + b"\n")
        await writer.drain()


async def run_line(emulator: Emulator, line: bytes) -> dict[str, Any]:
    """Runs one command; returns `{"ok": true, "result"}` or `{"ok": false, "code", "error"}`."""
    try:
        command = COMMANDS.validate_json(line)
        return {"ok": True, "result": await command.run(emulator)}
    except ValidationError as error:
        return _refusal(Refusal.BAD_COMMAND, first_fault(error))
    except QrError as error:
        return _refusal(Refusal.BAD_QR, str(error))
    except NoPreKeysError as error:
        return _refusal(Refusal.NO_PREKEYS, str(error))
    except CommandError as error:
        return _refusal(error.refusal, str(error))


def _refusal(refusal: Refusal, text: str) -> dict[str, Any]:
    return {"ok": False, "code": refusal.name, "error": text}
