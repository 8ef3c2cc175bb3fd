"""When a failed call is made once more, and after which pause."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import grpc

from wuts.client.errors import ServiceUnavailable, Unreachable

if TYPE_CHECKING:
    from wuts.client.asking import Ask
    from wuts.client.errors import WutsError

_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 5.0
_random = random.SystemRandom()


class Attempts:
    """Counts the attempts of one call; the deadline, in seconds, covers all of them.

    Only calls without side effects are made again, only after UNAVAILABLE, and only where a
    pause can cure it: the service says how long to wait, or it was starting, stopping or out
    of reach. A device that is logged out stays so, whoever asks how often.
    """

    def __init__(self, ask: Ask[object], *, timeout: float | None, retries: int) -> None:
        chosen = next((one for one in (ask.timeout, timeout) if one is not None), None)
        self._end = time.monotonic() + (ask.usual_timeout or 0 if chosen is None else chosen)
        self._retries = retries if ask.is_safe else 0
        self._made = 0

    def left(self) -> float:
        """Tells the seconds until the deadline, at least 0."""
        return max(0.0, self._end - time.monotonic())

    def pause_after(self, error: WutsError) -> float | None:
        """Tells the seconds to wait before the next attempt; None: there is none."""
        self._made += 1
        if self._made > self._retries or error.code is not grpc.StatusCode.UNAVAILABLE:
            return None
        pause = error.retry_after
        if pause is None and isinstance(error, Unreachable | ServiceUnavailable):
            pause = _FIRST_PAUSE * 2 ** (self._made - 1)
        if pause is None or pause > _LONGEST_PAUSE:
            return None
        # Callers who failed together do not come back together.
        pause *= _random.uniform(1, 1.25)
        return pause if pause < self.left() else None
