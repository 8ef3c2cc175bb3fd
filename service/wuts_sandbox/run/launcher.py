"""Brings up a whole sandbox, keeps ready.json true, and takes everything down."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import time
from typing import TYPE_CHECKING, Any

import click

from wuts_sandbox.run import directory as run_directory
from wuts_sandbox.run.calls import ready_to_paste
from wuts_sandbox.run.household import settle
from wuts_sandbox.run.linking import link, wait_until_synced
from wuts_sandbox.run.options import RunFailed
from wuts_sandbox.run.parts import BIN, GATEWAY, SERVICE, WHATSAPP, Parts
from wuts_sandbox.run.ready import ReadyFile, is_launcher, launcher_of, session_pids
from wuts_sandbox.run.stopping import follow_make, stop_on_signals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from wuts_sandbox.run.household import Resident
    from wuts_sandbox.run.options import Options
    from wuts_sandbox.world.document import World

_SYNC_SECONDS = 600
_REFRESH_SECONDS = 0.25


class Launcher:
    """One run: `go` returns the exit code."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._started = time.monotonic()
        self._ready = ReadyFile(options.ready_file)

    async def go(self, make_world: Callable[[], World]) -> int:
        """Runs until a signal, or until a part fails; raises RunFailed.

        The world is made only once it is sure that this run may run.
        """
        stop = stop_on_signals()
        self._refuse_a_second_run()
        world = await asyncio.to_thread(make_world)
        with self._own_directory() as directory:
            parts = Parts(directory, self._options, self._say)
            try:
                await self._until(stop, self._run(parts, world))
            finally:
                self._ready.remove()
                await parts.stop()
        return 0

    async def _until(self, stop: asyncio.Event, run: Any) -> None:  # noqa: ANN401  # a coroutine
        work = asyncio.ensure_future(run)
        following = asyncio.ensure_future(follow_make(stop))
        stopping = asyncio.ensure_future(stop.wait())
        await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        following.cancel()
        if work.done():
            work.result()
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work
        self._say("stopping ...")

    async def _run(self, parts: Parts, world: World) -> None:
        emulator = await parts.start_whatsapp(world)
        residents = await asyncio.to_thread(settle, parts.data, world)
        await parts.start_service()
        await parts.start_gateway()
        if emulator.control is not None:
            await self._link_all(residents, parts, emulator.control)
        self._ready.write(_content(parts, residents))
        self._print_calls(parts.http, residents)
        while True:
            await asyncio.sleep(_REFRESH_SECONDS)
            await parts.revive()
            self._ready.write(_content(parts, residents))

    async def _link_all(self, residents: list[Resident], parts: Parts, control: str) -> None:
        await asyncio.gather(*(link(resident, parts.grpc, control) for resident in residents))
        self._say(f"linked {len(residents)} device(s) by QR code; waiting for the contacts")
        waits = (wait_until_synced(r, parts.data, _SYNC_SECONDS, self._say) for r in residents)
        await asyncio.gather(*waits)
        self._say("the whole world is in the store")

    def _print_calls(self, http: str, residents: list[Resident]) -> None:
        first = residents[0]
        grpcurl, wuts = (os.path.relpath(BIN / name) for name in ("grpcurl", "wuts"))
        click.echo(f"\nReady in {time.monotonic() - self._started:.1f} s. Try:\n")
        for line in ready_to_paste(http, first.own_token, first.account, grpcurl):
            click.echo(f"{line}\n")
        if self._options.emulator is not None:
            pairing = f"WUTS_URL={http} WUTS_TOKEN={first.own_token} {wuts} device pair --qr-text"
            click.echo(f"No device is linked yet:\n\n{pairing}\n")
        click.echo("Ctrl-C stops everything.")

    def _refuse_a_second_run(self) -> None:
        for name in ("http", "grpc"):
            port = getattr(self._options, f"{name}_port")
            if port and _is_taken(port):
                variable = f"{name.upper()}_PORT"
                raise RunFailed(f"port {port} on 127.0.0.1 is taken; choose another {variable}=")
        other = launcher_of(self._options.ready_file)
        if other is not None and is_launcher(other):
            raise RunFailed(f"{self._options.ready_file} belongs to a run that is up (pid {other})")
        self._ready.remove()

    @contextlib.contextmanager
    def _own_directory(self) -> Iterator[Path]:
        self._options.ready_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory = run_directory.make()
        held = run_directory.hold(directory)
        pipe = run_directory.start_janitor(directory, self._options.ready_file)
        try:
            yield directory
        finally:
            shutil.rmtree(directory, ignore_errors=True)
            os.close(held)
            os.close(pipe)

    def _say(self, text: str) -> None:
        click.echo(f"[{time.monotonic() - self._started:4.1f} s] {text}")


def _content(parts: Parts, residents: list[Resident]) -> dict[str, Any]:
    """What ready.json says: how to call, as whom, and which processes there are."""
    first = residents[0]
    return {
        "http": parts.http,
        "grpc": parts.grpc,
        "metrics": parts.metrics,
        "token": first.own_token,
        "device_id": first.device,
        "tokens": {resident.name: resident.token for resident in residents},
        "devices": {r.device: {"user": r.name, "pn": r.account.pn} for r in residents},
        "pids": {
            "launcher": os.getpid(),
            "service": parts.pid(SERVICE),
            "envoy": parts.pid(GATEWAY),
            "emulator": parts.pid(WHATSAPP),
            "sessions": dict(session_pids(parts.data, (r.device for r in residents))),
        },
        "emulator": parts.emulator.as_json() if parts.emulator else {},
        "sandbox": True,
    }


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False
