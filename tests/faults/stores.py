"""The disk fails; the lane has a stage of its own."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from faults.lanes import CONNECT
from faults.observed import Observed, entered, lasting, strike
from faults.services import stop
from faults.stage import lower_file_limit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from faults.stage import Stage
    from faults.subject import Subject

    Lane = Iterator[tuple[str, Observed]]

LOCK_SECONDS = 8.0
SLOW_SECONDS = 130.0
_NO_ROOT_RIGHTS = Path(__file__).with_name("no_root_rights.py")
_LOCKER = (
    "import sqlite3, sys\n"
    "store = sqlite3.connect(sys.argv[1], timeout=5, isolation_level=None)\n"
    "store.execute('BEGIN EXCLUSIVE')\n"
    "print('ready', flush=True)\n"
    "sys.stdin.read()\n"
)
_HOLDER = (
    "import fcntl, os, sys\n"
    "held = os.open(sys.argv[1], os.O_RDWR)\n"
    "print('ready', flush=True)\n"
    "fcntl.flock(held, fcntl.LOCK_EX)\n"
    "sys.stdin.read()\n"
)


def stores(stage: Stage) -> Lane:
    """The disk fails."""
    subject, *_ = stage.subjects()
    yield "store locked by another process for 8 s", _locked(subject)
    yield "store locked while its process starts", _locked(subject, cause=subject.kill)
    yield "store held by another session process for 8 s", _held(subject)
    yield "no room for the process to write", _no_room_for_the_process(subject)
    yield "disk full", _disk_full(stage, subject)
    yield "store corrupted", _corrupted(subject)
    yield "read-only data directory", _read_only(stage, subject)


def _locked(subject: Subject, cause: Callable[[], object] = lambda: None) -> Observed:
    with _holding(_LOCKER, subject.directory / "store.db") as unlock:
        return strike(subject, cause, until=lasting(LOCK_SECONDS), lift=unlock)


def _held(subject: Subject) -> Observed:
    with _holding(_HOLDER, subject.directory / "session.lock") as let_go:
        return strike(subject, subject.kill, until=lasting(LOCK_SECONDS), lift=let_go)


@contextmanager
def _holding(script: str, path: Path) -> Iterator[Callable[[], None]]:
    """Has another process hold a file as soon as it can; gives what ends that."""
    command = [sys.executable, "-c", script, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"ready\n"
        yield holder.stdin.close


def _no_room_for_the_process(subject: Subject) -> Observed:
    def lower() -> None:
        assert subject.pid is not None
        lower_file_limit(subject.pid, 4096)
        subject.control("resync")

    def lift() -> None:
        if subject.pid is not None:
            lower_file_limit(subject.pid, None)

    return strike(subject, lower, until=entered("STORE_REFUSED"), lift=lift, back=SLOW_SECONDS)


def _disk_full(stage: Stage, subject: Subject) -> Observed:
    assert stage.service is not None
    service = stage.service.pid

    def fill() -> None:
        # A child inherits the limit; the other devices' processes go on as they are.
        lower_file_limit(service, 4096)
        subject.kill()

    def lift() -> None:
        lower_file_limit(service, None)
        subject.connect()

    failed = entered("STORE_REFUSED", "DISK_FULL", "RECONNECTING DISK_FULL")
    return strike(subject, fill, until=failed, lift=lift, asked=CONNECT)


def _corrupted(subject: Subject) -> Observed:
    store = subject.directory / "store.db"
    good = subject.directory.parent.parent.parent / "good.db"
    with (
        closing(sqlite3.connect(store, timeout=10)) as source,
        closing(sqlite3.connect(good)) as target,
    ):
        source.backup(target)
    rubbish = os.urandom(store.stat().st_size)

    def corrupt() -> None:
        for path in (store.with_name("store.db-wal"), store.with_name("store.db-shm")):
            path.unlink(missing_ok=True)
        store.write_bytes(rubbish)
        subject.kill()

    kept: list[str] = []

    def restore() -> None:
        kept.extend(
            path.name
            for path in subject.directory.iterdir()
            if path.is_file() and path.read_bytes() == rubbish
        )
        for path in subject.directory.glob("store.db*"):
            path.unlink()
        shutil.copyfile(good, store)
        subject.connect()

    refused = entered("STORE_REFUSED", "STORE_CORRUPT")
    observed = strike(subject, corrupt, until=refused, lift=restore, asked=CONNECT)
    observed.notes["kept"] = kept
    return observed


def _read_only(stage: Stage, subject: Subject) -> Observed:
    stop(stage, signal.SIGTERM)
    # Root would write all the same.
    stage.start_service(before=(sys.executable, str(_NO_ROOT_RIGHTS)))
    for each in stage.subjects():
        each.wait_until_back()
    modes = {path: path.stat().st_mode for path in (stage.data, *stage.data.rglob("*"))}

    def protect() -> None:
        for path in modes:
            if path.exists():
                path.chmod(0o500 if path.is_dir() else 0o400)
        subject.kill()

    def restore() -> None:
        for path, mode in modes.items():
            if path.exists():
                path.chmod(mode & 0o777)
        subject.connect()

    try:
        return strike(subject, protect, until=entered("STORE_REFUSED"), lift=restore, asked=CONNECT)
    finally:
        restore()
