"""Lets a command tidy up when it is told to end."""

from __future__ import annotations

import contextlib
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def tidy() -> Iterator[None]:
    """Makes SIGTERM and SIGHUP leave the block as Ctrl-C does; exit code 128 and the number.

    Without it a terminal would stay without a cursor, and half a backup on disk.
    What is ignored, as under nohup, stays ignored.
    """
    heard = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, _end) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, _frame: object) -> NoReturn:
    sys.exit(128 + number)
