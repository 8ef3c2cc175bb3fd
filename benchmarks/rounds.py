"""Taking turns, so that a machine that gets slower meanwhile does so for all alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

T = TypeVar("T")


class OutcomesDiffer(Exception):  # named after the situation
    """Variants answer the same question differently, so that comparing their cost means nothing."""


def turns(variants: Sequence[T], rounds: int) -> Iterator[T]:
    """Gives each variant once a round, and each round begins with another one."""
    for number in range(rounds):
        start = number % len(variants)
        yield from (*variants[start:], *variants[:start])


def require_same(question: str, outcomes: dict[str, str]) -> str:
    """Gives what all variants came to; raises OutcomesDiffer when that is not the same."""
    if len(set(outcomes.values())) > 1:
        told = ", ".join(f"{variant} {outcome}" for variant, outcome in outcomes.items())
        message = f"{question}: {told}"
        raise OutcomesDiffer(message)
    return next(iter(outcomes.values()))
