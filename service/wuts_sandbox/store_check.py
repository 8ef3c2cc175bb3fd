"""Says what a device's store must hold once the whole world is in it, and what is missing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wuts_sandbox.emulator.initial_sync import rows_of

if TYPE_CHECKING:
    from pathlib import Path

    from wuts_sandbox.world.document import Account

Names = tuple[str, str, str, str]
"""First, full, push and business name; empty when absent."""

BUSY_LIMIT_S = 5.0

ROWS = """
    SELECT their_jid, COALESCE(first_name, ''), COALESCE(full_name, ''),
           COALESCE(push_name, ''), COALESCE(business_name, '')
      FROM whatsmeow_contacts
     WHERE our_jid = $own
"""


@dataclass(frozen=True)
class ExpectedStore:
    """The contact rows by their JID, and the LID pairs `(lid, pn)` without servers."""

    rows: dict[str, Names]
    pairs: frozenset[tuple[str, str]]


@dataclass(frozen=True)
class StoreReport:
    """How far a store is: numbers only, no names."""

    linked: bool
    missing_rows: int
    wrong_rows: int
    missing_pairs: int

    @property
    def complete(self) -> bool:
        """Whether the whole world is in the store."""
        return self.linked and not (self.missing_rows or self.wrong_rows or self.missing_pairs)


def expected_store(account: Account) -> ExpectedStore:
    """Returns what the store of an account's device holds by itself, without any query.

    Each spelling of a person has its own row with exactly the names of the document. The
    account's own pair is there since the linking.
    """
    rows = {
        str(jid): (row.first_name, row.full_name, row.push_name, row.business_name)
        for person in account.people
        for jid, row in rows_of(person)
        if row.named
    }
    pairs = {person.pair for person in account.people if person.pair and person.mapped}
    return ExpectedStore(rows, frozenset({*pairs, (account.lid, account.pn)}))


def check_store(store: Path, account: Account, expected: ExpectedStore) -> StoreReport:
    """Compares a store file, which the engine may be writing, with what it must hold.

    A file that is not there yet, or holds no device of the account, is reported as not linked.
    """
    nothing = StoreReport(
        linked=False,
        missing_rows=len(expected.rows),
        wrong_rows=0,
        missing_pairs=len(expected.pairs),
    )
    if not store.is_file():
        return nothing
    uri = f"{store.absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=BUSY_LIMIT_S)) as database:
            own = _own_jid(database, account)
            return _compare(database, own, expected) if own else nothing
    except sqlite3.OperationalError:
        return nothing  # the engine has not made its tables yet


def _own_jid(database: sqlite3.Connection, account: Account) -> str | None:
    devices = database.execute("SELECT jid FROM whatsmeow_device").fetchall()
    for (jid,) in devices:
        if str(jid).partition("@")[0].partition(":")[0] == account.pn:
            return str(jid)
    return None


def _compare(database: sqlite3.Connection, own: str, expected: ExpectedStore) -> StoreReport:
    short_rows = len(expected.rows) - _count(
        database, "SELECT COUNT(*) FROM whatsmeow_contacts WHERE our_jid = $own", own
    )
    short_pairs = len(expected.pairs) - _count(
        database, "SELECT COUNT(*) FROM whatsmeow_lid_map", own
    )
    if short_rows > 0 or short_pairs > 0:
        # Counting is enough as long as something is missing anyway, and far cheaper.
        return StoreReport(
            linked=True,
            missing_rows=max(short_rows, 0),
            wrong_rows=0,
            missing_pairs=max(short_pairs, 0),
        )
    found = {str(jid): tuple(names) for jid, *names in database.execute(ROWS, {"own": own})}
    pairs = set(database.execute("SELECT lid, pn FROM whatsmeow_lid_map"))
    return StoreReport(
        linked=True,
        missing_rows=sum(jid not in found for jid in expected.rows),
        wrong_rows=sum(found.get(jid, row) != row for jid, row in expected.rows.items()),
        missing_pairs=len(expected.pairs - pairs),
    )


def _count(database: sqlite3.Connection, statement: str, own: str) -> int:
    arguments = {"own": own} if "$own" in statement else {}
    (number,) = database.execute(statement, arguments).fetchone()
    return int(number)
