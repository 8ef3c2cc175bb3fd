"""Reads one SQLite file that somebody else writes, on a thread of its own.

The file is opened read-only and never altered. Every bound that keeps a slow or
locked file from harming others stands here; what the tables mean does not.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, TypeVar

import structlog

from wuts.adapters.line import Budget, Line, LineFull
from wuts.domain.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Job = Callable[[sqlite3.Connection], object]

T = TypeVar("T")

Stamp = tuple[int, int]
"""Names a state of a file: between two equal stamps nothing was written."""

_OPENINGS = count(1)
# SQLite's own counter means something within one connection only.

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger()

# Instructions of SQLite's machine between two looks at the clock: about a millisecond.
_INSTRUCTIONS = 20_000
# Foreign text may be no UTF-8. Decoding by the default factory is far cheaper, so this one
# comes in only for the job that met such a text.
_lenient_text = partial(str, encoding="utf-8", errors="replace")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one file may take of anything."""

    call_seconds: float = 5.0
    """A job's whole time, waiting in line included."""
    busy_seconds: float = 1.0
    """How long SQLite waits for the writer's lock."""
    jobs: int = 32
    """Jobs waiting or running; one more is refused."""
    cache_kib: int = 65_536
    """Page cache; fills only as far as pages are read."""


class Reader:
    """Runs jobs on one file, one after another.

    `accept` looks at each new connection and raises to refuse the file. The
    file is opened with the first job, and again when another file has taken
    its place.
    """

    def __init__(
        self, path: Path, limits: Limits, accept: Callable[[sqlite3.Connection], None], name: str
    ) -> None:
        self._path = path
        self._limits = limits
        self._accept = accept
        self._log = _log.bind(device=name)
        self._line: Line[Job] = Line(self._run, jobs=limits.jobs)
        # The rest belongs to the thread alone.
        self._connection: sqlite3.Connection | None = None
        self._opened_file = (0, 0)
        self._opening = 0
        self._budget = Budget(0)

    @property
    def idle(self) -> bool:
        """Tells whether no job is waiting or running."""
        return self._line.is_idle

    async def run(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Gives what `job` makes of the file.

        A job of several statements wants `in_snapshot`. Raises FileNotFoundError when
        there is no file, and StoreUnavailable when the job is not done in time. The
        job may be run twice.
        """
        try:
            outcome: T = await self._line.ask(job, self._limits.call_seconds)
        except LineFull:
            self._log.warning("store_overloaded")
            raise StoreUnavailable from None
        except TimeoutError:
            self._log.warning("store_too_slow")
            raise StoreUnavailable from None
        return outcome

    def stamp(self, connection: sqlite3.Connection) -> Stamp:
        """Names the state that a job sees; only inside that job."""
        version = connection.execute("PRAGMA data_version").fetchone()[0]
        return self._opening, int(version)

    def close(self) -> None:
        """Closes the file behind the jobs in line; takes no more jobs."""
        self._line.close(self._close)

    def _run(self, job: Job, budget: Budget) -> object:
        if budget.spent():
            raise StoreUnavailable
        self._budget = budget
        try:
            return self._read(self._current_connection(), job)
        except FileNotFoundError:
            raise
        except (sqlite3.Error, OSError) as error:
            # Whatever is wrong, the next job starts from a fresh connection.
            self._close()
            reason = getattr(error, "sqlite_errorname", type(error).__name__)
            self._log.warning("store_unreadable", reason=reason)
            raise StoreUnavailable from None

    def _read(self, connection: sqlite3.Connection, job: Job) -> object:
        try:
            return job(connection)
        except sqlite3.OperationalError as error:
            # The driver itself, not SQLite, complains about the text: no error code.
            if hasattr(error, "sqlite_errorcode"):
                raise
        connection.text_factory = _lenient_text
        try:
            return job(connection)
        finally:
            connection.text_factory = str

    def _current_connection(self) -> sqlite3.Connection:
        status = self._path.stat()
        file = (status.st_dev, status.st_ino)
        if self._connection is None or file != self._opened_file:
            self._close()
            self._connection = self._open()
            self._opened_file, self._opening = file, next(_OPENINGS)
        return self._connection

    def _open(self) -> sqlite3.Connection:
        # as_uri() escapes what has a meaning in a URI.
        uri = self._path.absolute().as_uri() + "?mode=ro"
        connection = sqlite3.connect(
            uri, uri=True, timeout=self._limits.busy_seconds, isolation_level=None
        )
        try:
            connection.set_progress_handler(self._over_budget, _INSTRUCTIONS)
            connection.execute("PRAGMA query_only = ON")
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute(f"PRAGMA cache_size = -{self._limits.cache_kib:d}")
            self._accept(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _over_budget(self) -> bool:
        return self._budget.spent()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def in_snapshot(job: Callable[[sqlite3.Connection], T]) -> Callable[[sqlite3.Connection], T]:
    """Has a job see one state of the file throughout, so that its statements agree.

    One statement alone needs none of this, and costs less without.
    """

    def held(connection: sqlite3.Connection) -> T:
        connection.execute("BEGIN")
        try:
            return job(connection)
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    return held
