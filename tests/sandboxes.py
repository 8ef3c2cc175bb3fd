"""Runs of `make run` for the end-to-end tests, and callers for both doors."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import grpc
import httpx
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from wuts.contacts.v1 import contacts_service_pb2_grpc
from wuts.devices.v1 import devices_service_pb2_grpc
from wuts_sandbox.client import send

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60.0
STOP_SECONDS = 12.0
PAUSE = 0.02


def wait_for(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Waits until a condition holds; fails naming what did not happen."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        time.sleep(PAUSE)


def is_alive(pid: int) -> bool:
    """Tells whether a process runs; a zombie does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


@dataclass
class Sandbox:
    """One run: its ready.json, its process, and ways to call it."""

    process: subprocess.Popen[bytes]
    ready_file: Path
    log: Path
    ready: dict[str, Any] = field(default_factory=dict)

    def refresh(self) -> dict[str, Any]:
        """Reads ready.json anew."""
        self.ready = json.loads(self.ready_file.read_text())
        return self.ready

    @property
    def token(self) -> str:
        """The first user's token."""
        return str(self.ready["token"])

    def token_of(self, name: str) -> str:
        """The token of `<tenant>/<user>`."""
        return str(self.ready["tokens"][name])

    def device_of(self, name: str) -> str:
        """The device of `<tenant>/<user>`; the first, if there are several."""
        devices: dict[str, dict[str, str]] = self.ready["devices"]
        return next(device for device, told in devices.items() if told["user"] == name)

    def session_pid(self, device: str) -> int | None:
        """The pid of a device's session process now."""
        pid: int | None = self.refresh()["pids"]["sessions"].get(device)
        return pid

    def pids(self) -> list[int]:
        """Every process of the run."""
        told = dict(self.refresh()["pids"])
        sessions = told.pop("sessions")
        return [pid for pid in (*told.values(), *sessions.values()) if pid is not None]

    def get(
        self, path: str, *, token: str | None = None, **options: Any
    ) -> httpx.Response:  # httpx's
        """Calls over HTTP; without a token as the first user."""
        return self.call("GET", path, token=token, **options)

    def call(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        **options: Any,  # httpx's
    ) -> httpx.Response:
        """Calls over HTTP with any method."""
        headers = {"authorization": f"Bearer {token or self.token}"}
        headers |= options.pop("extra_headers", {})
        url = f"{self.ready['http']}{path}"
        return httpx.request(method, url, headers=headers, timeout=40, trust_env=False, **options)

    def control(self, command: str, **arguments: object) -> dict[str, Any]:
        """Steers the emulator; gives the result of a command that must succeed."""
        answer = send(self.ready["emulator"]["control"], {"command": command, **arguments})
        assert answer["ok"], answer
        result: dict[str, Any] = answer["result"]
        return result

    @contextlib.contextmanager
    def channel(self) -> Iterator[grpc.Channel]:
        """Opens a channel to the service's own port."""
        options = [("grpc.max_receive_message_length", 64 * 1024 * 1024)]
        with grpc.insecure_channel(self.ready["grpc"], options) as channel:
            yield channel

    def rpc(
        self, method: str, request: object, *, token: str | None = None, seconds: float = 40
    ) -> Any:  # any answer
        """Calls ContactsService natively."""
        metadata = [("authorization", f"Bearer {token or self.token}")]
        with self.channel() as channel:
            stub = contacts_service_pb2_grpc.ContactsServiceStub(channel)
            return getattr(stub, method)(request, metadata=metadata, timeout=seconds)

    def reason(self, method: str, request: object, *, token: str | None = None) -> str:
        """Makes a native call that must fail; gives the reason of its one ErrorInfo."""
        try:
            self.rpc(method, request, token=token)
        except grpc.RpcError as error:
            return _reason(cast("grpc.Call", error))
        raise AssertionError(f"{method} did not fail")

    def link_stub(self, channel: grpc.Channel) -> devices_service_pb2_grpc.DevicesServiceStub:
        """Makes a stub of DevicesService."""
        return devices_service_pb2_grpc.DevicesServiceStub(channel)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Signals the launcher and waits for its end; gives make's exit code."""
        launcher = self.ready.get("pids", {}).get("launcher")
        if self.process.poll() is None:
            os.kill(launcher or self.process.pid, number)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            # The run is no use any more; its janitor cleans up behind it.
            os.killpg(self.process.pid, signal.SIGKILL)
            raise


def _reason(error: grpc.Call) -> str:
    status = rpc_status.from_call(error)
    assert status is not None, error.details()
    info = error_details_pb2.ErrorInfo()
    assert [detail.Unpack(info) for detail in status.details].count(True) == 1
    return str(info.reason)


def make_run(
    directory: Path, *, before: tuple[str, ...] = (), environment: dict[str, str] | None = None,
    **variables: str,
) -> Sandbox:  # fmt: skip
    """Starts `make run` on free ports, with its ready file in the directory."""
    ready_file, log = directory / "ready.json", directory / "make.log"
    chosen = {"HTTP_PORT": "0", "GRPC_PORT": "0", "READY_FILE": str(ready_file)} | variables
    with log.open("wb") as output:
        process = subprocess.Popen(  # our own command
            [*before, "make", "-s", "run", *(f"{name}={value}" for name, value in chosen.items())],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
    return Sandbox(process, ready_file, log)


@contextlib.contextmanager
def running(
    directory: Path,
    *,
    seconds: float = START_SECONDS,
    **options: Any,  # make_run's
) -> Iterator[Sandbox]:
    """Runs a sandbox until it is ready; stops it afterwards."""
    sandbox = make_run(directory, **options)
    try:
        wait_for(
            lambda: sandbox.ready_file.exists() or sandbox.process.poll() is not None,
            seconds,
            "ready.json",
        )
        assert sandbox.process.poll() is None, sandbox.log.read_text()
        sandbox.refresh()
        yield sandbox
    finally:
        sandbox.stop()


def write_world(directory: Path, world: dict[str, Any]) -> str:
    """Writes a world document; gives its path."""
    path = directory / "world.json"
    path.write_text(json.dumps(world))
    return str(path)
