"""The seeded stores of one run, in a directory that goes with it."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from benchmarks import seeds

if TYPE_CHECKING:
    from collections.abc import Iterator
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

    @contextmanager
    def in_wal(self, size: int) -> Iterator[Path]:
        """Lends another store of that size as a session keeps it: in WAL, and open."""
        store = seeds.make(self._directory / "wal", size)
        with closing(sqlite3.connect(store, timeout=30)) as session:
            (mode,) = session.execute("PRAGMA journal_mode = WAL").fetchone()
            if mode != "wal":
                raise ValueError(mode)
            session.execute("SELECT COUNT(*) FROM whatsmeow_device").fetchone()
            yield store

    def copy(self, size: int, purpose: str) -> Path:
        """Makes a copy for somebody who writes: the engine does."""
        copy = self._directory / f"{purpose}-{size}.db"
        shutil.copyfile(self.original(size), copy)
        return copy
