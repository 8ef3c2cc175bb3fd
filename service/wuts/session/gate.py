"""Keeps calls of the engine apart from its end.

A call of a client that is being stopped can abort the whole process, which
Python cannot catch. Calls therefore pass this gate, and the end closes it.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Gate:
    """Open while the engine is connected; any number of calls may be inside."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._open = False
        self._closed_for_good = False
        self._inside = 0

    def set_open(self, *, is_open: bool) -> None:
        """Follows the connection; does nothing once the gate is closed for good."""
        with self._changed:
            self._open = is_open and not self._closed_for_good

    @contextmanager
    def passage(self) -> Iterator[bool]:
        """Tells whether the call may be made, and keeps the end waiting meanwhile."""
        with self._changed:
            admitted = self._open
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
            self._open = False
            self._closed_for_good = True
            return self._changed.wait_for(lambda: self._inside == 0, seconds)
