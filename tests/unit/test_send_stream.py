"""How a stream is sent beside calls."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from wuts.domain.caller import Caller, Role
from wuts.rpc import streams
from wuts.rpc.load import Load

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

CALLER = Caller("acme", "ana", Role.USER, None, ())


class Reader:
    """A call's context; takes everything at once."""

    def __init__(self) -> None:
        self.taken: list[int] = []

    async def send_initial_metadata(self, metadata: tuple[()]) -> None:
        """Takes the headers."""
        assert metadata == ()

    async def write(self, item: int) -> None:
        """Takes an item."""
        self.taken.append(item)


async def _three(load: Load, calls: int) -> AsyncGenerator[int]:
    """Makes three items; during the first ones there is a call each."""
    for number in range(3):
        if number < calls:
            with load.call(CALLER):
                pass
        yield number


class TestSend:
    """streams.send."""

    @pytest.mark.parametrize("calls", [0, 1, 3])
    async def test_rests(self, monkeypatch: pytest.MonkeyPatch, calls: int) -> None:
        """It rests after each item during which somebody called, not long, and else never."""
        rests: list[float] = []

        async def sleep(seconds: float) -> None:
            rests.append(seconds)

        load, reader = Load(), Reader()
        context: Any = reader
        monkeypatch.setattr(asyncio, "sleep", sleep)
        items = _three(load, calls)
        await streams.send(items, context, patience=streams.Patience(), load=load)
        assert ([0, 1, 2], calls) == (reader.taken, len(rests))
        assert all(0 <= rest <= 0.1 for rest in rests)
