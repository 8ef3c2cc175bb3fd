"""Runs a command that ends when its parent does.

`python -m wuts_sandbox.tether COMMAND ...` asks the kernel for SIGTERM at the
death of the parent and becomes the command. The pid stays the same.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def tie_to_parent() -> None:
    """Asks for SIGTERM when the parent dies, also when it has died already."""
    parent = os.getppid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:
        sys.exit(1)


if __name__ == "__main__":
    tie_to_parent()
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606  # its whole purpose
