"""What is measured, held against the goals."""

from __future__ import annotations

from functools import partial
from itertools import product
from typing import TYPE_CHECKING

import pytest

from benchmarks.effort import TRIAL
from benchmarks.figures import Case, Figures, Sample
from benchmarks.goals import GOALS, Goal, Measured, Verdict, judge
from benchmarks.parts import calls, company, lists, resolving, streams, unchanged, writers
from benchmarks.peers.serving import FASTAPI, FASTIFY
from benchmarks.report import document, lines, number
from benchmarks.stage import NATIVE, VIA_ENVOY

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZES = TINY, SMALL, BIG, HUGE = TRIAL.sizes
OURS, THEIRS = 1.0, 10.0
FACTS = (
    *map(writers.reading, writers.MODES),
    *map(writers.idle, writers.MODES),
    streams.GROWTH,
    streams.FIRST_MESSAGE,
    streams.FIRST_BYTE,
)


def _cases() -> Iterator[Case]:
    """Everything that is compared."""
    inside = [lists.PAGES, lists.ONE_SHOT, lists.ROWS, lists.NEONIZE]
    resolved = [resolving.FRESH, resolving.PER_ITEM, resolving.DICTIONARIES]
    outside = [VIA_ENVOY, NATIVE, calls.APP, FASTAPI, FASTIFY, company.ALONE, company.IN_COMPANY]
    jobs = [calls.PICTURE, calls.ONE, calls.BATCH, calls.LIST, calls.ECHO]
    for size in SIZES:
        yield from (Case(lists.LIST, size, 0, way) for way in inside)
        yield Case(lists.PAGE, size, 0, lists.PAGES)
        for job in (resolving.RESOLVE, resolving.RESOLVE_IN_WAL):
            yield from (Case(job, size, 0, way) for way in resolved)
        for job, callers in product(jobs, (1, calls.SOME, calls.MANY)):
            yield from (Case(job, size, callers, variant) for variant in outside)


_OTHERS = {lists.NEONIZE, resolving.PER_ITEM, FASTAPI, FASTIFY}


def figures(changes: dict[Case | str, float] | None = None) -> Figures:
    """Makes up a run that meets all goals: ours costs 1, others' 10; but for some changes."""
    changed, made = changes or {}, Figures()
    for case in _cases():
        usual = THEIRS if case.variant in _OTHERS else OURS
        made.add(case, Sample(*[changed.get(case, usual)] * 3))
    for fact in FACTS:
        made.note(fact, changed.get(fact, OURS))
    for size in SIZES:
        fact = unchanged.seconds(size)
        made.note(fact, changed.get(fact, OURS / 2))
    return made


def _inside(job: str, size: int, way: str) -> Case:
    return Case(job, size, 0, way)


def _limits() -> Iterator[tuple[str, Case | str, float, float]]:
    """Gives goal, what is changed, the last value that meets the goal, and one that does not."""
    listed, resolved = partial(_inside, lists.LIST), partial(_inside, resolving.RESOLVE)
    in_wal = partial(_inside, resolving.RESOLVE_IN_WAL)
    for size in (SMALL, BIG):
        yield "B1", listed(size, lists.NEONIZE), 3.0, 2.99
        yield "B1", listed(size, lists.PAGES), 3.33, 3.34
    for size in TRIAL.list_sizes[1:]:
        yield "B2", listed(size, lists.PAGES), 1.25, 1.26
        yield "B2", listed(size, lists.ONE_SHOT), 1.4, 1.41
        yield "B2", listed(size, lists.ROWS), 0.72, 0.71
    yield "B3", _inside(lists.PAGE, HUGE, lists.PAGES), 2.5, 2.51
    yield "B3", _inside(lists.PAGE, SMALL, lists.PAGES), 0.4, 0.39
    for ways in (resolved, in_wal):
        yield "B4", ways(BIG, resolving.PER_ITEM), 3.0, 2.99
        yield "B4", ways(BIG, resolving.DICTIONARIES), 0.46, 0.45
        yield "B4", ways(BIG, resolving.FRESH), 2.2, 2.21
    for job in (calls.PICTURE, calls.ONE):
        yield "B5", Case(job, BIG, calls.MANY, NATIVE), 1.4, 1.41
    yield "B5", Case(calls.ECHO, BIG, calls.MANY, NATIVE), 0.72, 0.71
    yield "B6", Case(calls.BATCH, BIG, calls.MANY, NATIVE), 1.2, 1.21
    yield "B6", Case(calls.BATCH, BIG, 1, NATIVE), 0.84, 0.83
    yield from _limits_of_services()
    yield "B9", writers.reading(writers.WAL), 20.0, 20.1
    yield "B10", streams.GROWTH, 80.0, 80.1
    yield "B10", streams.FIRST_MESSAGE, 100.0, 100.1
    yield "B10", streams.FIRST_BYTE, 100.0, 100.1
    for size in (TINY, SMALL, BIG):
        yield "B11", unchanged.seconds(size), 1.0, 1.01
    yield "B11", unchanged.seconds(HUGE), 0.75, 0.76
    for job in (calls.PICTURE, calls.ONE):
        yield "B12", Case(job, BIG, calls.SOME, company.IN_COMPANY), 16.0, 16.1


def _limits_of_services() -> Iterator[tuple[str, Case | str, float, float]]:
    wanted = [(calls.LIST, SMALL, 1, 3.5), (calls.BATCH, BIG, calls.SOME, 6.0)]
    small = product((calls.PICTURE, calls.ONE), (calls.SOME, calls.MANY))
    wanted += [(job, BIG, callers, 1.4) for job, callers in small]
    for job, size, callers, limit in wanted:
        yield "B7", Case(job, size, callers, FASTAPI), limit, limit - 0.01
        beyond = THEIRS / limit
        yield "B7", Case(job, size, callers, VIA_ENVOY), beyond - 0.01, beyond + 0.01
    jobs = (calls.BATCH, calls.PICTURE, calls.ONE)
    for job, callers in product(jobs, (calls.SOME, calls.MANY)):
        for peer in (FASTAPI, FASTIFY):
            yield "B8", Case(job, BIG, callers, peer), 1.0, 0.99
        yield "B8", Case(job, BIG, callers, VIA_ENVOY), 10.0, 10.1
    yield "B8", Case(calls.LIST, SMALL, 1, FASTIFY), 1.0, 0.99
    yield "B8", Case(calls.LIST, SMALL, 1, calls.APP), 10.0, 10.1
    yield "B8", Case(calls.LIST, BIG, 1, FASTIFY), 1.67, 1.66
    yield "B8", Case(calls.LIST, BIG, 1, calls.APP), 6.0, 6.1


class TestJudge:
    """judge."""

    def test_all_met(self) -> None:
        """Where ours is cheap and others are dear every goal is met."""
        verdicts = judge(figures(), TRIAL)
        assert [(goal.name, True) for goal in GOALS] == [(v.goal.name, v.is_met) for v in verdicts]

    @pytest.mark.parametrize(("name", "what", "within", "beyond"), [*_limits()])
    def test_limit(self, name: str, what: Case | str, within: float, beyond: float) -> None:
        """A goal is met up to its limit and missed behind it, whatever of it is worst."""
        verdicts = [judge(figures({what: value}), TRIAL) for value in (within, beyond)]
        told = [next(v.is_met for v in each if v.goal.name == name) for each in verdicts]
        assert [True, False] == told

    def test_nothing_measured(self) -> None:
        """What was not measured is not met: it ends the run, as what took no time does."""
        with pytest.raises(KeyError):
            judge(Figures(), TRIAL)
        with pytest.raises(ValueError, match="list"):
            judge(figures({_inside(lists.LIST, SMALL, lists.PAGES): 0.0}), TRIAL)
        assert not Verdict(GOALS[0], []).is_met

    def test_says_what_stands_in_the_way(self) -> None:
        """Each goal says what keeps it from being met, should it be missed."""
        assert [] == [goal.name for goal in GOALS if not goal.obstacle]

    def test_names(self) -> None:
        """The goals are B1 to B12, in order, each with a text of its own."""
        assert [f"B{number}" for number in range(1, 13)] == [goal.name for goal in GOALS]
        assert len(GOALS) == len({goal.text for goal in GOALS})


class TestMeasured:
    """One value beside its limit."""

    @pytest.mark.parametrize(
        ("value", "at_least", "is_met"),
        [(2.0, False, True), (2.1, False, False), (2.0, True, True), (1.9, True, False)],
    )
    def test_limit(self, value: float, at_least: bool, is_met: bool) -> None:
        """The limit itself is within."""
        measured = Measured("list", value, 2.0, at_least=at_least)
        assert (is_met, is_met) == (measured.is_met, measured.room >= 1)


def _nothing(_figures: Figures, _effort: object) -> list[Measured]:
    return []


class TestReport:
    """What a person reads."""

    def test_line(self) -> None:
        """A line has name, verdict, values with the limits that are missed, and the goal."""
        goal = Goal("B1", "cheaper than all", _nothing)  # type: ignore[arg-type] # never asked
        measured = [Measured("10k", 3.4, 3.0, at_least=True), Measured("100k", 25.0, 20.0, "ms")]
        (line,) = lines([Verdict(goal, measured)])
        expected = "B1 missed 10k 3.40x, 100k 25.0 ms (<= 20 ms) cheaper than all"
        assert expected == " ".join(line.split())

    def test_many_values(self) -> None:
        """Of many values the worst is told, and how many are within their limits."""
        goal = Goal("B8", "all below", _nothing)  # type: ignore[arg-type] # never asked
        measured = [Measured(f"case {n}", float(n), 3.0) for n in range(1, 6)]
        (line,) = lines([Verdict(goal, measured)])
        assert "B8 missed 3 of 5 within; case 5 5.00x (<= 3x) all below" == " ".join(line.split())

    def test_document(self) -> None:
        """The page has a row for each goal and a table for each comparison."""
        made = figures()
        page = document(judge(made, TRIAL), made, TRIAL)
        assert [f"| {goal.name} | met |" in page for goal in GOALS] == [True] * len(GOALS)
        assert "## list, 400 rows, within a process" in page
        assert "| list of 200 rows, 1 caller | 10.00x | 10.00x | 10.00x | 10.00x |" in page
        assert "| FastAPI + neonize | 10.0 | 10.0 | 10.0 |" in page

    @pytest.mark.parametrize(
        ("value", "written"),
        [(0.01234, "0.012"), (1.234, "1.23"), (12.34, "12.3"), (123.4, "123"), (0.0, "0.000")],
    )
    def test_number(self, value: float, written: str) -> None:
        """Numbers have three digits that mean something."""
        assert written == number(value)
