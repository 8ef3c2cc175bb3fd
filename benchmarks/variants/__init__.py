"""Ways to answer the same questions from the same store, each for a process of its own."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    Job = Callable[[], Sequence[object]]
    """Answers once; gives the messages it has made (protobuf), or the rows it has read."""


class Variant(Protocol):
    """One way, on an open store."""

    @property
    def jobs(self) -> Mapping[str, Job]:
        """What it can be asked, by name."""
        ...

    def tell(self, outcome: Sequence[object]) -> str:
        """Makes a short text of what a job gave, the same one as every other variant."""
        ...


_MODULES = {
    "lists": "product",
    "pages": "product",
    "resolving": "product",
    "neonize": "naive",
    "per-item": "per_item",
    "dictionaries": "dictionaries",
}
"""Imported only where they are wanted: some bring along what the others must not have."""


def open_variant(name: str, store: Path, size: int) -> Variant:
    """Opens a store the way of that name."""
    module = import_module(f"{__name__}.{_MODULES[name]}")
    variant: Variant = module.VARIANTS[name](store, size)
    return variant
