"""Measures what a connected device costs: `python -m faults.capacity [DEVICES]`.

Memory is the proportional share (PSS), so that what the processes have in
common counts once; processor time is that of connected devices that nobody asks.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from faults.stage import Stage, staged
from faults.table import machine
from faults.world import world

DEVICES = 16
IDLE_SECONDS = 30.0
TICKS = os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> float:
    """The proportional share of a process in MB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def processor(pid: int) -> float:
    """Seconds of processor time a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def measure(stage: Stage) -> str:
    """Describes the cost of the devices of a stage in a line."""
    assert stage.service is not None
    pids = [subject.pid for subject in stage.subjects()]
    sessions = [pid for pid in pids if pid is not None]
    before = sum(map(processor, sessions)), processor(stage.service.pid)
    threading.Event().wait(IDLE_SECONDS)
    after = sum(map(processor, sessions)), processor(stage.service.pid)
    number = len(sessions)
    each = sum(map(memory, sessions)) / number
    share = (after[0] - before[0]) / number / IDLE_SECONDS
    return (
        f"{number} connected devices: {each:.0f} MB and {share:.2%} of a core each when idle; "
        f"the service itself {memory(stage.service.pid):.0f} MB and "
        f"{(after[1] - before[1]) / IDLE_SECONDS:.1%} of a core; "
        f"{1024 / each:.0f} devices a GiB"
    )


def main() -> None:
    """Measures with as many devices as the first argument says."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else DEVICES
    with staged(world([f"user{index}" for index in range(number)])) as stage:
        result = measure(stage)
    sys.stdout.write(f"{machine()}\n{result}\n")


if __name__ == "__main__":
    main()
