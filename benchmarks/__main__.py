"""The command line: `python -m benchmarks --help`."""

from __future__ import annotations

import json
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from benchmarks.effort import FULL, QUICK, TRIAL
from benchmarks.goals import judge
from benchmarks.load import LoadFailed, NoLoadGenerator, require_program
from benchmarks.parts import calls, company, lists, resolving, streams, unchanged, writers
from benchmarks.parts.run import Run
from benchmarks.peers.serving import PeerFailed
from benchmarks.plot import draw
from benchmarks.report import document, lines
from benchmarks.rounds import OutcomesDiffer
from benchmarks.stage import serving
from benchmarks.stores import Stores
from benchmarks.worker import WorkerFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.effort import Effort
    from benchmarks.goals import Verdict

_EFFORTS = {"full": FULL, "quick": QUICK, "trial": TRIAL}
_MISSED, _FAILED, _UNABLE = 1, 2, 3


@click.command()
@click.option(
    "--effort",
    type=click.Choice([*_EFFORTS]),
    default="full",
    show_default=True,
    help="How much is measured: full takes some twelve minutes, quick less than three; "
    "trial shows that everything runs, and measures nothing.",
)
@click.option(
    "--write",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="A directory for benchmarks.md and benchmarks.svg.",
)
@click.option("--json", "as_json", is_flag=True, help="Print all verdicts and figures as JSON.")
@click.option("--strict", is_flag=True, help="End with 1 when a goal is missed.")
def main(effort: str, write: Path | None, *, as_json: bool, strict: bool) -> None:
    """Measures what answers cost, beside what others would have cost.

    Prints a line for each goal. Ends with 0 when everything was measured, with 2 when
    variants answered differently or failed to, with 3 when something is missing.
    """
    # Told to end, it clears up as it does after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    say = _Progress()
    run = _run(_EFFORTS[effort], say)
    verdicts = judge(run.figures, run.effort)
    if write is not None:
        (write / "benchmarks.md").write_text(document(verdicts, run.figures, run.effort))
        draw(run.figures, write / "benchmarks.svg")
    click.echo(_as_json(run, verdicts) if as_json else "\n".join(lines(verdicts)))
    say("done; a trial's figures mean nothing" if run.effort is TRIAL else "done")
    if strict and not all(verdict.is_met for verdict in verdicts):
        sys.exit(_MISSED)


class _Progress:
    """Tells what is going on, and since when."""

    def __init__(self) -> None:
        self._begun = time.monotonic()

    def __call__(self, text: str) -> None:
        click.echo(f"{time.monotonic() - self._begun:6.1f} s  {text}", err=True)


def _run(effort: Effort, say: Callable[[str], None]) -> Run:
    """Measures everything; ends the program where that cannot be done."""
    try:
        require_program()
        with tempfile.TemporaryDirectory(prefix="wuts-bench-") as directory:
            run = Run(effort, Path(directory), Stores(Path(directory)), say)
            _measure(run)
    except NoLoadGenerator as error:
        click.echo(f"benchmarks: {error}", err=True)
        sys.exit(_UNABLE)
    except (LoadFailed, OutcomesDiffer, PeerFailed, WorkerFailed) as error:
        click.echo(f"benchmarks: {error}", err=True)
        sys.exit(_FAILED)
    return run


def _measure(run: Run) -> None:
    lists.measure(run)
    resolving.measure(run)
    writers.measure(run)
    run.say("starting a loopback WhatsApp, the service and Envoy")
    with serving(run.effort.sizes) as service:
        calls.measure_lists(run, service)
        calls.measure(run, service)
        unchanged.measure(run, service)
        company.measure(run, service)
        streams.measure(run, service)


def _as_json(run: Run, verdicts: list[Verdict]) -> str:
    told = {
        "goals": [
            {
                "name": verdict.goal.name,
                "met": verdict.is_met,
                "measured": [each._asdict() for each in verdict.measured],
            }
            for verdict in verdicts
        ],
        "figures": [
            {**case._asdict(), "samples": [sample._asdict() for sample in samples]}
            for case, samples in run.figures.samples.items()
        ],
        "facts": run.figures.facts,
    }
    return json.dumps(told, indent=2)


if __name__ == "__main__":
    main()
