"""How often WhatsApp may be asked: a bucket that refills, quiet times, and pauses.

All arithmetic is in whole numbers, so that a bound is kept exactly. Times are
given, never read; one that goes back adds nothing to a bucket.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

FIRST_PAUSE = 60
"""Seconds of the first pause after WhatsApp asked to slow down; each further one doubles."""
LONGEST_PAUSE = 3600
"""Seconds that no pause exceeds."""

_MICROSECOND = timedelta(microseconds=1)
_SECOND = 1_000_000
_QUESTION = 3600 * _SECOND
# So many drops in a bucket are one question: an allowance of n an hour then is n drops
# a microsecond.
_MOST = 1_000_000
_TEXT = re.compile(r"\s*([0-9]{1,7})\s*/\s*h\s+burst\s+([0-9]{1,7})\s*")


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many questions may be asked in an hour, and at once after a rest."""

    per_hour: int
    burst: int

    @property
    def quarter(self) -> Allowance:
        """What is allowed in a quiet time; rounded up."""
        return Allowance(-(-self.per_hour // 4), -(-self.burst // 4))

    def __str__(self) -> str:
        """Prints the allowance as `parse_allowance` reads it."""
        return f"{self.per_hour}/h burst {self.burst}"


def parse_allowance(text: str) -> Allowance:
    """Reads a text such as "120/h burst 60". Raises ValueError saying how to write it."""
    match = _TEXT.fullmatch(text)
    numbers = (int(match[1]), int(match[2])) if match else (0, 0)
    if not all(1 <= number <= _MOST for number in numbers):
        message = f'write it as "120/h burst 60", each number from 1 to {_MOST}'
        raise ValueError(message)
    return Allowance(*numbers)


@dataclass(frozen=True, slots=True)
class Bucket:
    """What was left of an allowance at a time, in drops."""

    drops: int
    at: datetime

    @classmethod
    def of(cls, questions: int, at: datetime) -> Bucket:
        """Holds so many questions."""
        return cls(questions * _QUESTION, at)

    @property
    def questions(self) -> int:
        """The number of whole questions in it."""
        return self.drops // _QUESTION

    def refilled(self, allowance: Allowance, now: datetime, quiet_until: datetime | None) -> Bucket:
        """Gives the bucket as it is `now`, slower and smaller while it is quiet."""
        bucket = self
        if quiet_until is not None and min(self.at, now) < quiet_until:
            bucket = _poured(bucket, allowance.quarter, min(now, quiet_until))
        if quiet_until is None or now >= quiet_until:
            bucket = _poured(bucket, allowance, now)
        return replace(bucket, at=now)

    def without(self, questions: int) -> Bucket:
        """Gives the bucket with so many questions less, at least empty."""
        return replace(self, drops=max(0, self.drops - questions * _QUESTION))


@dataclass(frozen=True, slots=True)
class Pause:
    """A time without questions; `seconds` is its whole length."""

    until: datetime
    seconds: int


@dataclass(slots=True)
class Purse:
    """What one device has for one class of questions.

    `quiet_until` is, everywhere, until when the allowance is a quarter.
    """

    allowance: Allowance
    bucket: Bucket
    pause: Pause | None = None

    def take(self, wanted: int, now: datetime, quiet_until: datetime | None) -> int:
        """Takes at most `wanted` questions, none in a pause; gives how many it took."""
        taken = min(wanted, self.left(now, quiet_until))
        self.bucket = self.bucket.without(taken)
        return taken

    def left(self, now: datetime, quiet_until: datetime | None) -> int:
        """Counts the questions that may be asked at once now."""
        self.bucket = self.bucket.refilled(self.allowance, now, quiet_until)
        return 0 if self.pause_left(now) else self.bucket.questions

    def wait(self, now: datetime, quiet_until: datetime | None) -> int:
        """Gives the whole seconds until one question may be asked, 0 for now."""
        self.left(now, quiet_until)
        missing = _QUESTION - self.bucket.drops
        pause = self.pause_left(now)
        if missing <= 0:
            return pause
        slow = 0 if quiet_until is None else max(0, _microseconds(quiet_until - now))
        per_hour = self.allowance.quarter.per_hour
        if slow * per_hour >= missing:
            return max(pause, _seconds(_divided(missing, per_hour)))
        rest = _divided(missing - slow * per_hour, self.allowance.per_hour)
        return max(pause, _seconds(slow + rest))

    def pause_left(self, now: datetime) -> int:
        """Gives the whole seconds left of a pause, 0 outside one."""
        if self.pause is None:
            return 0
        left = _seconds(_microseconds(self.pause.until - now))
        if left > self.pause.seconds:
            # The clock was put back; a pause does not get longer by that.
            self.pause = replace(self.pause, until=now + timedelta(seconds=self.pause.seconds))
        return min(max(0, left), self.pause.seconds)

    def slow_down(self, now: datetime) -> None:
        """Notes that WhatsApp asked to slow down.

        What it says of questions from before a pause does not lengthen that.
        """
        if self.pause_left(now):
            return
        seconds = FIRST_PAUSE if self.pause is None else 2 * self.pause.seconds
        seconds = min(seconds, LONGEST_PAUSE)
        self.pause = Pause(now + timedelta(seconds=seconds), seconds)

    def succeed(self, now: datetime) -> None:
        """Notes that WhatsApp answered: the next pause is a first one again."""
        if not self.pause_left(now):
            self.pause = None


def _poured(bucket: Bucket, allowance: Allowance, until: datetime) -> Bucket:
    gained = max(0, _microseconds(until - bucket.at)) * allowance.per_hour
    return Bucket(min(bucket.drops + gained, allowance.burst * _QUESTION), until)


def _microseconds(time: timedelta) -> int:
    return time // _MICROSECOND


def _seconds(microseconds: int) -> int:
    return _divided(microseconds, _SECOND)


def _divided(number: int, by: int) -> int:
    """Divides and rounds up."""
    return -(-number // by)
