"""The parts of a run: WhatsApp, the service, the gateway; started, watched, revived."""

from __future__ import annotations

import asyncio
import json
import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wuts_sandbox.run.options import Emulator, RunFailed, read_emulator
from wuts_sandbox.run.processes import Child, spawn, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wuts_sandbox.run.options import Options
    from wuts_sandbox.world.document import World

WHATSAPP, SERVICE, GATEWAY = "WhatsApp", "service", "gateway"
BIN = Path(sys.executable).parent

_START_SECONDS = 30
_DRAIN_SECONDS = 2
_STOP_SECONDS = {GATEWAY: 1.0, SERVICE: 7.0, WHATSAPP: 1.0}
# All at the same time; ten seconds are promised for the whole stop.
_REVIVE_SECONDS = 1.0
# Long enough for callers to notice that a part is gone.
_MAX_DEATHS, _DEATH_WINDOW = 5, 60.0
_LAUNCHERS = Path(__file__).resolve().parents[3] / "gateway"


class Parts:
    """The processes of one run, in its directory.

    `grpc_port` and `http` are known once the service and the gateway are up,
    and stay the same when these are started again.
    """

    def __init__(self, directory: Path, options: Options, say: Callable[[str], None]) -> None:
        self.data = directory / "data"
        self.grpc_port, self.http_port = options.grpc_port, options.http_port
        self.metrics_port = 0
        self.emulator: Emulator | None = None
        self._directory = directory
        self._options = options
        self._say = say
        self._children: dict[str, Child] = {}
        self._deaths: list[float] = []

    @property
    def http(self) -> str:
        """Where the gateway serves JSON."""
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def grpc(self) -> str:
        """Where the service listens."""
        return f"127.0.0.1:{self.grpc_port}"

    @property
    def metrics(self) -> str:
        """Where the service serves its metrics."""
        return f"http://127.0.0.1:{self.metrics_port}/metrics"

    def pid(self, name: str) -> int | None:
        """The pid of a part that was started."""
        child = self._children.get(name)
        return child.pid if child else None

    async def start_whatsapp(self, world: World) -> Emulator:
        """Starts the loopback WhatsApp, or reads where another one is."""
        if self._options.emulator is not None:
            self.emulator = read_emulator(self._options.emulator)
            return self.emulator
        file = self._directory / "world.json"
        file.write_text(world.model_dump_json())
        command = [str(BIN / "wuts-sandbox"), "emulator", "--directory", str(self._directory)]
        child = await self._spawn(WHATSAPP, [*command, "--world", str(file)])
        told = await _read_when_there(self._directory / "emulator.json", child)
        self._say("the loopback WhatsApp is up")
        self.emulator = Emulator(told["proxy"], told["ca"], told["noise_root"], told["control"])
        return self.emulator

    async def start_service(self) -> None:
        """Starts the service, whose session processes know only the emulator."""
        child = await self._spawn(SERVICE, [str(BIN / "wuts"), "serve"], self._settings())
        told = await _read_when_there(self.data / "service.json", child)
        self.grpc_port, self.metrics_port = int(told["port"]), int(told["metrics_port"])
        self._say(f"the service is up on {self.grpc}")

    async def start_gateway(self) -> None:
        """Starts Envoy and waits until it has found the service healthy."""
        admin = self._directory / "admin.sock"
        command = [sys.executable, str(_LAUNCHERS / "launch.py"), "--admin", str(admin)]
        command += ["--http-port", str(self.http_port), "--grpc-port", str(self.grpc_port)]
        command += ["--otlp-endpoint", self._options.otlp_endpoint]
        child = await self._spawn(GATEWAY, command)
        self.http_port = await self._ask_port(admin, child)
        self._say(f"the gateway is up on {self.http}")

    async def revive(self) -> None:
        """Starts a service or gateway that has ended again, as an init system would.

        WhatsApp is left dead: its keys died with it. Raises RunFailed when parts
        keep dying.
        """
        for name, start in ((SERVICE, self.start_service), (GATEWAY, self.start_gateway)):
            if self._children[name].is_alive():
                continue
            self._count_death(name)
            self._say(f"the {name} ended; starting it again")
            await asyncio.sleep(_REVIVE_SECONDS)
            await start()

    async def stop(self) -> None:
        """Stops everything."""
        await asyncio.gather(*(c.stop(_STOP_SECONDS[c.name]) for c in self._children.values()))

    def _settings(self) -> dict[str, str]:
        emulator = self.emulator
        if emulator is None:
            raise RunFailed("the service needs a WhatsApp to be started first")
        session = [sys.executable, "-m", "wuts_sandbox.session", "--proxy", emulator.proxy]
        session += ["--ca", emulator.ca, "--noise-root", emulator.noise_root]
        return {
            **self._options.settings,
            "WUTS_DATA_DIR": str(self.data),
            "WUTS_GRPC_PORT": str(self.grpc_port),
            "WUTS_METRICS_PORT": str(self.metrics_port),
            "WUTS_OTLP_ENDPOINT": self._options.otlp_endpoint,
            "WUTS_SESSION_COMMAND": shlex.join(session),
            "WUTS_SANDBOX": "true",
            "WUTS_DRAIN_SECONDS": str(_DRAIN_SECONDS),
        }

    async def _ask_port(self, admin: Path, child: Child) -> int:
        asking = await asyncio.create_subprocess_exec(
            *(sys.executable, str(_LAUNCHERS / "admin.py"), str(admin)),
            *("--healthy", "--wait", str(_START_SECONDS)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        told = asyncio.ensure_future(asking.communicate())
        try:
            await wait_until(
                lambda: True if told.done() else None,
                *(child, self._children[SERVICE]),
                seconds=_START_SECONDS + 5,
            )
        finally:
            if not told.done():
                asking.kill()
        if asking.returncode != 0:
            raise RunFailed(f"the gateway does not reach the service: {child.last_lines()}")
        return int(told.result()[0])

    async def _spawn(
        self, name: str, command: list[str], settings: Mapping[str, str] | None = None
    ) -> Child:
        log = self._directory / f"{name}.log"
        self._children[name] = await spawn(name, command, log, settings)
        return self._children[name]

    def _count_death(self, name: str) -> None:
        now = time.monotonic()
        self._deaths = [death for death in self._deaths if now - death < _DEATH_WINDOW] + [now]
        if len(self._deaths) > _MAX_DEATHS:
            raise RunFailed(f"the {name} keeps ending: {self._children[name].last_lines()}")


async def _read_when_there(path: Path, child: Child) -> dict[str, Any]:
    def read() -> dict[str, Any] | None:
        # Of another process when a killed one left it behind.
        told = json.loads(path.read_text()) if path.exists() else {}
        return told if told.get("pid") == child.pid else None

    return await wait_until(read, child, seconds=_START_SECONDS)
