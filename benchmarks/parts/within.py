"""Comparing variants that each have a process of their own."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.figures import Sample
from benchmarks.rounds import require_same, turns
from benchmarks.seeds import short

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.figures import Case
    from benchmarks.parts.run import Run
    from benchmarks.worker import Worker

_MOST_TIMES = 8


class Task(NamedTuple):
    """A job of a process; one that is only a part of the others' has no outcome of its own."""

    worker: Worker
    job: str
    is_part: bool = False


def compare(run: Run, tasks: Mapping[Case, Task], *, answers: int = 1) -> dict[int, str]:
    """Has all tasks done, in turns; the figures are those of one of their `answers`.

    Gives by size what the variants agree on.

    A round is many turns where the job is quick, and its sample their mean: a machine
    may get slower from one second to the next.
    """
    times, agreed = _warm_up(run, tasks)
    for _ in range(run.effort.rounds):
        spent = dict.fromkeys(tasks, 0.0)
        for case in turns([*tasks], times):
            spent[case] += tasks[case].worker.run(tasks[case].job)
        for case, cpu in spent.items():
            run.figures.add(case, Sample(cpu / times / answers))
    return agreed


def _warm_up(run: Run, tasks: Mapping[Case, Task]) -> tuple[int, dict[int, str]]:
    """Holds what comes out against each other; gives how many turns make a sample."""
    agreed: dict[int, str] = {}
    told = {case: task.worker.outcome(task.job) for case, task in tasks.items()}
    for size in {case.size for case in tasks}:
        same = {
            case.variant: text
            for case, (_, text) in told.items()
            if case.size == size and not tasks[case].is_part
        }
        agreed[size] = require_same(f"{next(iter(tasks)).job} of {short(size)}", same)
    quickest = min(cpu for cpu, _ in told.values())
    return min(_MOST_TIMES, math.ceil(run.effort.seconds * 1000 / quickest)), agreed
