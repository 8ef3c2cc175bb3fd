"""WhatsApp is away, or says nothing, to everybody.

Each lane has a stage of its own, and yields the name of each fault with what
was seen of it.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from faults.observed import Observed, lasting, strike
from faults.services import stop
from sandboxes import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from faults.stage import Stage

    Lane = Iterator[tuple[str, Observed]]

OUTAGE_SECONDS = 30.0
LONG_SECONDS = 65.0
DIAL_SECONDS = 35.0


def outage(stage: Stage) -> Lane:
    """WhatsApp is down for half a minute."""
    yield "WhatsApp down for 30 s", _behind_door(stage, "closed", OUTAGE_SECONDS, 30)


def black_hole(stage: Stage) -> Lane:
    """WhatsApp takes connections and says nothing."""
    yield "TCP black hole for 35 s", _behind_door(stage, "black-hole", DIAL_SECONDS, 60)


def silent_handshake(stage: Stage) -> Lane:
    """WhatsApp opens the WebSocket and says nothing."""
    yield "no code to link with", _no_code(stage)
    yield (
        "silent Noise handshake for 35 s",
        _behind_door(stage, "silent-handshake", DIAL_SECONDS, 60),
    )


def down_at_start(stage: Stage) -> Lane:
    """The service starts while WhatsApp is down, and that lasts."""
    (subject,) = stage.subjects()
    observed, before = Observed(), subject.keys()
    stage.control("door", door="closed")
    stop(stage, signal.SIGTERM)
    stage.start_service()
    wait_for(lambda: subject.call("GET", "/status").status == 200, 20, "the gateway's return")
    pids = set()
    with subject.watched() as watch:
        is_over = lasting(LONG_SECONDS)
        while not is_over(watch):
            observed.ask(subject)
            pids.add(subject.pid)
        observed.status = subject.status()
        stage.control("door", door="open")
        observed.recovery = subject.wait_until_back(60)
        observed.states = watch.words
    observed.notes["processes"] = len(pids - {None})
    observed.compare(before, subject.keys())
    yield "WhatsApp down at start, for ever", observed


def _behind_door(stage: Stage, door: str, seconds: float, back: float) -> Observed:
    subject, *_ = stage.subjects()
    return strike(
        subject,
        lambda: stage.control("door", door=door),
        until=lasting(seconds),
        lift=lambda: stage.control("door", door="open"),
        back=back,
    )


def _no_code(stage: Stage) -> Observed:
    _, unlinked = stage.subjects()
    observed = Observed()
    stage.control("door", door="silent-handshake", keep=True)
    with unlinked.watched() as watch:
        observed.answers.append(unlinked.call("GET", f"/qr?device_id={unlinked.device}"))
        observed.states = watch.words[1:]
    stage.control("door", door="open")
    return observed
