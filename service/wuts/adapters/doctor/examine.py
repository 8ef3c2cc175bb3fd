"""Runs every check."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from wuts.adapters.doctor import databases, directory, engine, machine
from wuts.adapters.doctor.findings import Finding, fail

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Expected:
    """What the settings say."""

    host: str
    port: int
    sandbox: bool
    key_bytes: int
    """The size of the key for page tokens."""


def examine(data: Path, expected: Expected) -> Iterator[Finding]:
    """Gives the findings one by one, in a fixed order; alters nothing.

    A check that itself cannot be made is a finding too.
    """
    checks: dict[str, Callable[[], Iterator[Finding]]] = {}
    if directory.is_there(data):
        checks |= {
            "modes": partial(directory.modes, data),
            "sandbox": partial(directory.sandbox, data, expects=expected.sandbox),
            "page-token key": partial(directory.key, data, size=expected.key_bytes),
            "registry": partial(databases.registry, data),
            "stores": partial(databases.stores, data),
            "disk": partial(machine.disk, data),
        }
    else:
        yield fail(
            "data directory",
            f"there is none at {data}",
            "give --data or WUTS_DATA_DIR, or make one with `wuts tenant add`",
        )
    checks |= {
        "port": partial(machine.port, data, expected.host, expected.port),
        "engine": engine.engine,
        "time": partial(machine.clock, data),
    }
    for name, check in checks.items():
        yield from _guarded(name, check)


def _guarded(name: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from check()
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        yield fail(name, f"{where}{error.strerror}", "run it as the user that runs the service")
