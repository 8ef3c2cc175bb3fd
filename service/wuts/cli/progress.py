"""Progress on stderr, for what takes longer than a moment."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_QUIET_SECONDS = 2.0
_LINE_SECONDS = 10.0


class Meter:
    """Shows bytes done of bytes in all: a bar in a terminal, else now and then a line."""

    def __init__(self, what: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._clock = clock
        self._next = clock() + _QUIET_SECONDS
        console = Console(stderr=True)
        self._is_drawn = console.is_terminal and not console.is_dumb_terminal
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
        self._bar = Progress(*columns, TimeRemainingColumn(), console=console, transient=True)
        self._task = self._bar.add_task(what)

    def tell(self, done: int, total: int) -> None:
        """Takes the progress; nothing is shown in the first two seconds."""
        now = self._clock()
        if self._is_drawn:
            self._bar.update(self._task, completed=done, total=total)
        if now < self._next:
            return
        if self._is_drawn:
            self._bar.start()
        else:
            click.echo(f"{self._what} ... {mb(done)} of {mb(total)}", err=True)
        self._next = now + _LINE_SECONDS

    def close(self) -> None:
        """Wipes the bar, if there is one."""
        if self._bar.live.is_started:
            self._bar.stop()


@contextlib.contextmanager
def shown(what: str) -> Iterator[Callable[[int, int], None]]:
    """Gives what is to be told the progress."""
    meter = Meter(what)
    try:
        yield meter.tell
    finally:
        meter.close()


def mb(size: int) -> str:
    """Writes a number of bytes for people."""
    return f"{size / 1e6:.1f} MB"
