"""`wuts serve`: real processes, real signals; sessions are stand-ins without an engine."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from failing import failure_of
from sandboxes import is_alive, wait_for
from session.harness import STAND_IN
from session.stand_in import Behaviour, write_behaviour
from whatsmeow_files import WhatsmeowFiles
from wuts.adapters.registry import Registry
from wuts.devices.v1 import devices_service_pb2 as pb
from wuts.devices.v1 import devices_service_pb2_grpc as pb_grpc
from wuts.domain.caller import DeviceId
from wuts.domain.jid import pn_jid

if TYPE_CHECKING:
    from collections.abc import Iterator

WUTS = Path(sys.executable).with_name("wuts")
DEVICE = DeviceId("device-a")
START, STOP = 20.0, 8.0


class Service:
    """A running service on a data directory, and a caller of it."""

    def __init__(self, data: Path, process: subprocess.Popen[bytes]) -> None:
        self._data = data
        self.process = process
        self._channel: grpc.Channel | None = None

    def ready(self, token: str) -> Service:
        """Waits until it serves; calls are made with that token from then on."""
        file = self._data / "service.json"
        wait_for(lambda: file.exists() or self.process.poll() is not None, START, "its start")
        port = json.loads(file.read_text())["port"]
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self._auth = (("authorization", token),)
        return self

    def status(self) -> pb.GetStatusResponse:
        """Asks for the status of the only device."""
        return self._stub.GetStatus(pb.GetStatusRequest(), metadata=self._auth, timeout=10)

    def watch(self) -> Any:
        """Watches the only device."""
        return self._stub.WatchDevice(pb.WatchDeviceRequest(), metadata=self._auth, timeout=60)

    def link(self) -> Any:
        """Links the only device."""
        return self._stub.LinkDevice(pb.LinkDeviceRequest(), metadata=self._auth, timeout=60)

    def close(self) -> None:
        """Ends it, should it still run."""
        if self._channel is not None:
            self._channel.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)

    @property
    def _stub(self) -> pb_grpc.DevicesServiceStub:
        assert self._channel is not None
        return pb_grpc.DevicesServiceStub(self._channel)


class Installation:
    """A data directory with one user who has one device."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.files = WhatsmeowFiles(data)
        with self.registry() as registry:
            registry.add_tenant("acme")
            registry.add_user("acme", "ana")
            registry.create_device("acme", "ana", device_id=DEVICE)
            self.token = registry.add_token("acme", "ana").token
        self.behave(Behaviour())

    @contextlib.contextmanager
    def registry(self) -> Iterator[Registry]:
        """Opens the registry, as the command line does."""
        registry = Registry(self.data)
        try:
            yield registry
        finally:
            registry.close()

    def behave(self, behaviour: Behaviour) -> None:
        """Says how the device's next process behaves."""
        write_behaviour(self.data / "devices" / DEVICE, behaviour)

    @contextlib.contextmanager
    def begun(self, **settings: str) -> Iterator[Service]:
        """Begins a service."""
        environment = {
            **os.environ,
            "WUTS_DATA_DIR": str(self.data),
            "WUTS_GRPC_PORT": "0",
            "WUTS_METRICS_PORT": "0",
            "WUTS_SESSION_COMMAND": shlex.join(STAND_IN),
            "WUTS_SANDBOX": "true",
            **settings,
        }
        process = subprocess.Popen([WUTS, "serve"], env=environment, stderr=subprocess.PIPE)
        service = Service(self.data, process)
        try:
            yield service
        finally:
            service.close()
            assert process.stderr is not None
            process.stderr.close()

    @contextlib.contextmanager
    def serving(self, **settings: str) -> Iterator[Service]:
        """Runs a service."""
        with self.begun(**settings) as service:
            yield service.ready(self.token)


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """Gives one whose device is not linked."""
    return Installation(tmp_path / "data")


def _stop(service: Service, number: int = signal.SIGTERM) -> float:
    """Sends a signal and gives the seconds until the service ended, with status 0."""
    start = time.monotonic()
    service.process.send_signal(number)
    assert 0 == service.process.wait(30)
    return time.monotonic() - start


class TestTwoServices:
    """One data directory."""

    def test_the_second_refuses(self, installation: Installation) -> None:
        """The second service names the holder, in one line, and the first goes on."""
        with installation.serving() as first, installation.begun() as second:
            _, told = second.process.communicate(timeout=START)
            held = f"is held by another service, pid {first.process.pid}"
            expected = f"wuts: {installation.data} {held}\n"
            assert (1, expected) == (second.process.returncode, told.decode())
            assert first.status().success

    def test_after_a_kill(self, installation: Installation) -> None:
        """A service that was killed holds nothing: the next one starts."""
        with installation.serving() as first:
            first.process.kill()
            first.process.wait(10)
        (installation.data / "service.json").unlink()
        with installation.serving() as second:
            assert second.status().success


class TestRestart:
    """What comes back by itself."""

    def test_connected(self, installation: Installation) -> None:
        """A linked device is connected again after a kill."""
        installation.files.link(DEVICE, "5511900000000")
        with installation.registry() as registry:
            registry.record_linked(DEVICE, pn_jid("5511900000000"))
        for _ in range(2):
            with installation.serving() as service:
                wait_for(lambda: service.status().data.connected, 15, "the connection")
                assert "5511900000000" == service.status().data.phone_number
            (installation.data / "service.json").unlink()

    def test_missed_link(self, installation: Installation) -> None:
        """A link that was never recorded is found, recorded and connected."""
        installation.files.link(DEVICE, "5511900000000")
        with installation.serving() as service:
            wait_for(lambda: service.status().data.is_logged_in, 15, "the login")
            wait_for(lambda: service.status().data.connected, 15, "the connection")

    def test_disconnected(self, installation: Installation) -> None:
        """A device that was disconnected by request is left alone."""
        installation.files.link(DEVICE, "5511900000000")
        with installation.registry() as registry:
            registry.record_linked(DEVICE, pn_jid("5511900000000"))
            registry.set_should_connect(DEVICE, should_connect=False)
        with installation.serving() as service:
            status = service.status().data
            told = (status.status, status.reason, status.is_logged_in)
        assert ("disconnected", "DISCONNECTED_BY_REQUEST", True) == told


class TestStop:
    """Signals."""

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
    def test_idle(self, installation: Installation, number: int) -> None:
        """An idle service ends soon, with status 0, and withdraws what it announced."""
        with installation.serving() as service:
            assert _stop(service, number) < STOP
            assert not (installation.data / "service.json").exists()

    def test_watched(self, installation: Installation) -> None:
        """Whoever watches a device is told, and holds nothing up."""
        with installation.serving() as service:
            states = service.watch()
            first = next(states).state.state
            took = _stop(service)
            assert ("NEW", "SERVICE_UNAVAILABLE") == (
                first,
                failure_of(lambda: next(states)).reason,
            )
            assert took < STOP

    def test_children(self, installation: Installation) -> None:
        """The session process ends with the service, a deaf one by a kill after three seconds."""
        installation.behave(Behaviour(deaf=True))
        installation.files.link(DEVICE, "5511900000000")
        with installation.serving() as service:
            wait_for(lambda: service.status().data.connected, 15, "the connection")
            (child,) = _children(service.process.pid)
            assert 2 < _stop(service) < STOP
            assert not is_alive(child)

    def test_a_second_signal_hurries(self, installation: Installation) -> None:
        """While somebody links, the service drains; a second signal ends that."""
        installation.behave(Behaviour(linked=False, states=("LINKING",), codes=("2@code",)))
        with installation.serving(WUTS_DRAIN_SECONDS="60") as service:
            steps = service.link()
            assert "2@code" == next(steps).qr_code.text
            service.process.send_signal(signal.SIGTERM)
            wait_for(lambda: _refuses(service), 10, "the refusal of new calls")
            assert service.process.poll() is None
            assert _stop(service) < STOP
            steps.cancel()


def _refuses(service: Service) -> bool:
    try:
        service.status()
    except grpc.RpcError:
        return True
    return False


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
