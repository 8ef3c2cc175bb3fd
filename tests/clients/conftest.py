"""One service and one gateway for all clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rpc.conformance import conformance, conforming

from .stage import Stage, staged

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["conformance", "conforming"]  # fixtures that hold for every test of this folder


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    """Service and gateway; tests leave the world as they found it."""
    with staged() as running:
        yield running


@pytest.fixture(params=["gateway", "service"])
def door(request: pytest.FixtureRequest, stage: Stage) -> str:
    """Either address that native callers may use."""
    return str(getattr(stage, request.param))
