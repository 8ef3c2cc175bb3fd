"""Resolving as a first version does it: the standard library's sqlite3, a look-up at a time."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from benchmarks import outcomes, questions
from benchmarks.peers.naive import Item, Person, resolve
from wuts.contacts.v1 import contacts_service_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from benchmarks.variants import Job


class PerItem:
    """Every look-up is a statement, and so a transaction, of its own."""

    tell = staticmethod(outcomes.of_resolution)

    def __init__(self, store: Path, size: int) -> None:
        self._store = store
        self._batches = questions.batches(size)

    @property
    def jobs(self) -> Mapping[str, Job]:
        """So many batches, each on a fresh connection."""
        return {"batches": lambda: [self._answer(batch) for batch in self._batches]}

    def _answer(self, batch: Sequence[str]) -> bytes:
        with closing(sqlite3.connect(f"{self._store.as_uri()}?mode=ro", uri=True)) as connection:
            book = _Book(connection)
            return message([resolve(text, book) for text in batch])


class _Book:
    """Answers the look-ups."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        (self._own,) = connection.execute("SELECT jid FROM whatsmeow_device").fetchone()

    def pn_of(self, lid: str) -> str:
        return self._first("SELECT pn FROM whatsmeow_lid_map WHERE lid = ?", lid)

    def lid_of(self, pn: str) -> str:
        return self._first("SELECT lid FROM whatsmeow_lid_map WHERE pn = ?", pn)

    def person(self, jid: str) -> Person | None:
        row: tuple[str, str, str, str] | None = self._connection.execute(
            "SELECT COALESCE(first_name, ''), COALESCE(full_name, ''), COALESCE(push_name, ''),"
            " COALESCE(business_name, '')"
            " FROM whatsmeow_contacts WHERE our_jid = ? AND their_jid = ?",
            (self._own, jid),
        ).fetchone()
        return row

    def _first(self, statement: str, key: str) -> str:
        row = self._connection.execute(statement, (key,)).fetchone()
        return str(row[0]) if row else ""


def message(items: Sequence[Item]) -> bytes:
    """Makes the answer of items that hold what is known and nothing else."""
    response = pb.ResolveIdentifiersResponse(success=True, count=len(items))
    for item in items:
        made = response.items.add()
        for field, value in item.items():
            setattr(made, field, value)
    return response.SerializeToString()


VARIANTS = {"per-item": PerItem}
