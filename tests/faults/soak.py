"""Random faults on several devices under load, for as long as SOAK_SECONDS says.

`python -m faults.soak`; SOAK_SEED repeats a run. The last line is the result;
exit code 1 when a call failed outside the window of a fault. The service is
never restarted here: its memory and descriptors are what is measured.
"""

from __future__ import annotations

import os
import random
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from faults.load import Load
from faults.stage import Stage, staged
from faults.world import world
from sandboxes import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from faults.load import Call
    from faults.subject import Subject

SECONDS = float(os.environ.get("SOAK_SECONDS") or 600)
SEED = int(os.environ.get("SOAK_SEED") or random.SystemRandom().randrange(10**6))
USERS = [f"user{number}" for number in range(6)]
RATE = 40.0
WARM_UP_SECONDS = 5.0
QUIET_SECONDS = 1.0, 4.0
RECOVERY_SECONDS = 90.0
SETTLED_SECONDS = 1.0
EVERYBODY = "*"
MB = 1024 * 1024


@dataclass
class Window:
    """The time in which a fault excuses failures of one device, or of all."""

    fault: str
    user: str
    started: float
    ended: float = float("inf")

    def excuses(self, call: Call) -> bool:
        """Tells whether a call was under way in the window."""
        concerns = self.user in {EVERYBODY, call.user}
        return concerns and call.started <= self.ended and call.ended >= self.started


@dataclass
class Faults:
    """Draws faults and keeps their windows."""

    stage: Stage
    draw: random.Random
    windows: list[Window] = field(default_factory=list)
    stuck: int = 0

    def strike(self) -> None:
        """Causes one fault, lifts it, and waits until the devices concerned are back."""
        subject = self.draw.choice(self.stage.subjects())
        name = self.draw.choice(sorted(FAULTS))
        user = EVERYBODY if name in GENERAL else subject.user
        window = Window(name, user, time.monotonic())
        self.windows.append(window)
        try:
            FAULTS[name](subject, self.draw)
            for each in self.stage.subjects() if user == EVERYBODY else [subject]:
                _wait_until_back(each)
        except Exception as error:  # noqa: BLE001 # the soak goes on, and counts it
            self.stuck += 1
            _say(f"{name}: {subject.user} is not back: {type(error).__name__} {error}")
        window.ended = time.monotonic()


def _wait_until_back(subject: Subject) -> None:
    """Waits until all is well for a second; a crash loop is ended as a person would."""
    deadline = time.monotonic() + RECOVERY_SECONDS
    well_since = time.monotonic()
    while time.monotonic() - well_since < SETTLED_SECONDS:
        assert time.monotonic() < deadline, subject.status()
        if not (subject.picture().is_good and subject.contacts().is_good):
            well_since = time.monotonic()
            if subject.status()["status"] == "crash_loop":
                subject.connect()
        _pause(0.05)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _pause(seconds: float) -> None:
    threading.Event().wait(seconds)


def _kill(subject: Subject, _: random.Random) -> None:
    if subject.pid is not None:
        subject.kill()


def _crash(subject: Subject, _: random.Random) -> None:
    subject.control("crash")


def _end(subject: Subject, draw: random.Random) -> None:
    subject.control("kill", how=draw.choice(["abort", "close-frame", "xmlstreamend"]))


def _stream_error(subject: Subject, draw: random.Random) -> None:
    subject.control("stream-error", code=draw.choice(["503", "515", "999"]))


def _refuse_login(subject: Subject, draw: random.Random) -> None:
    seconds = draw.uniform(1, 6)
    reason = draw.choice(["409", "415", "500", "503"])
    subject.control("login-failure", reason=reason, seconds=seconds)
    subject.control("kill")
    _pause(seconds)


def _ban(subject: Subject, _: random.Random) -> None:
    attrs = {"code": "101", "expire": "3"}
    subject.control("login-failure", reason="402", times=1, attrs=attrs)
    subject.control("kill")


def _log_out(subject: Subject, _: random.Random) -> None:
    subject.control("stream-error", code="401", conflict="device_removed")
    wait_for(lambda: subject.status()["status"] == "logged_out", 10, "the log-out")
    subject.link()


def _be_silent(subject: Subject, draw: random.Random) -> None:
    subject.control("drop", kind="picture", times=draw.randint(1, 4))


def _close(subject: Subject, draw: random.Random) -> None:
    door = draw.choice(["closed", "refusing", "black-hole", "silent-handshake"])
    subject.stage.control("door", door=door)
    _pause(draw.uniform(1, 8))
    subject.stage.control("door", door="open")


FAULTS: dict[str, Callable[[Subject, random.Random], None]] = {
    "process killed": _kill,
    "process crashed": _crash,
    "connection ended": _end,
    "stream error": _stream_error,
    "login refused": _refuse_login,
    "banned": _ban,
    "logged out": _log_out,
    "pictures unanswered": _be_silent,
    "WhatsApp down": _close,
}
GENERAL = {"WhatsApp down"}


def sizes(stage: Stage) -> tuple[int, int]:
    """Resident bytes and open descriptors of the service and all session processes."""
    assert stage.service is not None
    pids = [stage.service.pid, *(subject.pid for subject in stage.subjects())]
    there = [Path(f"/proc/{pid}") for pid in pids if pid is not None]
    pages = sum(int((path / "statm").read_text().split()[1]) for path in there)
    return pages * os.sysconf("SC_PAGESIZE"), sum(len(list((p / "fd").iterdir())) for p in there)


def unexcused(calls: Sequence[Call], windows: Sequence[Window]) -> list[Call]:
    """The calls that failed outside every window."""
    failed = [call for call in calls if not call.answer.is_good]
    return [call for call in failed if not any(window.excuses(call) for window in windows)]


def soak(stage: Stage) -> int:
    """Runs until the time is over; gives the exit code."""
    faults = Faults(stage, random.Random(SEED))  # noqa: S311 # no secret: a run can be repeated
    with Load(stage.subjects(), RATE) as load:
        _pause(WARM_UP_SECONDS)
        memory, descriptors = sizes(stage)
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            faults.strike()
            _tell(faults, load, end)
            _pause(faults.draw.uniform(*QUIET_SECONDS))
        more_memory, more_descriptors = sizes(stage)
    failed = unexcused(load.calls, faults.windows)
    for call in failed[:20]:
        _say(f"failed: {call.kind} {call.answer.status} {call.answer.code}")
    growth = (more_memory - memory) / MB, more_descriptors - descriptors
    lost = len(failed) + faults.stuck
    _say(
        f"soak: {len(load.calls)} calls, {lost} failed outside a fault's window, "
        f"{len(faults.windows)} faults, RSS {growth[0]:+.0f} MB, fds {growth[1]:+d}"
    )
    return int(lost > 0)


def _tell(faults: Faults, load: Load, end: float) -> None:
    window = faults.windows[-1]
    failed = len(unexcused(load.calls, faults.windows))
    _say(
        f"{max(0, end - time.monotonic()):4.0f} s left, {len(load.calls)} calls, {failed} failed; "
        f"{window.fault}: {window.ended - window.started:.1f} s"
    )


def main() -> None:
    """Runs the soak on a stage of its own."""
    _say(f"SOAK_SEED={SEED}, {SECONDS:.0f} s, {len(USERS)} devices, {RATE:.0f} calls/s")
    with staged(world(USERS, tenants=3)) as stage:
        code = soak(stage)
    sys.exit(code)


if __name__ == "__main__":
    main()
