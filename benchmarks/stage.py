"""The service as callers meet it: linked to a loopback WhatsApp, with Envoy in front."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx

from benchmarks import seeds
from benchmarks.load import Door
from faults.stage import Stage, staged
from faults.world import PICTURE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from faults.subject import Subject

VIA_ENVOY, NATIVE = "wuts via Envoy", "wuts"
_NO_LIMIT = "1000000"
_SECONDS = 600


class Service:
    """A stage whose devices have the seeded stores, one for each size."""

    def __init__(self, stage: Stage, sizes: Sequence[int]) -> None:
        self._stage = stage
        self._sizes = sizes
        for size in sizes:
            seeds.fill(self.store(size), size)

    @property
    def pid(self) -> int:
        """The service's process."""
        process = self._stage.service
        if process is None:
            raise ValueError(process)
        return int(process.pid)

    def door(self, size: int) -> Door:
        """Where JSON is answered, by the service and Envoy."""
        pids = (self.pid, self._stage.gateway_pid)
        return Door(VIA_ENVOY, self._stage.http, pids, self._subject(size).resident.own_token)

    def native_door(self, size: int) -> Door:
        """Where gRPC is answered, by the service alone."""
        token = self._subject(size).resident.own_token
        return Door(NATIVE, f"http://{self._stage.grpc}", (self.pid,), token, is_grpc=True)

    def grpc(self) -> str:
        """The address of gRPC."""
        return self._stage.grpc

    def restart(self) -> None:
        """Starts the service anew, and waits until its devices are connected."""
        self._stage.kill_service()
        self._stage.start_service()
        for subject in self._stage.subjects():
            subject.wait_until_back()

    def store(self, size: int) -> Path:
        """The store of the device of that size."""
        return self._subject(size).directory / "store.db"

    def metrics(self) -> Mapping[str, float]:
        """What the service counts, by the name and labels of each sample."""
        told = json.loads((self._stage.data / "service.json").read_text())
        address = f"http://127.0.0.1:{told['metrics_port']}/metrics"
        text = httpx.get(address, trust_env=False, timeout=10).text
        lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, _, value in lines}

    def _subject(self, size: int) -> Subject:
        return self._stage.subject(_user(size))


@contextmanager
def serving(sizes: Sequence[int]) -> Iterator[Service]:
    """Starts everything, and ends it afterwards."""
    world: dict[str, Any] = {"accounts": [_account(size, n) for n, size in enumerate(sizes)]}
    gateway = ("--rate", _NO_LIMIT, "--burst", _NO_LIMIT)
    with staged(world, gateway=gateway) as stage:
        yield Service(stage, sizes)


def _user(size: int) -> str:
    return f"rows{size}"


def _account(size: int, number: int) -> dict[str, Any]:
    person = {"pn": seeds.PICTURED, "pn_row": {"full_name": "A Friend"}, "picture": PICTURE}
    return {
        "tenant": f"tenant{size}",
        "user": _user(size),
        "pn": f"5511900{number:06}",
        "people": [person],
    }
