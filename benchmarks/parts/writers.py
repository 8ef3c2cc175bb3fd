"""How long somebody else's commits take while a whole list is read."""

from __future__ import annotations

import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

from benchmarks import seeds
from benchmarks.seeds import short
from benchmarks.worker import working

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.parts.run import Run
    from benchmarks.worker import Worker

WAL = "WAL"
MODES = {"rollback": "DELETE", WAL: "WAL"}
"""SQLite's journals: as the engine makes a store, and as a session of the service leaves it.

A writer of a rollback journal waits for the page that is being read, and asks again after 1, 2,
5, 10, 15 and 20 ms, as SQLite does it: whatever the page takes, it waits 8, 18, 33 or 53 ms.
"""

_PAUSE = 0.001
_WHOLE = "whole"
_IDLE_SECONDS = 0.3
_UPDATE = "UPDATE whatsmeow_contacts SET push_name = ? WHERE rowid = ?"


def idle(mode: str) -> str:
    """Names the longest commit of a round while nobody reads, in ms."""
    return f"longest commit of a round, {mode}, nobody reads (ms)"


def reading(mode: str) -> str:
    """Names the longest commit of a round while the list is read, in ms."""
    return f"longest commit of a round, {mode}, the list is read (ms)"


def measure(run: Run) -> None:
    """Commits one small change after another, alone and beside a reader."""
    size = run.effort.big
    for mode, pragma in MODES.items():
        run.say(f"a writer beside lists of {short(size)} ({mode} journal)")
        store = seeds.make(run.directory / f"written-{mode}", size)
        with (
            closing(sqlite3.connect(store, timeout=30)) as writer,
            working("lists", store, size) as reader,
            ThreadPoolExecutor(1) as thread,
        ):
            (told,) = writer.execute(f"PRAGMA journal_mode = {pragma}").fetchone()
            if told.upper() != pragma:
                raise ValueError(told)
            reader.run(_WHOLE)
            for _ in range(run.effort.rounds):
                over = partial(_is_over, time.monotonic() + _IDLE_SECONDS)
                run.figures.note(idle(mode), _longest(writer, over))
                lists = thread.submit(_read, reader, run.effort.reads)
                run.figures.note(reading(mode), _longest(writer, lists.done))
                lists.result()


def _read(reader: Worker, times: int) -> None:
    for _ in range(times):
        reader.run(_WHOLE)


def _is_over(end: float) -> bool:
    return time.monotonic() >= end


def _longest(writer: sqlite3.Connection, is_over: Callable[[], bool]) -> float:
    """Commits until it is over, at least once; gives the milliseconds of the longest commit."""
    longest, number = 0.0, 0
    while True:
        number += 1
        begun = time.perf_counter()
        with writer:
            writer.execute(_UPDATE, (f"push {number}", number % 100 + 1))
        longest = max(longest, time.perf_counter() - begun)
        if is_over():
            return longest * 1000
        time.sleep(_PAUSE)
