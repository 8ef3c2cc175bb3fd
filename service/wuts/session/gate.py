"""Keeps calls of the engine apart from its end.

A call of a client that is being stopped can abort the whole process, which
Python cannot catch. Calls therefore pass this gate, and the end closes it.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Admits(Enum):
    """Which calls the engine can bear."""

    NOTHING = auto()
    PAIRING = auto()
    """The device is not linked, and the connection is up."""
    CALLS = auto()
    """The device is linked and logged in."""


class Gate:
    """Open to one kind of calls, or to none; any number of calls may be inside."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._admits = Admits.NOTHING
        self._closed_for_good = False
        self._inside = 0

    def admit(self, admits: Admits) -> None:
        """Follows the connection; does nothing once the gate is closed for good."""
        with self._changed:
            self._admits = Admits.NOTHING if self._closed_for_good else admits
            self._changed.notify_all()

    @contextmanager
    def passage(self, kind: Admits = Admits.CALLS, *, seconds: float = 0.0) -> Iterator[bool]:
        """Tells whether the call may be made, and keeps the end waiting meanwhile.

        Waits that long for a gate that is not open now, but not for a closed one.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed_for_good or self._admits == kind, seconds)
            admitted = self._admits == kind
            self._inside += admitted
        try:
            yield admitted
        finally:
            with self._changed:
                self._inside -= admitted
                self._changed.notify_all()

    def close(self, *, seconds: float) -> bool:
        """Lets nobody in again, and tells whether all calls have left in time."""
        with self._changed:
            self._admits = Admits.NOTHING
            self._closed_for_good = True
            self._changed.notify_all()
            return self._changed.wait_for(lambda: self._inside == 0, seconds)
