"""What goes wrong on one device, fault after fault; each lane has a device of its own.

A lane yields the name of each fault with what was seen of it.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from faults.observed import Observed, entered, lasting, strike
from sandboxes import is_alive, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    from faults.seen import Answer, Watch
    from faults.subject import Subject

    Lane = Iterator[tuple[str, Observed]]

FLIGHT = 8
DEATHS = 5
SILENT_CALLS = 64
BAN_SECONDS = 12
CONNECT = "`POST /connect`"


def processes(subject: Subject) -> Lane:
    """The session process dies."""
    yield "process killed, idle", strike(subject, subject.kill)
    yield "process killed in mid-call", _in_mid_call(subject, subject.kill)
    pid = subject.pid
    crashed = strike(
        subject, lambda: subject.control("crash"), until=lambda _: not is_alive(pid or 0)
    )
    crashed.notes["log"] = subject.stage.log()
    yield "crash frame", crashed


def crash_loop(subject: Subject) -> Lane:
    """The session process dies again and again."""

    def die_often() -> None:
        for _ in range(DEATHS):
            wait_for(lambda: subject.pid, 20, "the next process")
            subject.kill()

    seen = strike(
        subject, die_often, until=entered("CRASH_LOOP"), asked=CONNECT, lift=subject.connect
    )
    yield "process dies five times", seen


def connections(subject: Subject) -> Lane:
    """The connection is lost for a moment."""
    for how in ("abort", "close-frame", "xmlstreamend"):
        yield f"connection ended: {how}", strike(subject, _cause(subject, "kill", how=how))
    for code in ("503", "999", "515"):
        cause = _cause(subject, "stream-error", code=code)
        yield f"stream error {code}", strike(subject, cause)


def keep_alive(subject: Subject) -> Lane:
    """The connection stays open, and nobody is there."""
    seen = strike(
        subject,
        _cause(subject, "drop", kind="ping"),
        until=entered("RECONNECTING"),
        lift=_cause(subject, "answer", kind="ping"),
        back=60,
    )
    yield "keep-alive unanswered", seen


def refusals(subject: Subject) -> Lane:
    """WhatsApp refuses logins for reasons that may pass."""
    for reason in ("500", "503", "409", "415"):
        seen = strike(
            subject,
            _refused(subject, reason),
            until=_both(lasting(4), entered("RECONNECTING")),
            lift=_cause(subject, "login-failure", reason="off"),
        )
        yield f"login failure {reason}", seen


def stopped(subject: Subject) -> Lane:
    """WhatsApp says that there is no use in trying; a person asks for the next try."""
    seen = strike(
        subject,
        _cause(subject, "stream-error", conflict="replaced"),
        until=entered("REPLACED"),
        asked=CONNECT,
        lift=subject.connect,
    )
    yield "stream error conflict replaced", seen

    def try_again() -> None:
        subject.control("login-failure", reason="off")
        subject.connect()

    seen = strike(
        subject, _refused(subject, "405"), until=entered("OUTDATED"), asked=CONNECT, lift=try_again
    )
    yield "login failure 405", seen


def banned(subject: Subject) -> Lane:
    """WhatsApp bans the account for a while."""
    attrs = {"code": "101", "expire": str(BAN_SECONDS)}
    seen = strike(
        subject,
        _refused(subject, "402", times=1, attrs=attrs),
        until=entered("BANNED"),
        back=BAN_SECONDS + 30,
    )
    yield "login failure 402", seen


def log_outs(subject: Subject) -> Lane:
    """WhatsApp ends the link; each time the device is linked anew."""
    yield "removed on the phone in mid-call", _removed_in_mid_call(subject)
    for reason in ("401", "403", "406"):
        _link_again(subject)
        seen = strike(
            subject,
            _refused(subject, reason),
            until=entered("LOGGED_OUT"),
            lift=_cause(subject, "login-failure", reason="off"),
            back=0,
        )
        yield f"login failure {reason}", seen
    _link_again(subject)


def silence(subject: Subject) -> Lane:
    """WhatsApp says nothing, to many at once."""
    observed, before = Observed(), subject.keys()
    with subject.watched() as watch, ThreadPoolExecutor(SILENT_CALLS) as pool:
        asking = [pool.submit(subject.silent_picture) for _ in range(SILENT_CALLS)]
        wait_for(lambda: subject.count("picture"), 5, "the first question")
        observed.notes["list meanwhile"] = subject.contacts()
        observed.offline.append(subject.resolve())
        observed.answers = [answer.result() for answer in asking]
        observed.recovery = subject.wait_until_back(90)
        observed.states = watch.words[1:]
    observed.compare(before, subject.keys())
    yield "64 silent pictures at once", observed


def never_scanned(subject: Subject) -> Lane:
    """Codes are shown, and nobody scans one."""
    subject.stage.control("codes", number=1)
    observed = Observed()
    with subject.watched() as watch:
        started = time.monotonic()
        observed.notes["shown"] = subject.call("GET", f"/qr?device_id={subject.device}")
        observed.notes["outcome"] = subject.fail_to_link()
        observed.notes["seconds"] = time.monotonic() - started
        observed.status = subject.status()
        observed.states = watch.words[1:]
    subject.stage.control("codes", number=6)
    observed.recovery = _link_timed(subject)
    yield "QR code never scanned", observed


def linking(subject: Subject) -> Lane:
    """Linking is disturbed, and then succeeds."""
    observed = Observed()
    with subject.watched() as watch:
        observed.notes["outcome"] = subject.fail_to_link(spoil="hmac")
        observed.status = subject.status()
        observed.states = watch.words[1:]
    yield "pairing with a bad HMAC", observed
    observed = Observed()
    with subject.watched() as watch:
        started = time.monotonic()
        observed.notes["steps"] = subject.link(kill_first=True)
        observed.recovery = time.monotonic() - started
        observed.states = watch.words[1:]
    yield "process killed while linking", observed


def _cause(subject: Subject, command: str, **arguments: object) -> Callable[[], object]:
    return lambda: subject.control(command, **arguments)


def _refused(subject: Subject, reason: str, **arguments: object) -> Callable[[], object]:
    """Refuses logins, and makes the device log in."""

    def refuse() -> None:
        subject.control("login-failure", reason=reason, **arguments)
        subject.control("kill")

    return refuse


def _both(
    one: Callable[[Watch], object], other: Callable[[Watch], object]
) -> Callable[[Watch], object]:
    return lambda watch: one(watch) and other(watch)


def in_flight(subject: Subject, pool: ThreadPoolExecutor, number: int) -> list[Future[Answer]]:
    """Has so many calls under way that WhatsApp has heard and will not answer."""
    before = subject.count("picture")
    asking = [pool.submit(subject.silent_picture) for _ in range(number)]
    wait_for(lambda: subject.count("picture") == before + number, 5, "the questions")
    return asking


def _in_mid_call(subject: Subject, cause: Callable[[], object]) -> Observed:
    with ThreadPoolExecutor(FLIGHT) as pool:
        asking = in_flight(subject, pool, FLIGHT)
        started = time.monotonic()
        seen = strike(subject, cause)
        answers = [call.result() for call in asking]
        seen.notes["answered after"] = min(
            seen.recovery or 0.0, max(a.seconds for a in answers), time.monotonic() - started
        )
        seen.answers += answers
    return seen


def _removed_in_mid_call(subject: Subject) -> Observed:
    with ThreadPoolExecutor(FLIGHT) as pool:
        asking = in_flight(subject, pool, FLIGHT)
        cause = _cause(subject, "stream-error", code="401", conflict="device_removed")
        seen = strike(subject, cause, until=entered("LOGGED_OUT"), back=0)
        seen.answers += [call.result() for call in asking]
    return seen


def _link_again(subject: Subject) -> None:
    assert "linked" in subject.link()
    subject.wait_until_back()


def _link_timed(subject: Subject) -> float:
    started = time.monotonic()
    _link_again(subject)
    return time.monotonic() - started
