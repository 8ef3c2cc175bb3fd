"""Sandboxes that the end-to-end tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2e_world import WORLD
from rpc.conformance import conformance, conforming
from sandboxes import Sandbox, running, write_world

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["conformance", "conforming"]  # fixtures that hold for every test of this folder


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The documented example; no test changes it."""
    with running(tmp_path_factory.mktemp("example")) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Two tenants, four devices, every answer; tests leave it as they found it."""
    directory = tmp_path_factory.mktemp("town")
    with running(directory, WORLD=write_world(directory, WORLD)) as sandbox:
        yield sandbox
