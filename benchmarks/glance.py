"""The table that the README quotes: what callers over HTTP get, here and from the peers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from benchmarks.figures import Case
from benchmarks.parts import calls
from benchmarks.peers.serving import FASTAPI, FASTIFY
from benchmarks.seeds import short
from benchmarks.stage import VIA_ENVOY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.effort import Effort
    from benchmarks.figures import Figures


class _Row(NamedTuple):
    job: str
    size: int
    callers: int

    def title(self) -> str:
        """Writes what is asked, by how many."""
        asked = f"list of {short(self.size)} rows" if self.job == calls.LIST else self.job
        return f"{asked}, {self.callers} caller{'s' * (self.callers > 1)}"

    def cells(self, figures: Figures) -> Iterator[str]:
        """Writes how many times ours each peer takes: processor time, then the p99."""
        for peer in (FASTAPI, FASTIFY):
            ours, theirs = (Case(*self, variant) for variant in (VIA_ENVOY, peer))
            yield f"{figures.cpu(theirs) / figures.cpu(ours):.2f}x"
            yield f"{figures.p99(theirs) / figures.p99(ours):.2f}x"


def table(figures: Figures, effort: Effort) -> Iterator[str]:
    """Writes the lines of the table."""
    yield f"| of wuts and Envoy, times | {FASTAPI}, CPU | p99 | {FASTIFY}, CPU | p99 |"
    yield "|---|---|---|---|---|"
    lists = [_Row(calls.LIST, size, 1) for size in (effort.small, effort.big)]
    small = [_Row(job, effort.big, calls.MANY) for job in (calls.ONE, calls.PICTURE)]
    for row in (*lists, _Row(calls.BATCH, effort.big, calls.SOME), *small):
        yield f"| {row.title()} | {' | '.join(row.cells(figures))} |"
