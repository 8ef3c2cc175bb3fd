"""A terminal for commands: a pty with a size, whose output is read until something shows."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Makes the pty the controlling terminal, so that ^C becomes a SIGINT.
_IN_FRONT = (
    "import fcntl, os, sys, termios\n"
    "fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
    "os.execvp(sys.argv[1], sys.argv[1:])\n"
)
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_ERASED_LINE = "\x1b[2K"
_PRESSES = 5
_PRESS_SECONDS = 4.0


class Terminal:
    """A command in a terminal of its own."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        columns: int = 100,
        lines: int = 50,
    ) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self.process = subprocess.Popen(
            [sys.executable, "-c", _IN_FRONT, *command],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**kept, "TERM": "xterm-256color", "LANG": "C.UTF-8", **environment},
            start_new_session=True,
        )
        os.close(slave)
        self.raw = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def __enter__(self) -> Self:
        """Gives itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the command, should it still run."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._master)

    @property
    def text(self) -> str:
        """All output so far, without escape sequences."""
        return _ESCAPE.sub("", self.raw).replace("\r\n", "\n").replace("\r", "\n")

    @property
    def frame(self) -> str:
        """What stands on the screen since the last redraw."""
        last = self.raw.rpartition(_ERASED_LINE)[2]
        return _ESCAPE.sub("", last).replace("\r", "")

    @property
    def redraws(self) -> int:
        """How often lines were erased and drawn over."""
        return len(re.findall(r"\x1b\[1A\x1b\[2K(?!\x1b\[1A)", self.raw))

    def expect(self, text: str, seconds: float = 20.0) -> None:
        """Reads until the text has been shown, at least once."""
        deadline = time.monotonic() + seconds
        while text not in self.text:
            assert time.monotonic() < deadline, f"{text!r} is not in {self.text!r}"
            assert self._read(0.1) or text in self.text, f"ended without {text!r}: {self.text!r}"

    def type(self, text: str) -> None:
        """Presses keys; the control character 3 is Ctrl-C."""
        os.write(self._master, text.encode())

    def interrupt(self) -> int:
        """Presses Ctrl-C, again where the first one is lost; gives the exit code.

        Python's input() drops a signal that comes while it still flushes its prompt.
        """
        for _ in range(_PRESSES):
            self.type("\x03")
            deadline = time.monotonic() + _PRESS_SECONDS
            while time.monotonic() < deadline:
                if not self._read(0.1):
                    return self.process.wait(_PRESS_SECONDS)
        raise AssertionError(f"Ctrl-C does not end it: {self.text!r}")

    def resize(self, *, columns: int, lines: int) -> None:
        """Changes the size of the window."""
        size = struct.pack("HHHH", lines, columns, 0, 0)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)

    def end(self, seconds: float = 20.0) -> int:
        """Reads to the end; gives the exit code."""
        deadline = time.monotonic() + seconds
        while self._read(0.1):
            assert time.monotonic() < deadline, f"still running: {self.text!r}"
        return self.process.wait(seconds)

    def _read(self, seconds: float) -> bool:
        """Takes what is there; False at the end."""
        if not select.select([self._master], [], [], seconds)[0]:
            return True
        try:
            part = os.read(self._master, 65_536)
        except OSError:  # what Linux says once nobody has the other end
            return False
        # A character may be cut in two by the end of a read.
        self.raw += self._decoder.decode(part)
        return bool(part)
