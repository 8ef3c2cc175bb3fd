"""Processes tied to the life of another, and how a run is told from others."""

from __future__ import annotations

import os
import subprocess
import sys

from sandboxes import wait_for
from wuts_sandbox.run.ready import is_launcher


def tethered(parent: int) -> subprocess.CompletedProcess[str]:
    """Runs a command that says so, tied to that parent."""
    command = [sys.executable, "-m", "wuts_sandbox.tether", str(parent), "echo", "ran"]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)


class TestTether:
    """`python -m wuts_sandbox.tether`."""

    def test_becomes_the_command(self) -> None:
        """While the parent lives, the command runs."""
        assert (0, "ran\n") == (tethered(os.getpid()).returncode, tethered(os.getpid()).stdout)

    def test_a_parent_gone_already(self) -> None:
        """A parent that died before it could be watched ends everything at once."""
        done = tethered(os.getpid() + 1)
        assert (1, "") == (done.returncode, done.stdout)


class TestIsLauncher:
    """A ready file may name a process that has long been another."""

    def test_another_process(self) -> None:
        """Neither these tests nor a process that does not exist are a launcher."""
        assert [False, False] == [is_launcher(os.getppid()), is_launcher(2**22 + 1)]

    def test_a_launcher(self) -> None:
        """A process of the sandbox is known by its command line."""
        command = [sys.executable, "-c", "input()", "wuts-sandbox"]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
            # Until it has become the command, it still is a copy of these tests.
            wait_for(lambda: is_launcher(process.pid), 10, "the command")
            process.communicate(b"\n", timeout=20)
