"""Allowances, buckets, quiet times and pauses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wuts.domain.budget import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    Allowance,
    Bucket,
    Purse,
    parse_allowance,
)

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
MICROSECONDS_AN_HOUR = 3_600_000_000

allowances = st.builds(Allowance, per_hour=st.integers(1, 20_000), burst=st.integers(1, 300))
steps = st.lists(
    st.tuples(st.integers(0, 2 * MICROSECONDS_AN_HOUR), st.integers(1, 60)), min_size=1, max_size=40
)


def after(**time: float) -> datetime:
    """A time after the start."""
    return START + timedelta(**time)


def full(allowance: Allowance) -> Purse:
    """A purse after a long rest."""
    return Purse(allowance, Bucket.of(allowance.burst, START))


def taken(
    purse: Purse, plan: list[tuple[int, int]], quiet_until: datetime | None
) -> list[tuple[int, int]]:
    """Takes as planned (microseconds since the step before, wanted); gives when and how many."""
    at, events = 0, []
    for pause, wanted in plan:
        at += pause
        events.append((at, purse.take(wanted, after(microseconds=at), quiet_until)))
    return events


def exceeds(events: list[tuple[int, int]], allowance: Allowance) -> bool:
    """Tells whether some window holds more than the burst and what comes back in it."""
    for first, (begin, _) in enumerate(events):
        total = 0
        for end, number in events[first:]:
            total += number
            gained = allowance.burst * MICROSECONDS_AN_HOUR + allowance.per_hour * (end - begin)
            if total * MICROSECONDS_AN_HOUR > gained:
                return True
    return False


class TestParseAllowance:
    """Allowances as operators write them."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("120/h burst 60", Allowance(120, 60)),
            (" 6000 / h  burst  600 ", Allowance(6000, 600)),
            ("1000000/h burst 1", Allowance(1_000_000, 1)),
        ],
    )
    def test_read(self, text: str, expected: Allowance) -> None:
        """Spaces do not matter, and what is printed can be read again."""
        assert expected == parse_allowance(text) == parse_allowance(str(expected))

    @pytest.mark.parametrize(
        "text",
        [
            *("", "120", "120/h", "0/h burst 5", "5/h burst 0", "-1/h burst 5", "1.5/h burst 5"),
            *("1000001/h burst 5", "120/m burst 60", "120/h burst 60 or so", "१२/h burst 5"),
        ],
    )
    def test_refused(self, text: str) -> None:
        """Anything else is refused with an example of how to write it."""
        with pytest.raises(ValueError, match='write it as "120/h burst 60"'):
            parse_allowance(text)

    def test_quarter(self) -> None:
        """A quarter is rounded up, so that there always is something."""
        assert Allowance(31, 15) == Allowance(121, 60).quarter
        assert Allowance(1, 1) == Allowance(1, 1).quarter


class TestTake:
    """Taking questions."""

    @given(allowance=allowances, plan=steps, quiet=st.none() | st.integers(0, 5))
    def test_bound(
        self, allowance: Allowance, plan: list[tuple[int, int]], quiet: int | None
    ) -> None:
        """No window ever holds more than the burst and what comes back in it."""
        quiet_until = None if quiet is None else after(hours=quiet)
        events = taken(full(allowance), plan, quiet_until)
        assert not exceeds(events, allowance)

    @given(allowance=allowances, plan=steps)
    def test_bound_of_a_quiet_time(self, allowance: Allowance, plan: list[tuple[int, int]]) -> None:
        """In a quiet time the same holds for a quarter, however much there was before."""
        events = taken(full(allowance), plan, after(days=365))
        assert not exceeds(events, allowance.quarter)

    @given(allowance=allowances, plan=steps)
    def test_nothing_is_lost(self, allowance: Allowance, plan: list[tuple[int, int]]) -> None:
        """Looking often takes nothing away."""
        purse, watched, at = full(allowance), full(allowance), 0
        for pause, wanted in plan:
            for part in range(3):
                watched.left(after(microseconds=at + part * pause // 3), None)
            at += pause
            now = after(microseconds=at)
            assert purse.take(wanted, now, None) == watched.take(wanted, now, None)

    def test_burst_and_refill(self) -> None:
        """At once the burst, then the rate, and never more than the burst."""
        purse = full(Allowance(per_hour=120, burst=60))
        numbers = [
            purse.take(100, now, None)
            for now in (START, after(seconds=29), after(seconds=30), after(hours=9))
        ]
        assert [60, 0, 1, 60] == numbers

    def test_quiet_time_ends(self) -> None:
        """What comes back follows the quarter until the quiet time ends, then the whole."""
        purse = Purse(Allowance(per_hour=400, burst=400), Bucket.of(0, START))
        assert 50 + 200 == purse.left(after(hours=1), after(minutes=30))

    def test_clock_put_back(self) -> None:
        """A clock that goes back brings nothing, and does not stop the refill."""
        purse = full(Allowance(per_hour=60, burst=1))
        numbers = [
            purse.take(1, now, None)
            for now in (START, START - HOUR, START - HOUR + timedelta(minutes=1))
        ]
        assert [1, 0, 1] == numbers


class TestWait:
    """Telling when one more may be asked."""

    @given(
        allowance=allowances,
        plan=steps,
        quiet=st.none() | st.integers(-1, 20_000),
    )
    def test_exact(
        self, allowance: Allowance, plan: list[tuple[int, int]], quiet: int | None
    ) -> None:
        """After the wait one may be taken, a second sooner none."""
        quiet_until = None if quiet is None else after(seconds=quiet)
        purse = full(allowance)
        now = START + sum((timedelta(microseconds=pause) for pause, _ in plan), timedelta())
        taken(purse, plan, quiet_until)
        wait = purse.wait(now, quiet_until)
        sooner = purse.left(now + timedelta(seconds=wait - 1), quiet_until) if wait else 0
        left = purse.left(now + timedelta(seconds=wait), quiet_until)
        assert (True, 0) == (left > 0, sooner)

    def test_none(self) -> None:
        """Whoever has one left need not wait."""
        assert 0 == full(Allowance(1, 1)).wait(START, None)


class TestPause:
    """Pauses after WhatsApp asked to slow down."""

    def test_doubles(self) -> None:
        """Each pause is twice the one before, up to an hour; none is left at its end."""
        purse, now, pauses = full(Allowance(100, 100)), START, []
        for _ in range(8):
            purse.slow_down(now)
            pauses.append(purse.pause_left(now))
            now += timedelta(seconds=pauses[-1])
            assert 0 == purse.pause_left(now)
        assert [FIRST_PAUSE, 120, 240, 480, 960, 1920, LONGEST_PAUSE, LONGEST_PAUSE] == pauses

    def test_nothing_is_taken(self) -> None:
        """In a pause nothing is left, and the wait is the pause."""
        purse = full(Allowance(100, 100))
        purse.slow_down(START)
        now = after(seconds=20)
        assert (0, 0) == (purse.take(5, now, None), purse.left(now, None))
        assert 40 == purse.wait(now, None)
        assert 5 == purse.take(5, after(seconds=60), None)

    def test_longer_of_both(self) -> None:
        """An empty bucket in a pause: the wait is the longer of the two."""
        purse = Purse(Allowance(per_hour=6, burst=1), Bucket.of(0, START))
        purse.slow_down(START)
        assert 600 == purse.wait(START, None)

    def test_late_refusals(self) -> None:
        """Answers to questions from before the pause neither lengthen nor end it."""
        purse = full(Allowance(100, 100))
        purse.slow_down(START)
        purse.slow_down(after(seconds=1))
        purse.succeed(after(seconds=2))
        assert 57 == purse.pause_left(after(seconds=3))

    def test_success(self) -> None:
        """After a success the next pause is a first one."""
        purse = full(Allowance(100, 100))
        purse.slow_down(START)
        purse.succeed(after(seconds=60))
        purse.slow_down(after(seconds=61))
        assert FIRST_PAUSE == purse.pause_left(after(seconds=61))

    def test_clock_put_back(self) -> None:
        """A clock that was put back a year does not make it a pause of a year."""
        purse = full(Allowance(100, 100))
        purse.slow_down(START)
        now = START - timedelta(days=365)
        assert FIRST_PAUSE == purse.pause_left(now)
        assert 0 == purse.pause_left(now + timedelta(seconds=FIRST_PAUSE))
