"""The launcher, its refusals, and what the gateway writes down."""

from __future__ import annotations

import json
import os
import select
import socket
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import grpc
import pytest

from fakes import JOAO, MARIA
from wuts.contacts.v1.contacts_service_pb2 import GetProfilePictureRequest
from wuts.contacts.v1.contacts_service_pb2_grpc import ContactsServiceStub

from . import world
from .exchange import over_http1
from .probes import AUTH, Probe, picture, resolve
from .running import ADMIN, LAUNCH, ROOT, port_of, running_gateway

if TYPE_CHECKING:
    from pathlib import Path

    from .running import Gateway

_Ended = subprocess.CompletedProcess[str]


def _run(script: Path, *arguments: str | Path) -> _Ended:
    command = [sys.executable, script, *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)


def _launch(port: int, folder: Path, *arguments: str | Path) -> _Ended:
    return _run(LAUNCH, "--http-port", str(port), "--admin", folder / "admin", *arguments)


class TestLaunch:
    """gateway/launch.py."""

    def test_check(self) -> None:
        """Validates the configuration without serving."""
        assert _run(LAUNCH, "--check").returncode == 0

    def test_help(self) -> None:
        """Explains every option."""
        shown = _run(LAUNCH, "--help").stdout
        options = ("--http-port", "--grpc-port", "--admin", "--access-log", "--check")
        assert [option for option in options if option not in shown] == []

    def test_busy_port(self, gateway: Gateway, folder: Path) -> None:
        """Refuses a port on which another gateway listens, in one line."""
        ended = _launch(gateway.port, folder)
        reason = f"gateway: cannot listen on 127.0.0.1:{gateway.port}: Address already in use\n"
        assert (ended.returncode, ended.stderr) == (1, reason)

    def test_port_taken_meanwhile(self, gateway: Gateway, folder: Path) -> None:
        """Ends by Envoy's own refusal when the port is taken after the launcher looked."""
        config = folder / "taken.yaml"
        template = (ROOT / "envoy.yaml").read_text()
        config.write_text(template.replace("@HTTP_PORT@", str(gateway.port)))
        ended = _launch(0, folder, "--config", config)
        last = f"cannot bind '127.0.0.1:{gateway.port}': Address already in use"
        assert (ended.returncode, ended.stderr.splitlines()[-1]) == (1, last)

    def test_busy_admin_socket(self, gateway: Gateway) -> None:
        """Refuses the admin socket of a running gateway."""
        ended = _launch(0, gateway.admin.parent)
        assert ended.stderr == f"gateway: another gateway uses the admin socket {gateway.admin}\n"
        assert ended.returncode == 1

    def test_long_admin_socket(self, folder: Path) -> None:
        """Refuses a socket path that the kernel cannot hold."""
        ended = _run(LAUNCH, "--admin", folder / ("a" * 100))
        assert ended.stderr.startswith("gateway: the path of the admin socket is longer than 107")
        assert ended.returncode == 1

    def test_no_directory(self, folder: Path) -> None:
        """Refuses an admin socket in a directory that does not exist."""
        ended = _run(LAUNCH, "--admin", folder / "none" / "admin")
        reason = f"gateway: the directory of the admin socket does not exist: {folder / 'none'}\n"
        assert (ended.returncode, ended.stderr) == (1, reason)

    def test_no_access_log(self, folder: Path) -> None:
        """Refuses an access log that cannot be written."""
        path = folder / "none" / "log"
        ended = _launch(0, folder, "--access-log", path)
        reason = f"gateway: cannot write the access log {path}: No such file or directory\n"
        assert (ended.returncode, ended.stderr) == (1, reason)

    def test_no_port(self, folder: Path) -> None:
        """Refuses what is no port."""
        ended = _launch(65536, folder)
        assert ended.stderr.endswith("65536 is no port: write a number from 0 to 65535\n")
        assert ended.returncode == 2

    def test_modes(self, gateway: Gateway) -> None:
        """Makes the admin socket and the access log for their owner only."""
        files = (gateway.admin, gateway.access_log)
        assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o600, 0o600]

    def test_loopback_only(self, gateway: Gateway) -> None:
        """Listens on 127.0.0.1 and on no other address."""
        with socket.socket() as other:
            assert other.connect_ex(("127.0.0.2", gateway.port)) != 0

    def test_stale_admin_socket(self, service_port: int, folder: Path) -> None:
        """Starts over the admin socket that a killed gateway has left."""
        with running_gateway(service_port, folder) as gateway:
            gateway.process.kill()
            gateway.process.wait(10)
        assert (folder / "admin").exists()
        with running_gateway(service_port, folder) as gateway:
            assert over_http1(gateway.port, Probe("contacts", "/contacts")).status == 200


class TestDieWithParent:
    """launch.py --die-with-parent."""

    _PARENT = (
        "import subprocess, sys; print(subprocess.Popen(sys.argv[1:]).pid, flush=True); input()"
    )

    def test_parent_ends(self, folder: Path) -> None:
        """Ends the gateway when the process that started it has ended."""
        command: list[str | Path] = [
            sys.executable,
            "-c",
            self._PARENT,
            sys.executable,
            LAUNCH,
            "--http-port",
            "0",
        ]
        command += ["--admin", folder / "admin", "--access-log", "/dev/null", "--die-with-parent"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
            assert parent.stdout is not None
            gateway = os.pidfd_open(int(parent.stdout.readline()))
            port_of(folder / "admin", healthy=False)
            parent.kill()
        ended, _, _ = select.select([gateway], [], [], 10)
        os.close(gateway)
        assert ended == [gateway]


class TestAdmin:
    """gateway/admin.py."""

    def test_port(self, gateway: Gateway) -> None:
        """Prints the port that callers use."""
        assert _run(ADMIN, gateway.admin).stdout == f"{gateway.port}\n"

    @pytest.mark.parametrize("options", [(), ("--wait", "0.1", "--healthy")])
    def test_no_gateway(self, folder: Path, options: tuple[str, ...]) -> None:
        """Says in one line that nothing serves."""
        ended = _run(ADMIN, folder / "admin", *options)
        reason = f"gateway: nothing serves behind {folder / 'admin'}\n"
        assert (ended.returncode, ended.stderr) == (1, reason)


class TestPrivacy:
    """What the gateway writes down."""

    def test_logs(self, service_port: int, folder: Path) -> None:
        """Writes a line a request, without token, number, query or path of the caller."""
        secrets = (world.DEMO, MARIA, JOAO, "0123456789", "jid=")
        with running_gateway(service_port, folder) as gateway:
            requests = self._send(gateway)
        written = gateway.access_log.read_text() + gateway.output.read_text()
        lines = [json.loads(line) for line in gateway.access_log.read_text().splitlines()]
        assert len(lines) == requests
        assert [secret for secret in secrets if secret in written] == []
        routes = {line.get("route") for line in lines}
        assert {"get-profile-picture", "resolve-identifiers"} <= routes

    def _send(self, gateway: Gateway) -> int:
        number, large = f"number={MARIA}", b"a" * 70_000
        probes = [
            picture("found", number),
            picture("bad field", f"{number}&preview=maybe"),
            picture("unknown field", f"{number}&{JOAO}=1"),
            picture("bad escape", f"{number}%FF"),
            picture("faulty", f"jid={world.FAULTY}&existing_id=0123456789"),
            resolve("found", f'{{"jids": ["{MARIA}"]}}'),
            resolve("bad", f'{{"jids": [{MARIA}]}}'),
            Probe("path", f"/{MARIA}?{number}"),
            Probe("path below", f"/contacts/{MARIA}?{number}", headers=()),
            Probe("query", f"/contacts?token={world.DEMO}", headers=()),
            Probe("large", f"/contacts/resolve?jids={MARIA}", method="POST", body=large),
            Probe("identity", "/contacts", headers=(*AUTH, ("x-request-id", MARIA))),
            Probe("header", "/contacts", headers=(*AUTH, ("user-agent", MARIA))),
        ]
        for probe in probes:
            over_http1(gateway.port, probe)
        with grpc.insecure_channel(f"127.0.0.1:{gateway.port}") as channel:
            request = GetProfilePictureRequest(number=MARIA)
            ContactsServiceStub(channel).GetProfilePicture(request, metadata=AUTH, timeout=5)
        return len(probes) + 1
