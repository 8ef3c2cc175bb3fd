"""The directory of one run: fresh, private, and gone afterwards."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from wuts_sandbox.run.ready import launcher_of

_PREFIX = "wuts-sandbox-"
_LOCK = "run.lock"
_CLEAN_SECONDS = 15
_PAUSE = 0.2


def make() -> Path:
    """Makes an empty directory (0700) with a short path: Unix sockets need one.

    Directories of runs that died without cleaning up are removed first.
    """
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        _remove_if_dead(left)
    return Path(tempfile.mkdtemp(prefix=_PREFIX))


def start_janitor(directory: Path, ready: Path) -> int:
    """Starts the process that cleans up should this one die; gives the pipe to it.

    It removes the directory, and the ready file if it still is this run's.

    The janitor acts when the last copy of the pipe is closed, that is at the
    death of this process, whatever its cause.
    """
    reader, writer = os.pipe()
    words = [str(directory), str(ready), str(os.getpid())]
    subprocess.Popen(  # noqa: S603  # fixed words and our own paths
        [sys.executable, "-m", "wuts_sandbox.run.directory", *words],
        stdin=reader,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    os.close(reader)
    return writer


def hold(directory: Path) -> int:
    """Marks the directory as in use for the life of this process."""
    handle = os.open(directory / _LOCK, os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return handle


def _remove_if_dead(left: Path) -> None:
    try:
        handle = os.open(left / _LOCK, os.O_RDWR)
    except OSError:
        # Another user's, or one that is being made right now.
        return
    with contextlib.suppress(OSError):
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(left, ignore_errors=True)
    os.close(handle)


def _clean(directory: Path, ready: Path, launcher: int) -> None:
    if launcher_of(ready) == launcher:
        ready.unlink(missing_ok=True)
    deadline = time.monotonic() + _CLEAN_SECONDS
    while directory.exists() and time.monotonic() < deadline:
        # The service's last children may still be writing while they end.
        shutil.rmtree(directory, ignore_errors=True)
        time.sleep(_PAUSE)


if __name__ == "__main__":
    sys.stdin.buffer.read()
    if Path(sys.argv[1]).exists():
        _clean(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
