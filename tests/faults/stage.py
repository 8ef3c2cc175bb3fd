"""A WhatsApp, a service and a gateway, each of which can be killed and started again."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import httpx

from faults.subject import Subject
from sandboxes import ROOT, is_alive, wait_for
from wuts.devices.v1 import devices_service_pb2_grpc as pb_grpc
from wuts_sandbox.client import send
from wuts_sandbox.run.household import settle
from wuts_sandbox.run.processes import clean_environment
from wuts_sandbox.store_check import check_store, expected_store
from wuts_sandbox.world.load import read_world

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wuts_sandbox.run.household import Resident

BIN = Path(sys.executable).parent
UP_SECONDS = 60.0
LINK_SECONDS = 60.0
STOP_SECONDS = 20.0


class Stage:
    """One data directory, its processes, and the people who use it.

    The parts start by themselves only in `up`; a service that was killed is
    started again by `start_service`, on the same port and data.
    """

    def __init__(
        self, world: dict[str, Any], *, gateway: Sequence[str] = (), **settings: str
    ) -> None:
        """Takes a world document, options of the gateway, and WUTS_* variables of the service."""
        self.directory = Path(tempfile.mkdtemp(prefix="wuts-faults-"))
        self.data = self.directory / "data"
        self.settings = settings
        self.gateway_pid = 0
        self.service: subprocess.Popen[bytes] | None = None
        self.http = self.grpc = ""
        self._world = self.directory / "world.json"
        self._world.write_text(json.dumps(world))
        self._others: list[subprocess.Popen[bytes]] = []
        self._emulator: dict[str, str] = {}
        self._residents: list[Resident] = []
        self._gateway = gateway
        self._port = 0
        self.client = httpx.Client(trust_env=False, timeout=40, limits=httpx.Limits())

    def up(self, *, unlinked: Sequence[str] = ()) -> Stage:
        """Starts everything and links every user's device but those named."""
        self._start_emulator()
        self._residents = settle(self.data, read_world(self._world))
        self.start_service()
        self._start_gateway()
        linking = [
            threading.Thread(target=self._link, args=(resident,), daemon=True)
            for resident in self._residents
            if resident.account.user not in unlinked
        ]
        for thread in linking:
            thread.start()
        for thread in linking:
            thread.join()
        for subject in self.subjects():
            if subject.user not in unlinked:
                wait_for(subject.is_synced, UP_SECONDS, f"the sync of {subject.user}")
        return self

    def down(self) -> None:
        """Ends every process and removes the directory."""
        for process in (self.service, *reversed(self._others)):
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in (self.service, *reversed(self._others)):
            if process is not None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(STOP_SECONDS)
                process.kill()
                process.wait()
        self.client.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def start_service(self, *, before: Sequence[str] = (), **settings: str) -> None:
        """Starts the service, on the port it had before if it had one, and waits for it."""
        (self.data / "service.json").unlink(missing_ok=True)
        self.service = self.spawn_service(before=before, **settings)
        told = json.loads(self._wait_for_text(self.data / "service.json", self.service))
        self._port = int(told["port"])
        self.grpc = f"127.0.0.1:{self._port}"

    def spawn_service(self, *, before: Sequence[str] = (), **settings: str) -> Any:  # a process
        """Starts one more service on the data directory, and waits for nothing."""
        session = [sys.executable, "-m", "wuts_sandbox.session", "--proxy", self._emulator["proxy"]]
        session += ["--ca", self._emulator["ca"], "--noise-root", self._emulator["noise_root"]]
        chosen = {
            "WUTS_DATA_DIR": str(self.data),
            "WUTS_GRPC_PORT": str(self._port),
            "WUTS_METRICS_PORT": "0",
            "WUTS_SESSION_COMMAND": shlex.join(session),
            "WUTS_SANDBOX": "true",
            # Faults are caused under load; what a budget refuses is tested elsewhere.
            "WUTS_BUDGET_PICTURES": "1000000/h burst 100000",
            "WUTS_QUIET_HOURS": "0",
        }
        command = [*before, str(BIN / "wuts"), "serve"]
        return self._spawn("service", command, chosen | self.settings | settings)

    def kill_service(self) -> int:
        """Kills the service as the kernel would; gives the pid it had."""
        assert self.service is not None
        self.service.kill()
        self.service.wait()
        return self.service.pid

    def control(self, command: str, **arguments: object) -> dict[str, Any]:
        """Steers the emulator; gives the result of a command that must succeed."""
        answer = self.try_control(command=command, **arguments)
        assert answer["ok"], answer
        result: dict[str, Any] = answer["result"]
        return result

    def try_control(self, **command: object) -> dict[str, Any]:
        """Steers the emulator; gives its answer, be it a refusal."""
        return send(self._emulator["control"], command)

    def subjects(self) -> list[Subject]:
        """Everybody who lives here."""
        return [Subject(self, resident) for resident in self._residents]

    def subject(self, user: str) -> Subject:
        """The user of that name, which is unique here."""
        return next(subject for subject in self.subjects() if subject.user == user)

    def is_complete(self, resident: Resident) -> bool:
        """Tells whether a device's store holds all that the world says."""
        store = self.data / "devices" / resident.device / "store.db"
        return check_store(store, resident.account, expected_store(resident.account)).complete

    @contextlib.contextmanager
    def devices(self) -> Iterator[pb_grpc.DevicesServiceStub]:
        """Opens a channel to the service's own port."""
        with grpc.insecure_channel(self.grpc) as channel:
            yield pb_grpc.DevicesServiceStub(channel)

    def log(self, name: str = "service") -> str:
        """Everything that a process has written."""
        return (self.directory / f"{name}.log").read_text()

    def _link(self, resident: Resident) -> None:
        Subject(self, resident).link()

    def _start_emulator(self) -> None:
        command = [str(BIN / "wuts-sandbox"), "emulator", "--directory", str(self.directory)]
        process = self._spawn("emulator", [*command, "--world", str(self._world)], {})
        self._others.append(process)
        told = self._wait_for_text(self.directory / "emulator.json", process)
        self._emulator = json.loads(told)

    def _start_gateway(self) -> None:
        gateway, admin = ROOT / "gateway", str(self.directory / "admin.sock")
        command = [sys.executable, str(gateway / "launch.py"), "--admin", admin]
        command += ["--http-port", "0", "--grpc-port", str(self._port), *self._gateway]
        self._others.append(self._spawn("gateway", command, {}))
        self.gateway_pid = self._others[-1].pid
        asking = [sys.executable, str(gateway / "admin.py"), admin, "--healthy", "--wait", "30"]
        done = subprocess.run(asking, capture_output=True, text=True, check=True, timeout=60)
        self.http = f"http://127.0.0.1:{int(done.stdout)}"

    def _spawn(
        self, name: str, command: Sequence[str], environment: dict[str, str]
    ) -> subprocess.Popen[bytes]:
        with (self.directory / f"{name}.log").open("ab") as output:
            return subprocess.Popen(  # our own command
                [sys.executable, "-m", "wuts_sandbox.tether", str(os.getpid()), *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=clean_environment(environment),
                start_new_session=True,
            )

    def _wait_for_text(self, path: Path, process: subprocess.Popen[bytes]) -> str:
        wait_for(lambda: path.exists() or process.poll() is not None, UP_SECONDS, path.name)
        told = "".join(log.read_text()[-1000:] for log in self.directory.glob("*.log"))
        assert process.poll() is None, f"it ended before it wrote {path.name}: {told}"
        return path.read_text()


@contextlib.contextmanager
def staged(
    world: dict[str, Any],
    *,
    unlinked: Sequence[str] = (),
    gateway: Sequence[str] = (),
    **settings: str,
) -> Iterator[Stage]:
    """Runs a stage; ends it afterwards whatever happened."""
    stage = Stage(world, gateway=gateway, **settings)
    try:
        yield stage.up(unlinked=unlinked)
    finally:
        stage.down()


def gone(pids: Sequence[int | None]) -> bool:
    """Tells whether none of these processes runs any more."""
    return not any(pid is not None and is_alive(pid) for pid in pids)


def lower_file_limit(pid: int, size: int | None) -> None:
    """Lets a process write no file beyond that size; None lifts it."""
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard if size is None else size, hard))
