"""One user with one device: how the tests call as them and look at what is theirs."""

from __future__ import annotations

import hashlib
import itertools
import os
import signal
import sqlite3
import threading
import time
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from faults.seen import Answer, Watch
from faults.world import FRIEND, FRIEND_LID, SILENT
from sandboxes import is_alive, wait_for
from wuts.devices.v1 import devices_service_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from faults.stage import Stage
    from wuts_sandbox.run.household import Resident

PICTURE = "/contacts/profile-picture?number="
_SILENT = itertools.cycle(SILENT)
BACK = 20.0
LINK_SECONDS = 60.0
_KEY_COLUMNS = "jid, registration_id, noise_key, identity_key, signed_pre_key, adv_key"


@dataclass(frozen=True)
class Subject:
    """A user of the stage."""

    stage: Stage
    resident: Resident

    @property
    def user(self) -> str:
        """The name within the tenant."""
        return self.resident.account.user

    @property
    def device(self) -> str:
        """The id of the device."""
        return self.resident.device

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What a native call carries."""
        return (("authorization", f"Bearer {self.resident.token}"),)

    @property
    def directory(self) -> Path:
        """Where the store lies."""
        return self.stage.data / "devices" / self.device

    @property
    def pid(self) -> int | None:
        """The session process that lives now."""
        try:
            pid = int((self.directory / "session.lock").read_text())
        except (OSError, ValueError):
            return None
        return pid if is_alive(pid) else None

    def control(self, command: str, **arguments: object) -> dict[str, Any]:
        """Steers the emulator about this account."""
        return self.stage.control(command, account=self.resident.account.pn, **arguments)

    def count(self, kind: str) -> int:
        """How many stanzas of a kind this account's device has sent."""
        return int(self.control("count")["counts"].get(kind, 0))

    def call(self, method: str, path: str, **options: Any) -> Answer:
        """Calls over HTTP and takes the time."""
        headers = {"authorization": f"Bearer {self.resident.token}"}
        started = time.monotonic()
        answer = self.stage.client.request(
            method, f"{self.stage.http}{path}", headers=headers, **options
        )
        seconds = time.monotonic() - started
        code = "" if answer.is_success else str(answer.json()["error_code"])
        return Answer(
            answer.status_code, code, seconds, int(answer.headers.get("retry-after", "0"))
        )

    def picture(self) -> Answer:
        """Asks for a friend's picture as it is now: needs WhatsApp."""
        return self.call("GET", f"{PICTURE}{FRIEND}&refresh=true")

    def silent_picture(self) -> Answer:
        """Asks for a picture that WhatsApp says nothing about; each time for another."""
        return self.call("GET", f"{PICTURE}{next(_SILENT)}")

    def contacts(self) -> Answer:
        """Asks for the list: needs a connection."""
        return self.call("GET", "/contacts")

    def resolve(self) -> Answer:
        """Asks who is behind a LID: needs the store only."""
        return self.call("POST", "/contacts/resolve", json={"jids": [f"{FRIEND_LID}@lid"]})

    def connect(self) -> Answer:
        """Asks for the connection."""
        return self.call("POST", "/connect", json={"device_id": self.device})

    def status(self) -> dict[str, Any]:
        """The state as GET /status tells it."""
        headers = {"authorization": f"Bearer {self.resident.token}"}
        answer = self.stage.client.get(
            f"{self.stage.http}/status?device_id={self.device}", headers=headers
        )
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()["data"]
        return told

    def kill(self) -> int:
        """Kills the session process; gives the pid it had."""
        pid = self.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not is_alive(pid), 5, "the end of the process")
        return pid

    def wait_until_back(self, seconds: float = BACK) -> float:
        """Waits until a picture is answered; gives the seconds that took."""
        started = time.monotonic()
        wait_for(lambda: self.picture().is_good, seconds, f"the recovery of {self.user}")
        return time.monotonic() - started

    def call_until_refused(self) -> Answer:
        """Asks for the list until that is refused."""
        answers: list[Answer] = []

        def is_refused() -> bool:
            answers.append(self.contacts())
            return not answers[-1].is_good

        wait_for(is_refused, BACK, "a refusal")
        return answers[-1]

    def is_synced(self) -> bool:
        """Whether the whole world is in the store."""
        return self.stage.is_complete(self.resident)

    def keys(self) -> str:
        """A digest of the device's keys; empty when the store holds no device."""
        uri = f"file:{self.directory / 'store.db'}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=10)) as store:
            rows = store.execute(f"SELECT {_KEY_COLUMNS} FROM whatsmeow_device").fetchall()
        return hashlib.sha256(repr(rows).encode()).hexdigest() if rows else ""

    def link(self, *, kill_first: bool = False, spoil: str = "") -> list[str]:
        """Links the device as a person would; gives the steps by name.

        `kill_first` kills the process that shows the first code, `spoil` says
        what is wrong with the pairing.
        """
        steps = []
        with self.stage.devices() as stub:
            request = pb.LinkDeviceRequest(device_id=self.device)
            for step in stub.LinkDevice(request, metadata=self.metadata, timeout=LINK_SECONDS):
                steps.append(str(step.WhichOneof("step")))
                if step.HasField("qr_code") and kill_first and len(steps) == 1:
                    self.kill()
                elif step.HasField("qr_code"):
                    self._scan(step.qr_code.text, spoil)
        return steps

    def fail_to_link(self, spoil: str = "") -> dict[str, str]:
        """Tries to link, without scanning or with a spoilt pairing; gives how it failed."""
        try:
            self.link(spoil=spoil or "unscanned")
        except grpc.RpcError as error:
            return _told(error)
        raise AssertionError("linking did not fail")

    def _scan(self, text: str, spoil: str) -> None:
        if spoil == "unscanned":
            return
        scan = {"command": "scan", "text": text, "account": self.resident.account.pn}
        answer = self.stage.try_control(**scan, **({"spoil": spoil} if spoil else {}))
        assert answer["ok"] != bool(spoil), answer

    @contextmanager
    def watched(self) -> Iterator[Watch]:
        """Follows the states from now on, also over a restart of the service."""
        watch = Watch()
        thread = threading.Thread(target=self._follow, args=(watch,), daemon=True)
        thread.start()
        try:
            wait_for(lambda: watch.seen, 10, "the first state")
            yield watch
        finally:
            watch.end()
            thread.join(5)

    def _follow(self, watch: Watch) -> None:
        request = pb.WatchDeviceRequest(device_id=self.device)
        while not watch.ending.is_set():
            with suppress(grpc.RpcError), self.stage.devices() as stub:
                call = stub.WatchDevice(request, metadata=self.metadata, timeout=600)
                watch.follow(call)
            watch.ending.wait(0.05)


def _told(error: grpc.RpcError) -> dict[str, str]:
    """Reads the one ErrorInfo of a failed call: its reason and what it says of the device."""
    status = rpc_status.from_call(cast("grpc.Call", error))
    assert status is not None, error
    info = error_details_pb2.ErrorInfo()
    assert [detail.Unpack(info) for detail in status.details].count(True) == 1
    told = {key: text for key, text in info.metadata.items() if key != "request_id"}
    return {"error": str(info.reason), **told}
