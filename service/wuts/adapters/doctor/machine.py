"""Checks of what the machine gives: room, a port, the time."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import os
import shutil
import socket
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import wuts
from wuts.adapters.doctor.findings import fail, ok, warn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wuts.adapters.doctor.findings import Finding

_MIB = 1 << 20
_LEAST_FREE = 64 * _MIB
_GOOD_FREE = 1024 * _MIB
_SECONDS = 2.0
_SKEW_SECONDS = 300
_TIMEX_BYTES = 512
# More than any struct timex; zeros ask only.
_TIME_ERROR = 5


def disk(data: Path) -> Iterator[Finding]:
    """Checks that there is room, and that it can be written to."""
    room = shutil.disk_usage(data)
    message = f"{room.free // _MIB} MiB free of {room.total // _MIB}"
    remedy = "make room: a full disk stops every device of this directory"
    if os.statvfs(data).f_flag & os.ST_RDONLY or not os.access(data, os.W_OK):
        yield fail("disk", f"{data} cannot be written to", "mount it read-write, or chown it")
    elif room.free < _LEAST_FREE:
        yield fail("disk", message, remedy)
    elif room.free < _GOOD_FREE:
        yield warn("disk", message, remedy)
    else:
        yield ok("disk", message)


def port(data: Path, host: str, configured: int) -> Iterator[Finding]:
    """Checks that the port is free, or that our own service answers there."""
    told = _announced(data)
    if told is not None and _is_held(data):
        yield _answers(host, *told)
        return
    if not _is_free(host, configured):
        remedy = "stop the other program, or set WUTS_GRPC_PORT"
        yield fail("port", f"{host}:{configured} is taken by another program", remedy)
    elif told is not None:
        message = f"{host}:{configured} is free; the service (pid {told[0]}) ended without a stop"
        yield warn("port", message, "see its log, and start it again")
    else:
        yield ok("port", f"{host}:{configured} is free; the service does not run")


def clock(data: Path) -> Iterator[Finding]:
    """Checks that the time can be true, and that the system keeps it so."""
    remedy = "set the clock, and let an NTP client keep it"
    now, past = time.time(), _latest_known(data)
    text = datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds")
    if now < past - _SKEW_SECONDS:
        yield fail("time", f"{text}: files here are {round(past - now)} s younger", remedy)
    elif _is_unsynchronised():
        yield warn("time", f"{text}; the system does not know whether that is right", remedy)
    else:
        yield ok("time", f"{text}, synchronised")


def _announced(data: Path) -> tuple[int, int] | None:
    """Reads the pid and the port that a running service has told."""
    try:
        told = json.loads((data / "service.json").read_bytes())
        return int(told["pid"]), int(told["port"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _is_held(data: Path) -> bool:
    """Tells whether a service holds the directory; asks for a shared lock, for a moment."""
    try:
        handle = os.open(data / "service.lock", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _answers(host: str, pid: int, number: int) -> Finding:
    where = f"{host}:{number}"
    try:
        socket.create_connection((host, number), timeout=_SECONDS).close()
    except OSError:
        message = f"the service (pid {pid}) does not answer on {where}"
        return fail("port", message, "see its log; WUTS_GRPC_HOST must be the same here and there")
    return ok("port", f"our service (pid {pid}) answers on {where}")


def _is_free(host: str, number: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, number))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise
    return True


def _latest_known(data: Path) -> float:
    """Gives a time that has passed for sure: this release and the registry were written then."""
    candidates = (Path(wuts.__file__), data / "registry.db", data / "registry.db-wal")
    return max(path.stat().st_mtime for path in candidates if path.exists())


def _is_unsynchronised() -> bool:
    """Asks the kernel; False where it cannot be asked."""
    try:
        adjtimex = ctypes.CDLL(None).adjtimex
    except AttributeError:
        return False
    return int(adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))) == _TIME_ERROR
