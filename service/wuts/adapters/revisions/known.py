"""What is known of one device's list, and since when."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

    from wuts.adapters.sqlite import Stamp


class Known:
    """One list. All times are those of the event loop's clock.

    `content` was the whole list at `held_at`, and is for as long as the store
    has the `stamp`, if there is one.
    """

    def __init__(self) -> None:
        self.content = ""
        self.stamp: Stamp | None = None
        self.held_at = -math.inf
        self.begun = -math.inf
        """When the reading began that `content` is from."""
        self.moved_at: float | None = None
        """When it was noticed that the store was written to since."""
        self.rest_until = -math.inf
        """No comparison before."""
        self.watch_until = -math.inf
        self.task: asyncio.Task[None] | None = None
        """Watches the store, or compares once."""
        self.recorded = ""
        """The content that the file is known to hold."""
        self.recording: asyncio.Task[None] | None = None

    @property
    def is_busy(self) -> bool:
        """Tells whether a task watches or compares."""
        return self.task is not None and not self.task.done()

    def confirm(self, stamp: Stamp, at: float) -> bool:
        """Notes the stamp of a look that began at that time; tells whether nothing moved."""
        if stamp != self.stamp:
            if self.moved_at is None:
                self.moved_at = at
            return False
        self.held_at = max(self.held_at, at)
        self.moved_at = None
        return True

    def learn(self, content: str, stamps: set[Stamp], begun: float) -> None:
        """Notes a reading of the whole list that began at that time.

        When the store was written to meanwhile, the pages may be of several
        states. Each of them still was as it was read at some time after
        `begun`, which is all that `held_at` claims; but no stamp stands for
        them together.
        """
        if begun < self.begun:
            return  # a slow reading must not undo a later one
        self.held_at = max(self.held_at, begun) if content == self.content else begun
        self.content, self.begun = content, begun
        self.stamp = next(iter(stamps)) if len(stamps) == 1 else None
        self.moved_at = None
