"""Counts what clients sent, in total and for each account."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wuts_sandbox.emulator.kinds import Kind


NUMBERS_CHECKED = "numbers_checked"
"""Not a kind of stanza: the numbers in all number checks together."""


class Tally:
    """Numbers by kind; what no account sent counts in the total only."""

    def __init__(self) -> None:
        self._total: Counter[str] = Counter()
        self._accounts: dict[str, Counter[str]] = {}

    def add(self, kind: Kind | str, account: str | None = None, times: int = 1) -> None:
        """Counts an event, or several at once."""
        self._total[kind] += times
        if account is not None:
            self._accounts.setdefault(account, Counter())[kind] += times

    def numbers(self, account: str | None = None) -> dict[str, int]:
        """Returns the numbers above zero, of one account (its PN) or in total."""
        counter = self._total if account is None else self._accounts.get(account, Counter())
        return {str(kind): number for kind, number in sorted(counter.items())}

    def reset(self) -> None:
        """Starts again at zero."""
        self._total.clear()
        self._accounts.clear()
