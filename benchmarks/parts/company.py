"""Small calls while somebody else reads the longest list."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from benchmarks.figures import Case, Sample
from benchmarks.load import ask, asking
from benchmarks.parts.calls import ONE, PICTURE, SOME, http_questions
from benchmarks.parts.streams import STREAM

if TYPE_CHECKING:
    from benchmarks.parts.run import Run
    from benchmarks.stage import Service

ALONE, IN_COMPANY = "alone", "beside a stream"


def measure(run: Run, service: Service) -> None:
    """Takes turns between an idle service and one that streams without a pause."""
    size, door = run.effort.big, service.door(run.effort.big)
    questions = http_questions(size)
    for job in (PICTURE, ONE):
        run.say(f"{job} beside a stream")
        for _ in range(run.effort.rounds):
            for company in (ALONE, IN_COMPANY):
                reader = asking(service.native_door(run.effort.huge), STREAM)
                with nullcontext() if company == ALONE else reader:
                    answered = ask(door, questions[job], requests=run.effort.calls, callers=SOME)
                sample = Sample(answered.cpu, answered.p50, answered.p99)
                run.figures.add(Case(job, size, SOME, company), sample)
