"""When a failed call is made once more, and after which pause."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import grpc

from wuts.client.errors import ServiceUnavailable, Timeout, Unreachable

if TYPE_CHECKING:
    from wuts.client.asking import Ask
    from wuts.client.errors import WutsError

_UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 5.0
_MORE_FOR_STREAMS = 3
# With the usual two, six seconds: a restart of the service takes two or three.
_random = random.SystemRandom()


class Attempts:
    """Counts the attempts of one call; the deadline, in seconds, covers all of them.

    Only calls without side effects are made again, only after UNAVAILABLE, and only where a
    pause can cure it: the service says how long to wait, or it was starting, stopping or out
    of reach. A device that is logged out stays so, whoever asks how often. A stream is made
    again only if it can be resumed, and then whatever cut it off, and with more patience.
    """

    def __init__(self, ask: Ask[object], *, timeout: float | None, retries: int) -> None:
        chosen = (one for one in (ask.timeout, timeout, ask.usual_timeout) if one is not None)
        seconds = next(chosen, None)
        self._end = None if seconds is None else time.monotonic() + seconds
        is_stream = ask.usual_timeout is None
        self._resumes = ask.rest is not None
        self._retries = retries if ask.is_safe and (self._resumes or not is_stream) else 0
        if self._resumes and self._retries:
            self._retries += _MORE_FOR_STREAMS
        self._made = 0

    def left(self) -> float | None:
        """Tells the seconds until the deadline, at least 0; None when there is none."""
        return None if self._end is None else max(0.0, self._end - time.monotonic())

    def advance(self) -> None:
        """Begins to count anew: a stream has given something."""
        self._made = 0

    def pause_after(self, error: WutsError) -> float | None:
        """Tells the seconds to wait before the next attempt; None: there is none."""
        self._made += 1
        is_cut = self._resumes and _is_cut(error)
        if self._made > self._retries or not (is_cut or error.code is _UNAVAILABLE):
            return None
        pause = error.retry_after
        if pause is None and (is_cut or isinstance(error, Unreachable | ServiceUnavailable)):
            pause = _FIRST_PAUSE * 2 ** (self._made - 1)
        if pause is None or pause > _LONGEST_PAUSE:
            return None
        # Callers who failed together do not come back together.
        pause *= _random.uniform(1, 1.25)
        left = self.left()
        return pause if left is None or pause < left else None


def _is_cut(error: WutsError) -> bool:
    """Tells whether a stream came to an end of the service's making, or of the gateway's.

    The service's own limits have a reason. A gateway that loses the service behind it resets
    the stream, for which gRPC has no better word than INTERNAL.
    """
    if error.reason:
        return isinstance(error, Timeout)
    return error.code is grpc.StatusCode.INTERNAL
