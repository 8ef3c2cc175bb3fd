"""Reads one SQLite file that somebody else writes, on a thread of its own.

The file is opened read-only and never altered. Every bound that keeps a slow or
locked file from harming others stands here; what the tables mean does not.

The SQLite in here is apsw's, a newer and faster one than Python's own. Two SQLites in one
process do not see each other's locks, and drop them: nothing else in this process may open
these files.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, TypeVar

import apsw
import structlog

from wuts.adapters.line import Budget, Line, LineFull, NoThread
from wuts.domain.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Job = Callable[[apsw.Connection], object]

T = TypeVar("T")

Stamp = tuple[int, int]
"""Names a state of a file: between two equal stamps nothing was written."""

_OPENINGS = count(1)
# SQLite's own counter means something within one connection only.

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger()

# Instructions of SQLite's machine between two looks at the clock: about a millisecond.
_INSTRUCTIONS = 20_000
_FLAGS = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_NOMUTEX
# One thread uses a connection, so SQLite need not lock it.


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
        self, path: Path, limits: Limits, accept: Callable[[apsw.Connection], None], name: str
    ) -> None:
        self._path = path
        self._limits = limits
        self._accept = accept
        self._log = _log.bind(device=name)
        self._line: Line[Job] = Line(self._run, jobs=limits.jobs)
        # The rest belongs to the thread alone.
        self._connection: apsw.Connection | None = None
        self._opened_file = (0, 0)
        self._opening = 0
        self._budget = Budget(0)

    @property
    def idle(self) -> bool:
        """Tells whether no job is waiting or running."""
        return self._line.is_idle

    async def run(self, job: Callable[[apsw.Connection], T]) -> T:
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
        except NoThread:
            self._log.warning("store_without_thread")
            raise StoreUnavailable from None
        except TimeoutError:
            self._log.warning("store_too_slow")
            raise StoreUnavailable from None
        return outcome

    def stamp(self, connection: apsw.Connection) -> Stamp:
        """Names the state that a job sees; only inside that job."""
        return self._opening, int(connection.pragma("data_version"))

    def close(self) -> None:
        """Closes the file behind the jobs in line; takes no more jobs."""
        self._line.close(self._close)

    def _run(self, job: Job, budget: Budget) -> object:
        if budget.spent():
            raise TimeoutError
        self._budget = budget
        try:
            return job(self._current_connection())
        except FileNotFoundError:
            raise
        except apsw.InterruptError:
            # Its time was up, or its caller is gone; nothing is wrong with the file.
            raise TimeoutError from None
        except (apsw.Error, OSError, UnicodeDecodeError) as error:
            # Whatever is wrong, rotten text where there must be none included: the next job
            # starts from a fresh connection.
            self._close()
            self._log.warning("store_unreadable", reason=_name(error))
            raise StoreUnavailable from None

    def _current_connection(self) -> apsw.Connection:
        status = self._path.stat()
        file = (status.st_dev, status.st_ino)
        if self._connection is None or file != self._opened_file:
            self._close()
            self._connection = self._open()
            self._opened_file, self._opening = file, next(_OPENINGS)
        return self._connection

    def _open(self) -> apsw.Connection:
        connection = apsw.Connection(str(self._path), flags=_FLAGS)
        try:
            connection.set_busy_timeout(int(self._limits.busy_seconds * 1000))
            connection.set_progress_handler(self._over_budget, _INSTRUCTIONS)
            connection.pragma("query_only", "ON")
            connection.pragma("trusted_schema", "OFF")
            connection.pragma("cache_size", -self._limits.cache_kib)
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


def in_snapshot(job: Callable[[apsw.Connection], T]) -> Callable[[apsw.Connection], T]:
    """Has a job see one state of the file throughout, so that its statements agree.

    One statement alone needs none of this, and costs less without.
    """

    def held(connection: apsw.Connection) -> T:
        connection.execute("BEGIN")
        try:
            return job(connection)
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    return held


def _name(error: Exception) -> str:
    """Names what SQLite complains about; its own words may tell what is in the file."""
    code = getattr(error, "extendedresult", None)
    names = apsw.mapping_extended_result_codes, apsw.mapping_result_codes
    return next((str(name[code]) for name in names if code in name), type(error).__name__)
