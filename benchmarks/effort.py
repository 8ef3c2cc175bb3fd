"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Effort:
    """The sizes of the stores, and how often each thing is done.

    The goals name four sizes, by the numbers of the full effort: 1k, 10k, 100k and 500k.
    """

    tiny: int = 1_000
    small: int = 10_000
    big: int = 100_000
    huge: int = 500_000
    rounds: int = 5
    """Rounds of what is compared; in each the variants take turns, many if they are quick."""
    seconds: float = 0.5
    """Processor time of the quickest variant in a round of work within one process."""
    lists: int = 4
    """Whole lists are compared in so many of the sizes, from the smallest on."""
    calls: int = 2000
    """Small calls in one sample of a server; batches and lists are fewer in proportion."""
    reads: int = 2
    """Whole lists that are read beside a writer, in a round."""
    restarts: int = 5
    """How often memory is measured, each time of a service that was just started."""

    @property
    def list_sizes(self) -> tuple[int, ...]:
        """The sizes in which whole lists are compared."""
        return self.sizes[: self.lists]

    @property
    def sizes(self) -> tuple[int, ...]:
        """All sizes, the smallest first."""
        return self.tiny, self.small, self.big, self.huge


FULL = Effort()
QUICK = Effort(big=50_000, huge=200_000, seconds=0.03, lists=3, calls=300, reads=1, restarts=1)
TRIAL = Effort(
    tiny=100, small=200, big=400, huge=2000, rounds=1, seconds=0.01, calls=40, restarts=1
)
"""Runs everything once on next to nothing: shows that it works, and measures nothing."""
