"""Lists within one process: from the store to the bytes of the answer."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from benchmarks.figures import Case
from benchmarks.parts.within import Task, compare
from benchmarks.seeds import short
from benchmarks.worker import ENGINE, working

if TYPE_CHECKING:
    from benchmarks.parts.run import Run

PAGES, ONE_SHOT, ROWS, NEONIZE = "pages", "one-shot", "rows", ENGINE
LIST, PAGE = "list", "page"
_OURS, _SINGLE = "lists", "pages"


def measure(run: Run) -> None:
    """Lists in every way, and reads single pages of the service's own."""
    for size in run.effort.list_sizes:
        run.say(f"lists of {short(size)} within a process")
        with (
            working(_OURS, run.stores.original(size), size) as ours,
            working(NEONIZE, run.stores.copy(size, "engine"), size) as neonize,
        ):
            tasks = {way: Task(ours, way) for way in (PAGES, ONE_SHOT, ROWS)}
            tasks[NEONIZE] = Task(neonize, LIST)
            cases = {Case(LIST, size, 0, way): task for way, task in tasks.items()}
            run.lists |= compare(run, cases)
    few, many = run.effort.small, run.effort.huge
    run.say(f"single pages of {short(few)} and {short(many)}")
    with ExitStack() as open_things:
        pages = {
            Case(PAGE, size, 0, PAGES): Task(
                open_things.enter_context(working(_SINGLE, run.stores.original(size), size)), PAGE
            )
            for size in (few, many)
        }
        compare(run, pages)
