"""The data directory: private, held by one service at a time."""

from __future__ import annotations

import fcntl
import json
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class HeldByAnother(Exception):  # named after the situation
    """Another service has the directory; `pid` is what it wrote, if anything."""

    def __init__(self, pid: str) -> None:
        super().__init__(pid)
        self.pid = pid


class DataDirectory:
    """`<data>`: registry, key and the devices' stores; 0700, files 0600."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = -1

    @property
    def devices(self) -> Path:
        """Where each device has a directory of its own."""
        return self.path / "devices"

    def hold(self) -> None:
        """Makes the directory and holds it for life; raises HeldByAnother, OSError."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.chmod(0o700)  # it may have been made by hand
        self.devices.mkdir(mode=0o700, exist_ok=True)
        self._lock = os.open(self.path / "service.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.pread(self._lock, 20, 0).decode(errors="replace").strip()
            raise HeldByAnother(pid) from None
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, f"{os.getpid()}\n".encode(), 0)

    def page_token_key(self, size: int) -> bytes:
        """Gives the key for page tokens; made once, so that tokens outlive a restart."""
        path = self.path / "page_token.key"
        if not path.exists():
            self._write(path, os.urandom(size))
        key = path.read_bytes()
        if len(key) != size:
            raise ValueError(f"page_token.key must hold {size} bytes; remove it to get a new one")
        return key

    def announce(self, port: int, *, metrics_port: int | None = None) -> None:
        """Writes service.json: the pid, and the ports that may be used now."""
        told = json.dumps({"pid": os.getpid(), "port": port, "metrics_port": metrics_port})
        self._write(self.path / "service.json", told.encode())

    def withdraw(self) -> None:
        """Removes service.json."""
        (self.path / "service.json").unlink(missing_ok=True)

    def _write(self, path: Path, content: bytes) -> None:
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        fresh.replace(path)
