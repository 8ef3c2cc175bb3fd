"""When to start a session process again."""

from __future__ import annotations

import math
import random
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from wuts.adapters.sessions.limits import Limits


class Restarts:
    """Counts one device's failures.

    `clock` gives seconds that never go back.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._clock = clock
        self._failures = 0
        self._deaths: deque[float] = deque(maxlen=limits.crash_deaths)

    def pause(self) -> float:
        """Gives the seconds to wait after one more failure.

        The spread keeps many devices from coming back in the same moment.
        """
        longest = math.ldexp(self._limits.first_retry_seconds, min(self._failures, 32))
        self._failures += 1
        spread = random.uniform(0.5, 1.0)  # noqa: S311 # no secret
        return min(longest, self._limits.retry_cap_seconds) * spread

    def note_death(self) -> bool:
        """Notes that the process died, and tells if that makes a crash loop."""
        self._deaths.append(self._clock())
        oldest_counts = self._clock() - self._deaths[0] <= self._limits.crash_window_seconds
        return len(self._deaths) == self._limits.crash_deaths and oldest_counts

    def note_connected(self) -> None:
        """Notes that all is well; past deaths still count."""
        self._failures = 0
