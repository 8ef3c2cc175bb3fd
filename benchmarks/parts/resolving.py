"""Batches of 160 identifiers within one process."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from benchmarks.figures import Case
from benchmarks.parts.within import Task, compare
from benchmarks.questions import BATCHES
from benchmarks.seeds import short
from benchmarks.worker import working

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.parts.run import Run

RESOLVE, RESOLVE_IN_WAL = "resolve", "resolve in WAL"
"""From a store as the engine makes it, and as a session of the service keeps it."""
FRESH, HELD = "fresh connection", "open connection"
"""The service's ways: its stores stay open for a minute after the last call."""
STATEMENT = "statement alone, fresh"
"""Opening a store and putting the question, of which no answer is made."""
PER_ITEM, DICTIONARIES = "per-item", "dictionaries"
_OURS, _BATCHES = "resolving", "batches"


def measure(run: Run) -> None:
    """Resolves in every way; the figures are those of one batch."""
    for size in (run.effort.small, run.effort.big):
        run.say(f"batches from {short(size)} within a process")
        with ExitStack() as open_things:
            tasks = _tasks(run.stores.original(size), size, open_things)
            cases = {Case(RESOLVE, size, 0, way): task for way, task in tasks.items()}
            compare(run, cases, answers=BATCHES)
    size = run.effort.big
    run.say(f"batches from {short(size)} within a process, in WAL")
    with run.stores.in_wal(size) as store, ExitStack() as open_things:
        tasks = _tasks(store, size, open_things)
        cases = {Case(RESOLVE_IN_WAL, size, 0, way): task for way, task in tasks.items()}
        compare(run, cases, answers=BATCHES)


def _tasks(store: Path, size: int, open_things: ExitStack) -> dict[str, Task]:
    ours, per_item, dictionaries = (
        open_things.enter_context(working(variant, store, size))
        for variant in (_OURS, PER_ITEM, DICTIONARIES)
    )
    return {
        FRESH: Task(ours, "fresh"),
        HELD: Task(ours, "held"),
        STATEMENT: Task(ours, "statement", is_part=True),
        PER_ITEM: Task(per_item, _BATCHES),
        DICTIONARIES: Task(dictionaries, _BATCHES),
    }
