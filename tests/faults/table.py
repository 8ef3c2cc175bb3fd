"""Causes every fault and writes docs/faults.md: `python -m faults.table FILE`.

Few faults run at a time, so that the recovery times are those of an idle machine.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from faults.programme import DEVICE_LANES, LINK_LANES, STAGE_LANES, Programme

if TYPE_CHECKING:
    from faults.observed import Observed

WIDTH = 2
AT_ONCE = 0.1
GIB = 1024**3
HEAD = """# Faults

What goes wrong, what callers get meanwhile, and how long it takes until they are served again.
Made by `make faults-table`, which causes every fault through the gateway, the real core and the
sandbox's WhatsApp; the same faults are tests (`tests/faults`).

* *Callers* are those who need WhatsApp: pictures and the list. Who resolves identifiers is answered
  from the store throughout, unless the table says otherwise.
* *State* is what `WatchDevice` tells, with the reason, one after the other.
* *Back* is the time from the end of the cause (a process killed, WhatsApp up again) to the first
  good answer.
* *Keys* are the device's: with them it logs in again, without them it must be linked anew.

"""
COLUMNS = ("Fault", "Callers get", "State", "Back", "Keys")


def machine() -> str:
    """Describes this machine in a line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB
    cpu = _cpu_model()
    return (
        f"Measured on {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
        f"{f' ({cpu})' if cpu else ''}, {memory:.0f} GiB, Python {platform.python_version()}, "
        f"{time.strftime('%Y-%m-%d', time.gmtime())}."
    )


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else ""


def table(programme: Programme) -> str:
    """Makes the table, in the order of the lanes."""
    order = [lane.__name__ for lane in (*DEVICE_LANES, *LINK_LANES)]
    order += [lane.__name__ for lane, _ in STAGE_LANES]
    rows = [
        _row(fault, seen) for lane in order for fault, seen in programme.seen.get(lane, {}).items()
    ]
    lines = [COLUMNS, tuple("---" for _ in COLUMNS), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _row(fault: str, seen: Observed) -> tuple[str, ...]:
    return fault, _callers(seen), _states(seen), _back(seen), _keys(seen)


def _callers(seen: Observed) -> str:
    if "outcome" in seen.notes:
        told = seen.notes["outcome"]
        return f"`{told['error']}`, reason `{told['reason']}`"
    if "told" in seen.notes:
        return f"the second: one line that names the holder, exit {seen.notes['exit']}"
    if not seen.failures:
        return f"every answer, {_within(seen.slowest)}" if seen.answers else "codes go on"
    codes = " or ".join(f"{status} `{code}`" for status, code in sorted(seen.codes))
    offline = "" if seen.is_readable else "; `resolve` too"
    slowest = max(answer.seconds for answer in seen.failures)
    return f"{codes}, {_within(slowest)}{offline}"


def _within(seconds: float) -> str:
    return "at once" if seconds < AT_ONCE else f"within {seconds:.1f} s"


def _states(seen: Observed) -> str:
    words: list[str] = []
    for state in seen.states:
        if not words or words[-1] != state:
            words.append(state)
    return " → ".join(f"`{word}`" for word in words) or "no change"


def _back(seen: Observed) -> str:
    if seen.recovery is None:
        return "when linked anew" if seen.keys == "gone" else ""
    back = "at once" if seen.recovery < AT_ONCE else f"{seen.recovery:.1f} s"
    return f"{back}{f' after {seen.asked}' if seen.asked else ''}"


def _keys(seen: Observed) -> str:
    kept = seen.notes.get("kept")
    return f"{seen.keys}; `{kept[0]}` left as it was" if kept else seen.keys


def main() -> None:
    """Writes the file; exit code 1 when a fault could not be seen."""
    programme = Programme()
    programme.run(width=WIDTH)
    for lane, error in programme.errors.items():
        sys.stderr.write(f"{lane}: {error}\n")
    if not programme.errors:
        Path(sys.argv[1]).write_text(f"{HEAD}{machine()}\n\n{table(programme)}", "utf-8")
    sys.exit(bool(programme.errors))


if __name__ == "__main__":
    main()
