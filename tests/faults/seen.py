"""Single things that are seen: an answer to a call, and the states of a device."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What a caller got, and after how many seconds."""

    status: int
    code: str
    seconds: float
    retry_after: int = 0

    @property
    def is_good(self) -> bool:
        """Whether the call succeeded."""
        return self.status == 200


@dataclass
class Watch:
    """The states of a device in the order in which they came."""

    seen: list[Any] = field(default_factory=list)
    ending: threading.Event = field(default_factory=threading.Event)
    _call: Any = None

    def follow(self, call: Any) -> None:
        """Takes what one stream tells, until it ends."""
        self._call = call
        for told in call:
            self.seen.append(told.state)

    def end(self) -> None:
        """Follows no longer."""
        self.ending.set()
        if self._call is not None:
            self._call.cancel()

    @property
    def words(self) -> list[str]:
        """State and reason of each, as one text."""
        return [f"{state.state} {state.reason}".strip() for state in list(self.seen)]

    def has(self, word: str) -> bool:
        """Tells whether a state, or a state with its reason, was seen."""
        return any(word in {text, text.split()[0]} for text in self.words)
