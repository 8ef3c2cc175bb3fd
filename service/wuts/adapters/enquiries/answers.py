"""What one device remembers beyond a restart: answers, the oldest of which go first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cachetools import FIFOCache

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

Key = tuple[str, str]
"""The kind of an answer, and whom it is about."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, in words that JSON has, and when it was given."""

    at: datetime
    value: Mapping[str, object]


class _Bounded(FIFOCache[Key, Answer]):
    def __init__(self, bound: int, write: Callable[[Key, Answer | None], None]) -> None:
        super().__init__(bound)
        self._write = write

    def popitem(self) -> tuple[Key, Answer]:
        key, answer = super().popitem()
        self._write(key, None)
        return key, answer


class Answers:
    """Answers by key; `write` is told each change, None for an answer that goes."""

    def __init__(self, bound: int, write: Callable[[Key, Answer | None], None]) -> None:
        self._bound = bound
        self._write = write
        self._kept = _Bounded(bound, write)

    def __len__(self) -> int:
        """Counts the answers."""
        return len(self._kept)

    def get(self, key: Key) -> Answer | None:
        """Gives the answer kept under a key."""
        return self._kept.get(key)

    def put(self, key: Key, answer: Answer) -> None:
        """Keeps an answer instead of the one before."""
        self._kept[key] = answer
        self._write(key, answer)

    def drop(self, key: Key) -> None:
        """Lets go of an answer, if there is one."""
        if self._kept.pop(key, None) is not None:
            self._write(key, None)

    def keys(self, kind: str) -> list[Key]:
        """Lists the keys of one kind of answers."""
        return [key for key in self._kept if key[0] == kind]

    def adopt(self, answers: Iterable[tuple[Key, Answer]], *, since: datetime) -> None:
        """Takes over what is on disk, oldest first; newer answers stay, older ones go."""
        newer = list(self._kept.items())
        self._kept = _Bounded(self._bound, self._write)
        for key, answer in answers:
            if answer.at < since:
                self._write(key, None)
            else:
                self._kept[key] = answer
        for key, answer in newer:
            self._kept[key] = answer
