"""Store files as the engine makes them, filled by hand.

By the SQLite that the service reads them with: within one process a second one would drop its
locks.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import apsw

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wuts.domain.caller import DeviceId
    from wuts.domain.contact import Names

_BUSY_MS = 5000
_MAKE_STORE = """
import sys
import no_libmagic
from neonize.client import ClientFactory
ClientFactory.get_all_devices_from_db(sys.argv[1])
"""


@functools.cache
def empty_store() -> bytes:
    """Gives the bytes of a store that the real engine has just made; takes about two seconds."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "store.db")
        # Making a store needs no network; should it try, it meets a closed port.
        environment = {
            "HOME": directory,
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path(__file__).parent),
            "HTTPS_PROXY": "http://127.0.0.1:1",
        }
        subprocess.run(  # our own interpreter and text
            [sys.executable, "-c", _MAKE_STORE, str(path)],
            env=environment,
            check=True,
            timeout=60,
            capture_output=True,
        )
        return path.read_bytes()


class WhatsmeowFiles:
    """The stores of a data directory; fills them as the engine would."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._open: dict[DeviceId, apsw.Connection] = {}

    def path(self, device: DeviceId) -> Path:
        """Tells where the store of a device is."""
        return self._data / "devices" / device / "store.db"

    def make(self, device: DeviceId, *, wal: bool = True) -> Path:
        """Makes the store of a device that is not linked yet."""
        path = self.path(device)
        path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
        path.write_bytes(empty_store())
        path.chmod(0o600)
        if wal:
            self.run(device, "PRAGMA journal_mode = WAL")
        return path

    def link(self, device: DeviceId, pn: str, lid: str = "", *, wal: bool = True) -> None:
        """Makes the store of a device that is linked to an account."""
        self.make(device, wal=wal)
        key, signature = bytes(32), bytes(64)
        values = {
            "jid": our_jid(pn),
            "lid": f"{lid}:7@lid" if lid else None,
            "registration_id": 1,
            "noise_key": key,
            "identity_key": key,
            "signed_pre_key": key,
            "signed_pre_key_id": 1,
            "signed_pre_key_sig": signature,
            "adv_key": key,
            "adv_details": b"",
            "adv_account_sig": signature,
            "adv_account_sig_key": key,
            "adv_device_sig": signature,
        }
        columns, marks = ", ".join(values), ", ".join("?" * len(values))
        self.run(
            device,
            f"INSERT INTO whatsmeow_device ({columns}) VALUES ({marks})",
            [*values.values()],
        )

    def unlink(self, device: DeviceId) -> None:
        """Deletes the device's row, as a logout does; the rest cascades."""
        self.run(device, "DELETE FROM whatsmeow_device")

    def add_row(
        self, device: DeviceId, their_jid: str, names: Names, redacted_phone: str = ""
    ) -> None:
        """Stores a row under a JID."""
        self.run(
            device,
            "INSERT INTO whatsmeow_contacts SELECT jid, ?, ?, ?, ?, ?, ? FROM whatsmeow_device",
            [their_jid, *names, redacted_phone],
        )

    def pair(self, device: DeviceId, pn: str, lid: str) -> None:
        """Stores that these digits are the PN and the LID of one person."""
        self.run(device, "INSERT INTO whatsmeow_lid_map (lid, pn) VALUES (?, ?)", [lid, pn])

    def run(self, device: DeviceId, statement: str, values: Sequence[object] = ()) -> None:
        """Runs one statement on the store of a device and commits."""
        if device in self._open:
            self._open[device].execute(statement, values)
            return
        with closing(apsw.Connection(str(self.path(device)))) as connection:
            connection.set_busy_timeout(_BUSY_MS)
            connection.pragma("foreign_keys", "ON")
            connection.execute(statement, values)

    @contextmanager
    def together(self, device: DeviceId) -> Iterator[apsw.Connection]:
        """Commits whatever is run within as one transaction; far quicker for many rows."""
        with closing(apsw.Connection(str(self.path(device)))) as connection, connection:
            connection.set_busy_timeout(_BUSY_MS)
            self._open[device] = connection
            try:
                yield connection
            finally:
                del self._open[device]


def our_jid(pn: str) -> str:
    """Names the device as the engine does: with its number on the account."""
    return f"{pn}:7@s.whatsapp.net"
