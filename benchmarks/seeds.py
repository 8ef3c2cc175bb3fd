"""Seeded stores: the same people on every machine.

Half of the rows stand under a PN, half under a LID; 45 % of the LIDs are paired with one of the
PNs. Rows are inserted in random order, as the engine inserts them.
"""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from whatsmeow_files import WhatsmeowFiles
from wuts.domain.caller import DeviceId
from wuts.domain.contact import Names

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SEED = 20261128
_PAIRED = 0.45
_SAVED, _PUSHED, _BUSINESS = 0.35, 0.7, 0.05
_OWN_PN, _OWN_LID = "5511900000001", "900000000000001"
PICTURED = "5511911111111"
"""The phone number whose picture is asked for; a contact of every store."""
_FIRST = ("Maria", "João", "Ana", "José", "Zoë", "Łukasz", "Çağla", "明", "Ольга", "Nguyễn")
_LAST = ("Silva", "Souza", "Pereira", "Müller", "García", "山田", "Кузнецова", "Øster", "O'Neil")


@dataclass(frozen=True)
class People:
    """The rows of a store by JID, and the pairs of PN and LID digits."""

    rows: dict[str, Names]
    pairs: list[tuple[str, str]]


@cache
def people(size: int) -> People:
    """Invents the people of a store with so many rows."""
    draw = random.Random(_SEED + size)  # noqa: S311 # no secret; the seed makes it repeatable
    half = size // 2
    pns = [f"55119{number:08}" for number in draw.sample(range(10**8), half)]
    lids = [f"1{number:014}" for number in draw.sample(range(10**14), size - half)]
    jids = [*(f"{pn}@s.whatsapp.net" for pn in pns), *(f"{lid}@lid" for lid in lids)]
    pairs = list(zip(pns, lids, strict=False))[: int(len(lids) * _PAIRED)]
    draw.shuffle(jids)
    draw.shuffle(pairs)
    rows = {jid: _names(draw) for jid in jids}
    return People(rows | {f"{PICTURED}@s.whatsapp.net": Names(full="A Friend")}, pairs)


def fill(store: Path, size: int) -> None:
    """Puts the people, and nobody else, into the store of a linked device."""
    with closing(sqlite3.connect(store, timeout=10)) as connection, connection:
        (own,) = connection.execute("SELECT jid FROM whatsmeow_device").fetchone()
        connection.execute("DELETE FROM whatsmeow_contacts")
        connection.execute("DELETE FROM whatsmeow_lid_map")
        connection.executemany(
            "INSERT INTO whatsmeow_contacts"
            " (our_jid, their_jid, first_name, full_name, push_name, business_name)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            _values(own, people(size)),
        )
        connection.executemany(
            "INSERT INTO whatsmeow_lid_map (pn, lid) VALUES (?, ?)", people(size).pairs
        )


def make(data: Path, size: int) -> Path:
    """Makes the store of a device of its own in a data directory; gives the file."""
    files, device = WhatsmeowFiles(data), device_of(size)
    # The journal is left as the engine makes it; a session would switch it to WAL.
    files.link(device, _OWN_PN, _OWN_LID, wal=False)
    fill(files.path(device), size)
    return files.path(device)


def device_of(size: int) -> DeviceId:
    """Names the device whose store has that size."""
    return DeviceId(f"rows-{size}")


def short(size: int) -> str:
    """Writes a number of rows as people do: 10k."""
    return f"{size // 1000}k" if size >= 1000 else str(size)  # noqa: PLR2004 # a thousand


def _names(draw: random.Random) -> Names:
    first, last = draw.choice(_FIRST), draw.choice(_LAST)
    saved, pushed, business = draw.random(), draw.random(), draw.random()
    return Names(
        first if saved < _SAVED else "",
        f"{first} {last}" if saved < _SAVED else "",
        first if pushed < _PUSHED else "",
        f"{last} Ltda" if business < _BUSINESS else "",
    )


def _values(own: str, everyone: People) -> Iterator[tuple[str, ...]]:
    for jid, names in everyone.rows.items():
        yield own, jid, *names
