"""Brings up a whole sandbox, keeps ready.json true, and takes everything down."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shlex
import shutil
import signal
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wuts_sandbox.run import directory as run_directory
from wuts_sandbox.run.calls import ready_to_paste
from wuts_sandbox.run.household import settle
from wuts_sandbox.run.linking import link, wait_until_synced
from wuts_sandbox.run.options import Emulator, RunFailed, read_emulator
from wuts_sandbox.run.processes import Child, spawn, wait_until
from wuts_sandbox.run.ready import ReadyFile, is_launcher, launcher_of, session_pids

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wuts_sandbox.run.household import Resident
    from wuts_sandbox.run.options import Options
    from wuts_sandbox.world.document import World

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_START_SECONDS = 30
_SYNC_SECONDS = 600
_STOP_SECONDS = {"gateway": 1.0, "service": 7.0, "WhatsApp": 1.0}
# All in parallel but the service first in importance: 10 s are promised for the whole stop.
_DRAIN_SECONDS = 2
_REFRESH_SECONDS = 0.25
_GATEWAY = Path(__file__).resolve().parents[3] / "gateway"
_BIN = Path(sys.executable).parent


class Launcher:
    """One run: `go` returns the exit code."""

    def __init__(self, options: Options, world: World) -> None:
        self._options = options
        self._world = world
        self._started = time.monotonic()
        self._ready = ReadyFile(options.ready_file)
        self._children: list[Child] = []
        self._directory = Path()

    async def go(self) -> int:
        """Runs until a signal, or until a part fails; raises RunFailed."""
        stop = _stop_on_signals()
        self._refuse_a_second_run()
        with self._own_directory():
            try:
                await self._until(stop)
            finally:
                self._ready.remove()
                await self._stop_children()
        return 0

    async def _until(self, stop: asyncio.Event) -> None:
        work = asyncio.ensure_future(self._run())
        stopping = asyncio.ensure_future(stop.wait())
        await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if work.done():
            work.result()
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work
        self._say("stopping ...")

    async def _run(self) -> None:
        data = self._directory / "data"
        emulator = await self._whatsapp()
        residents = await asyncio.to_thread(settle, data, self._world)
        service, port = await self._service(data, emulator)
        http = await self._gateway(port, service)
        if emulator.control is not None:
            await self._link_all(residents, data, f"127.0.0.1:{port}", emulator.control)
        self._ready.write(self._content(http, port, emulator, residents, data))
        self._print_calls(http, residents)
        while True:
            self._ready.write(self._content(http, port, emulator, residents, data))
            await asyncio.sleep(_REFRESH_SECONDS)
            for child in self._children:
                child.check_alive()

    async def _whatsapp(self) -> Emulator:
        if self._options.emulator is not None:
            return read_emulator(self._options.emulator)
        world = self._directory / "world.json"
        world.write_text(self._world.model_dump_json())
        command = [str(_BIN / "wuts-sandbox"), "emulator", "--directory", str(self._directory)]
        child = await self._spawn("WhatsApp", [*command, "--world", str(world)])
        told = await self._read_when_there(self._directory / "emulator.json", child)
        self._say("the loopback WhatsApp is up")
        return Emulator(told["proxy"], told["ca"], told["noise_root"], told["control"])

    async def _service(self, data: Path, emulator: Emulator) -> tuple[Child, int]:
        session = [sys.executable, "-m", "wuts_sandbox.session", "--proxy", emulator.proxy]
        session += ["--ca", emulator.ca, "--noise-root", emulator.noise_root]
        settings = {
            "WUTS_DATA_DIR": str(data),
            "WUTS_GRPC_PORT": str(self._options.grpc_port),
            "WUTS_SESSION_COMMAND": shlex.join(session),
            "WUTS_SANDBOX": "true",
            "WUTS_DRAIN_SECONDS": str(_DRAIN_SECONDS),
        }
        child = await self._spawn("service", [str(_BIN / "wuts"), "serve"], settings)
        told = await self._read_when_there(data / "service.json", child)
        self._say(f"the service is up on 127.0.0.1:{told['port']}")
        return child, int(told["port"])

    async def _gateway(self, grpc_port: int, service: Child) -> str:
        admin = self._directory / "admin.sock"
        command = [sys.executable, str(_GATEWAY / "launch.py"), "--admin", str(admin)]
        command += ["--http-port", str(self._options.http_port), "--grpc-port", str(grpc_port)]
        child = await self._spawn("gateway", command)
        asking = await asyncio.create_subprocess_exec(
            *(sys.executable, str(_GATEWAY / "admin.py"), str(admin)),
            *("--healthy", "--wait", str(_START_SECONDS)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        told = asyncio.ensure_future(asking.communicate())
        try:
            await wait_until(
                lambda: True if told.done() else None, child, service, seconds=_START_SECONDS + 5
            )
        finally:
            if not told.done():
                asking.kill()
        if asking.returncode != 0:
            raise RunFailed(f"the gateway does not reach the service: {child.last_lines()}")
        http = f"http://127.0.0.1:{int(told.result()[0])}"
        self._say(f"the gateway is up on {http}")
        return http

    async def _link_all(
        self, residents: list[Resident], data: Path, address: str, control: str
    ) -> None:
        await asyncio.gather(*(link(resident, address, control) for resident in residents))
        self._say(f"linked {len(residents)} device(s) by QR code; waiting for the contacts")
        waits = (
            wait_until_synced(resident, data, _SYNC_SECONDS, self._say) for resident in residents
        )
        await asyncio.gather(*waits)
        self._say("the whole world is in the store")

    def _content(
        self,
        http: str,
        grpc_port: int,
        emulator: Emulator,
        residents: list[Resident],
        data: Path,
    ) -> dict[str, Any]:
        pids = {child.name: child.pid for child in self._children}
        return {
            "http": http,
            "grpc": f"127.0.0.1:{grpc_port}",
            "token": residents[0].token,
            "device_id": residents[0].device,
            "tokens": {resident.name: resident.token for resident in residents},
            "devices": {r.device: {"user": r.name, "pn": r.account.pn} for r in residents},
            "pids": {
                "launcher": os.getpid(),
                "service": pids["service"],
                "envoy": pids["gateway"],
                "emulator": pids.get("WhatsApp"),
                "sessions": dict(session_pids(data, (r.device for r in residents))),
            },
            "emulator": emulator.as_json(),
            "sandbox": True,
        }

    def _print_calls(self, http: str, residents: list[Resident]) -> None:
        first = residents[0]
        grpcurl = os.path.relpath(_BIN / "grpcurl")
        click.echo(f"\nReady in {time.monotonic() - self._started:.1f} s. Try:\n")
        for line in ready_to_paste(http, first.token, first.account, grpcurl):
            click.echo(f"{line}\n")
        if self._options.emulator is not None:
            click.echo(f"No device is linked yet:\n\nWUTS_URL={http} WUTS_TOKEN={first.token} "
                       f"{os.path.relpath(_BIN / 'wuts')} device pair --qr-text\n")  # fmt: skip
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
    def _own_directory(self) -> Iterator[None]:
        self._options.ready_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._directory = run_directory.make()
        held = run_directory.hold(self._directory)
        pipe = run_directory.start_janitor(self._directory, self._options.ready_file)
        try:
            yield
        finally:
            shutil.rmtree(self._directory, ignore_errors=True)
            os.close(held)
            os.close(pipe)

    async def _spawn(
        self, name: str, command: list[str], settings: dict[str, str] | None = None
    ) -> Child:
        child = await spawn(name, command, self._directory / f"{name}.log", settings)
        self._children.append(child)
        return child

    async def _read_when_there(self, path: Path, child: Child) -> dict[str, Any]:
        text = await wait_until(
            lambda: path.read_text() if path.exists() else None, child, seconds=_START_SECONDS
        )
        return dict(json.loads(text))

    async def _stop_children(self) -> None:
        await asyncio.gather(*(c.stop(_STOP_SECONDS[c.name]) for c in self._children))

    def _say(self, text: str) -> None:
        click.echo(f"[{time.monotonic() - self._started:4.1f} s] {text}")


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _stop_on_signals() -> asyncio.Event:
    # Set here explicitly, the handlers also hold where a signal was inherited as ignored.
    stop = asyncio.Event()
    for number in _STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop
