"""What was measured: samples by case, and what they come to."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import NamedTuple


class Case(NamedTuple):
    """One thing that was measured of one variant.

    `callers` is how many asked at a time, 0 for work within one process.
    """

    job: str
    size: int
    callers: int
    variant: str


class Sample(NamedTuple):
    """One round: ms of processor time of one answer, and of waiting where somebody waited."""

    cpu: float
    p50: float | None = None
    p99: float | None = None


@dataclass
class Figures:
    """Everything that was measured.

    `samples` are compared with each other; `facts` stand for themselves, with their unit in
    the name.
    """

    samples: dict[Case, list[Sample]] = field(default_factory=dict)
    facts: dict[str, list[float]] = field(default_factory=dict)

    def add(self, case: Case, sample: Sample) -> None:
        """Adds a round."""
        self.samples.setdefault(case, []).append(sample)

    def note(self, fact: str, value: float) -> None:
        """Adds a value of a fact."""
        self.facts.setdefault(fact, []).append(value)

    def cpu(self, case: Case) -> float:
        """The median of processor time, in ms; raises ValueError for what took none."""
        median = statistics.median(sample.cpu for sample in self.samples[case])
        if median <= 0:
            raise ValueError(case)
        return median

    def p99(self, case: Case) -> float:
        """The median of the rounds' 99th percentiles, in ms, of a case in which somebody waited."""
        return statistics.median(self._waits(case, "p99"))

    def cells(self, case: Case) -> list[float | None]:
        """CPU, p50 and p99 in ms; None for what was not measured."""
        waits = (self._waits(case, "p50"), self._waits(case, "p99"))
        return [self.cpu(case), *(statistics.median(each) if each else None for each in waits)]

    def fact(self, name: str) -> float:
        """The median of a fact."""
        return statistics.median(self.facts[name])

    def highest(self, name: str) -> float:
        """The highest value of a fact."""
        return max(self.facts[name])

    def _waits(self, case: Case, part: str) -> list[float]:
        found = (getattr(sample, part) for sample in self.samples[case])
        return [wait for wait in found if wait is not None]
