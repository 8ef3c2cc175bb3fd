"""A variant in a process of its own: `python -m benchmarks.worker VARIANT STORE SIZE`.

Reads a job's name a line, does it, and writes a line of JSON: the processor time it took and, when
asked to tell, what came out. Only the job itself is measured.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import processor
from benchmarks.peers.naive import environment
from benchmarks.variants import open_variant

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
ENGINE = "neonize"
_TELL = "tell"


class WorkerFailed(Exception):  # named after the situation
    """A variant's process ended instead of answering."""


class Worker:
    """The other end: asks a process for a job and waits for it."""

    def __init__(self, variant: str, process: subprocess.Popen[str]) -> None:
        self._variant = variant
        self._process = process

    def run(self, job: str) -> float:
        """Has a job done; gives the milliseconds of processor time that it took.

        Returns once the process is at rest: an engine's clearing up belongs to nobody else.
        """
        took, _ = self._ask(job)
        if self._variant == ENGINE:
            processor.rest([self._process.pid])
        return took

    def outcome(self, job: str) -> tuple[float, str]:
        """Has a job done; gives the milliseconds, and a short text of what came out."""
        return self._ask(f"{job} {_TELL}")

    def _ask(self, line: str) -> tuple[float, str]:
        process = self._process
        if process.stdin is None or process.stdout is None:
            raise ValueError(process)
        process.stdin.write(f"{line}\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        if not answer:
            message = f"the process of {self._variant} ended with {process.wait()}"
            raise WorkerFailed(message)
        told = json.loads(answer)
        return float(told["cpu"]) * 1000, str(told["outcome"])


@contextmanager
def working(variant: str, store: Path, size: int) -> Iterator[Worker]:
    """Starts a variant, and ends it afterwards."""
    command = [sys.executable, "-m", "benchmarks.worker", variant, str(store), str(size)]
    with subprocess.Popen(  # noqa: S603 # our own module
        command,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as process:
        try:
            yield Worker(variant, process)
        finally:
            process.kill()


def main(variant: str, store: str, size: str) -> None:
    """Does the jobs that standard input names, until it ends."""
    # The engine prints to standard output; the answers go where nobody else writes.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    opened = open_variant(variant, Path(store), int(size))
    for line in sys.stdin:
        name, *tell = line.split()
        job = opened.jobs[name]
        gc.collect()
        begun = time.process_time()
        outcome = job()
        told: dict[str, object] = {"cpu": time.process_time() - begun, "outcome": ""}
        if tell:
            told["outcome"] = opened.tell(outcome)
        answers.write(json.dumps(told) + "\n")
        answers.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
