"""What all parts of one run share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks.figures import Figures

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks.effort import Effort
    from benchmarks.stores import Stores


@dataclass
class Run:
    """One run of the benchmarks; `say` tells a person what is going on."""

    effort: Effort
    directory: Path
    stores: Stores
    say: Callable[[str], None]
    figures: Figures = field(default_factory=Figures)
    lists: dict[int, str] = field(default_factory=dict)
    """What the list of each size came to within a process: what a service is to answer."""
