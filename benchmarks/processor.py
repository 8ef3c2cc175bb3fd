"""What processes use: processor time and memory, as the kernel accounts for them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

_CPUCLOCK_SCHED = 2
_REST_SECONDS, _LOOK_SECONDS = 1.0, 0.02
_IDLE_SHARE = 0.05
# Of a core; the timers of an idle service take less.
_RESET_PEAK = "5"
MB = 1e6
_KIB = 1024


def seconds(pids: Iterable[int]) -> float:
    """Sums the user and system time of processes, threads that have ended included.

    From each process's own clock (clock_getcpuclockid(3)), which counts nanoseconds
    where /proc/<pid>/stat counts hundredths of a second.
    """
    return sum(time.clock_gettime(~pid << 3 | _CPUCLOCK_SCHED) for pid in pids)


def rest(pids: Collection[int]) -> None:
    """Waits until processes do nothing any more, but no longer than a second."""
    end = time.monotonic() + _REST_SECONDS
    before = seconds(pids)
    while time.monotonic() < end:
        time.sleep(_LOOK_SECONDS)
        after = seconds(pids)
        if after - before < _IDLE_SHARE * _LOOK_SECONDS:
            return
        before = after


def memory(pid: int) -> float:
    """Tells what of a process is in memory now, in MB."""
    return _status(pid, "VmRSS")


def peak(pid: int) -> float:
    """Tells the most that was in memory since `forget_peak`, in MB."""
    return _status(pid, "VmHWM")


def forget_peak(pid: int) -> None:
    """Begins the peak anew."""
    Path(f"/proc/{pid}/clear_refs").write_text(_RESET_PEAK)


def _status(pid: int, name: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) * _KIB / MB
