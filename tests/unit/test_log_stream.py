"""The log: what cannot be written stops nothing."""

from __future__ import annotations

import errno
import io

from wuts.bootstrap import LogStream


class _FullDisk(io.StringIO):
    """Takes nothing while it is full."""

    is_full = False

    def write(self, text: str) -> int:
        if self.is_full:
            raise OSError(errno.ENOSPC, "no space left on device")
        return super().write(text)


class TestLogStream:
    """Lines that go to standard error."""

    def test_a_full_disk_stops_nobody(self) -> None:
        """Lines are lost while nothing can be written; the next one says how many."""
        disk = _FullDisk()
        stream = LogStream(disk)
        stream.write("one\n")
        disk.is_full = True
        stream.write("two\n")
        stream.write("three\n")
        disk.is_full = False
        stream.write("four\n")
        stream.write("five\n")
        lost = '{"event": "log lines lost", "count": 2}'
        assert ["one", lost, "four", "five"] == disk.getvalue().splitlines()
