"""The service itself ends, or is disturbed; the lane has a stage of its own."""

from __future__ import annotations

import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from faults.lanes import in_flight
from faults.observed import Observed, lasting, strike
from faults.stage import gone
from sandboxes import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from faults.stage import Stage
    from faults.subject import Subject

    Lane = Iterator[tuple[str, Observed]]

JUMP = 86_400 * 30
_JUMPING_CLOCK = Path(__file__).with_name("jumping_clock.py")


def services(stage: Stage) -> Lane:
    """The service itself ends, or a second one begins."""
    first, second = stage.subjects()
    yield "two services on one data directory", _second_service(stage, first)
    yield "service killed in mid-call", _service_killed(stage, first, second)
    yield "service told to stop in mid-call", _service_stopped(stage, first, second)
    yield "service told to stop twice", _service_stopped_twice(stage, first)
    yield "clock of the service jumps", _clock_jumps(stage, first)


def stop(stage: Stage, number: int) -> int:
    """Signals the service and waits for its end; gives its exit code."""
    assert stage.service is not None
    stage.service.send_signal(number)
    return stage.service.wait(20)


def _second_service(stage: Stage, subject: Subject) -> Observed:
    observed = Observed()
    written = len(stage.log())
    second = stage.spawn_service(WUTS_GRPC_PORT="0")
    observed.notes["exit"] = second.wait(20)
    observed.notes["told"] = stage.log()[written:]
    assert stage.service is not None
    observed.notes["holder"] = stage.service.pid
    observed.ask(subject)
    return observed


def _service_killed(stage: Stage, first: Subject, second: Subject) -> Observed:
    observed, before = Observed(), first.keys() + second.keys()
    pids = [first.pid, second.pid]
    with ThreadPoolExecutor(1) as pool:
        (asking,) = in_flight(first, pool, 1)
        stage.kill_service()
        started = time.monotonic()
        observed.answers.append(asking.result())
        observed.answers.append(first.picture())
        wait_for(lambda: gone(pids), 5, "the end of the session processes")
        observed.notes["orphans gone after"] = time.monotonic() - started
    started = time.monotonic()
    stage.start_service()
    first.wait_until_back()
    second.wait_until_back()
    observed.recovery = time.monotonic() - started
    observed.compare(before, first.keys() + second.keys())
    return observed


def _service_stopped(stage: Stage, subject: Subject, other: Subject) -> Observed:
    observed, before = Observed(), subject.keys()
    pids = [each.pid for each in stage.subjects()]
    subject.control("slow", kind="picture", delay=2, times=1)
    with ThreadPoolExecutor(2) as pool:
        count = subject.count("picture")
        asking = pool.submit(subject.picture)
        wait_for(lambda: subject.count("picture") > count, 5, "the question")
        started = time.monotonic()
        late = pool.submit(other.call_until_refused)
        observed.notes["exit"] = stop(stage, signal.SIGTERM)
        observed.notes["stopped after"] = time.monotonic() - started
        observed.answers.append(asking.result())
        observed.notes["new call"] = late.result()
    observed.notes["children gone"] = gone(pids)
    started = time.monotonic()
    stage.start_service()
    observed.recovery = subject.wait_until_back()
    observed.compare(before, subject.keys())
    return observed


def _service_stopped_twice(stage: Stage, subject: Subject) -> Observed:
    observed = Observed()
    with ThreadPoolExecutor(1) as pool:
        (asking,) = in_flight(subject, pool, 1)
        assert stage.service is not None
        stage.service.send_signal(signal.SIGTERM)
        wait_for(lambda: not (stage.data / "service.json").exists(), 5, "the drain")
        started = time.monotonic()
        observed.notes["exit"] = stop(stage, signal.SIGTERM)
        observed.notes["stopped after"] = time.monotonic() - started
        observed.answers.append(asking.result())
    started = time.monotonic()
    stage.start_service()
    observed.recovery = subject.wait_until_back()
    return observed


def _clock_jumps(stage: Stage, subject: Subject) -> Observed:
    offset = stage.directory / "offset"
    offset.write_text("0")
    stop(stage, signal.SIGTERM)
    stage.start_service(before=(sys.executable, str(_JUMPING_CLOCK), str(offset)))
    subject.wait_until_back()

    def jump() -> None:
        offset.write_text(str(JUMP))

    def jump_back() -> None:
        offset.write_text("0")
        subject.kill()

    seen = strike(subject, jump, until=lasting(3), lift=jump_back)
    stop(stage, signal.SIGTERM)
    stage.start_service()
    subject.wait_until_back()
    return seen
