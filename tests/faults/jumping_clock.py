"""Runs a Python script whose wall clock is off by as many seconds as a file says at the moment.

`python jumping_clock.py FILE SCRIPT ...`
"""

from __future__ import annotations

import datetime as dt
import runpy
import sys
import time
from pathlib import Path

_real = time.time
_file = Path(sys.argv[1])


def _shifted() -> float:
    return _real() + float(_file.read_text() or 0)


class _Datetime(dt.datetime):
    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> _Datetime:
        return cls.fromtimestamp(_shifted(), tz)


if __name__ == "__main__":
    time.time = _shifted
    dt.datetime = _Datetime  # type: ignore[misc]  # its whole purpose
    sys.argv = sys.argv[2:]
    runpy.run_path(sys.argv[0], run_name="__main__")
