"""What surrounds the calls: environment, logs, tokens, grpcurl, and a long list."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import e2e_world
from e2e_world import ANA, BOB, SHARED
from sandboxes import Sandbox, running

BIN = Path(sys.executable).parent
SERVICE = "wuts.contacts.v1.ContactsService"
RESOLVE = f"{SERVICE}/ResolveIdentifiers"


def logs(sandbox: Sandbox) -> str:
    """Everything that the processes of a run have written."""
    directory = Path(sandbox.ready["emulator"]["ca"]).parent
    return "".join(path.read_text() for path in sorted(directory.glob("*.log")))


def environment_of(pid: int) -> dict[str, str]:
    """The environment a process was started with."""
    entries = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return dict(entry.decode().split("=", 1) for entry in entries if b"=" in entry)


class TestProxy:
    """A sandbox never leaves loopback, whatever the shell says."""

    @pytest.mark.parametrize(
        "shell",
        [
            {"NO_PROXY": "*", "no_proxy": "*", "ALL_PROXY": "http://127.0.0.1:9"},
            {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"},
        ],
        ids=["none", "all"],
    )
    def test_proxies_of_the_shell(self, tmp_path: Path, shell: dict[str, str]) -> None:
        """With NO_PROXY=*, or proxies of its own in the shell, everything works as ever."""
        with running(tmp_path, environment=shell) as sandbox:
            assert 2 == sandbox.get("/contacts").json()["count"]
            (pid,) = sandbox.ready["pids"]["sessions"].values()
            names = {name.upper() for name in environment_of(pid)}
        assert set() == names & {"NO_PROXY", "ALL_PROXY", "HTTP_PROXY"}
        assert "HTTPS_PROXY" in names


class TestSecrecy:
    """Logs hold no token, number or name."""

    def test_logs_of_a_run(self, town: Sandbox) -> None:
        """After calls of every kind the logs of all processes name nobody."""
        paths = [
            "/contacts",
            f"/contacts/profile-picture?number={SHARED}",
            f"/contacts/profile-picture?number={SHARED}x",
            f"/{SHARED}",
        ]
        for path in paths:
            town.get(path, token=town.token_of(ANA))
        town.call("POST", "/contacts/resolve", json={"jids": [SHARED]})
        written = logs(town)
        values = [v for n, v in vars(e2e_world).items() if n.isupper() and isinstance(v, str)]
        people = [value for value in values if value[:4].isdigit()]
        secrets = [*people, *town.ready["tokens"].values(), "Person ", "5511900000001"]
        assert [] == [secret for secret in secrets if secret in written]
        assert "serving" in written


class TestTokens:
    """The registry of a running service is managed from the command line."""

    def test_a_revoked_token(self, town: Sandbox) -> None:
        """A token made while the service runs works at once, and not a second after revocation."""
        data = str(Path(town.ready["emulator"]["ca"]).parent / "data")
        made = subprocess.run(
            [str(BIN / "wuts"), "token", "add", BOB, "--data", data],
            capture_output=True,
            text=True,
            check=True,
        )
        token = made.stdout.strip()
        assert 200 == town.get("/contacts", token=token).status_code
        revoke = [str(BIN / "wuts"), "token", "revoke", token, "--data", data]
        subprocess.run(revoke, capture_output=True, check=True)
        started = time.monotonic()
        while town.get("/contacts", token=token).status_code != 401:
            assert time.monotonic() - started < 1


class TestGrpcurl:
    """People with grpcurl find and call everything."""

    def grpcurl(self, *arguments: str) -> str:
        """Runs the real grpcurl."""
        command = [str(BIN / "grpcurl"), "-plaintext", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
        return done.stdout

    @pytest.mark.parametrize("door", ["grpc", "http"])
    def test_list_describe_call(self, example: Sandbox, door: str) -> None:
        """At the service and at the gateway: list, describe, call."""
        address = example.ready[door].removeprefix("http://")
        assert "wuts.contacts.v1.ContactsService" in self.grpcurl(address, "list")
        for symbol in (SERVICE, f"{SERVICE}.ResolveIdentifiers"):
            described = self.grpcurl(address, "describe", symbol)
            assert "rpc ResolveIdentifiers" in described
        header = f"authorization: Bearer {example.token}"
        question = '{"jids": ["112233445566778@lid"]}'
        answer: Any = json.loads(self.grpcurl("-H", header, "-d", question, address, RESOLVE))
        assert "5511888888888" == answer["items"][0]["phone_number"]


class TestLongList:
    """Tens of thousands of contacts arrive over the wire and come out as one JSON."""

    def test_thirty_thousand_contacts(self, tmp_path: Path) -> None:
        """The whole list and its pages hold everybody once, in one order."""
        with running(tmp_path, seconds=120, CONTACTS="30000") as sandbox:
            whole: Any = sandbox.get("/contacts").json()
            assert 30_002 == whole["count"] == len({c["jid"] for c in whole["contacts"]})
            paged: list[Any] = []
            following: str | None = "?page_size=5000"
            while following:
                page: Any = sandbox.get(f"/contacts{following}").json()
                paged += page["contacts"]
                token = page.get("next_page_token")
                following = f"?page_size=5000&page_token={token}" if token else None
        assert whole["contacts"] == paged
