"""Small calls while somebody else reads the longest list."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from benchmarks.figures import Case, Sample
from benchmarks.hearing import hear
from benchmarks.load import LoadFailed, ask, asking
from benchmarks.parts.calls import ONE, PICTURE, SOME, http_questions
from benchmarks.parts.streams import STREAM
from benchmarks.rounds import turns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.hearing import Heard
    from benchmarks.parts.run import Run
    from benchmarks.stage import Service

ALONE, IN_COMPANY = "alone", "beside a stream"
_PAGES = 'wuts_store_reads_total{job="page",outcome="OK"}'


def measure(run: Run, service: Service) -> None:
    """Takes turns between an idle service and one that streams without a pause."""
    size, door = run.effort.big, service.door(run.effort.big)
    stream = hear(service.native_door(run.effort.huge), STREAM)
    for job in (PICTURE, ONE):
        run.say(f"{job} beside a stream")
        heard = hear(door, http_questions(size)[job])
        for way in turns((ALONE, IN_COMPANY), run.effort.rounds):
            with nullcontext() if way == ALONE else _streaming(service, stream):
                answered = ask(heard, requests=run.effort.calls, callers=SOME)
            sample = Sample(answered.cpu, answered.p50, answered.p99)
            run.figures.add(Case(job, size, SOME, way), sample)


@contextmanager
def _streaming(service: Service, stream: Heard) -> Iterator[None]:
    """Has the list streamed meanwhile; raises LoadFailed unless pages of it were read."""
    before = service.metrics()[_PAGES]
    with asking(stream):
        yield
    if service.metrics()[_PAGES] <= before:
        message = "nothing was streamed meanwhile"
        raise LoadFailed(message)
