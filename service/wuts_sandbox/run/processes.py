"""The processes of a run: started tethered, watched, stopped in time."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from wuts_sandbox.run.options import RunFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_T = TypeVar("_T")
_POLL = 0.03
_LAST_LINES = 5
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV")
# Proxies and WUTS_* of the person's own shell must not reach a sandbox.
_KEPT_PREFIXES = ("COVERAGE_",)


def clean_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Builds a child's environment from an allow-list."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT or name.startswith(_KEPT_PREFIXES)
    }
    return {**kept, **extra}


@dataclass
class Child:
    """One process of the run; its output goes to `log`."""

    name: str
    process: asyncio.subprocess.Process
    log: Path

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    def is_alive(self) -> bool:
        """Tells whether it runs."""
        return self.process.returncode is None

    def check_alive(self) -> None:
        """Raises RunFailed with the last lines of its output when it has ended."""
        if not self.is_alive():
            raise RunFailed(f"{self.name} ended ({self.process.returncode}): {self.last_lines()}")

    def last_lines(self) -> str:
        """Gives the end of its output."""
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return "\n  ".join(lines[-_LAST_LINES:]) or "it said nothing"

    async def stop(self, seconds: float) -> None:
        """Sends SIGTERM, waits, then SIGKILL."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self.process.wait(), seconds)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()


async def spawn(
    name: str, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> Child:
    """Starts a process in a session of its own, tied to the life of this one."""
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "wuts_sandbox.tether", str(os.getpid()), *command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=clean_environment(environment or {}),
            start_new_session=True,
        )
    return Child(name, process, log)


async def wait_until(found: Callable[[], _T | None], *children: Child, seconds: float) -> _T:
    """Asks again and again until there is an answer; raises RunFailed when too late.

    Also raises RunFailed as soon as one of the children has ended.
    """
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        answer = found()
        if answer is not None:
            return answer
        for child in children:
            child.check_alive()
        if asyncio.get_running_loop().time() > deadline:
            names = " and ".join(child.name for child in children)
            raise RunFailed(f"{names} did not get ready within {seconds:.0f} s")
        await asyncio.sleep(_POLL)
