"""The seeded stores of one run, in a directory that goes with it."""

from __future__ import annotations

import shutil
from functools import cached_property
from typing import TYPE_CHECKING

from benchmarks import seeds

if TYPE_CHECKING:
    from pathlib import Path


class Stores:
    """Makes each store when it is first wanted."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._made: dict[int, Path] = {}

    @cached_property
    def data(self) -> Path:
        """A data directory with a device for each size."""
        return self._directory / "stores"

    def original(self, size: int) -> Path:
        """Gives the store of that size; it is only read."""
        if size not in self._made:
            self._made[size] = seeds.make(self.data, size)
        return self._made[size]

    def copy(self, size: int, purpose: str) -> Path:
        """Makes a copy for somebody who writes: the engine does."""
        copy = self._directory / f"{purpose}-{size}.db"
        shutil.copyfile(self.original(size), copy)
        return copy
