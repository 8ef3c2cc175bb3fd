"""What is measured, held against the goals."""

from __future__ import annotations

import pytest

from benchmarks.effort import TRIAL
from benchmarks.figures import Case, Figures, Sample
from benchmarks.goals import GOALS, Goal, Measured, Verdict, judge
from benchmarks.parts import calls, company, lists, resolving, streams, unchanged, writers
from benchmarks.peers.serving import FASTAPI, FASTIFY
from benchmarks.report import document, lines, number
from benchmarks.stage import NATIVE, VIA_ENVOY

SIZES = TRIAL.sizes


def figures(*, ours: float, theirs: float, alone: float = 1.0) -> Figures:
    """Makes up a run in which everything of ours costs the same, and everything of others."""
    made = Figures()
    for size in SIZES:
        for way in (lists.PAGES, lists.ONE_SHOT, lists.ROWS):
            made.add(Case(lists.LIST, size, 0, way), Sample(ours))
        made.add(Case(lists.LIST, size, 0, lists.NEONIZE), Sample(theirs))
        made.add(Case(lists.PAGE, size, 0, lists.PAGES), Sample(ours))
        made.add(Case(resolving.RESOLVE, size, 0, resolving.FRESH), Sample(ours))
        made.add(Case(resolving.RESOLVE, size, 0, resolving.PER_ITEM), Sample(theirs))
        made.add(Case(resolving.RESOLVE, size, 0, resolving.DICTIONARIES), Sample(ours))
        made.note(unchanged.seconds(size), ours)
        for job in (calls.PICTURE, calls.ONE, calls.BATCH, calls.LIST, calls.ECHO):
            for callers in (1, calls.SOME, calls.MANY):
                for variant in (VIA_ENVOY, NATIVE, calls.APP):
                    made.add(Case(job, size, callers, variant), Sample(ours, ours, ours))
                for variant in (FASTAPI, FASTIFY):
                    made.add(Case(job, size, callers, variant), Sample(theirs, theirs, theirs))
                made.add(Case(job, size, callers, company.ALONE), Sample(alone, alone, alone))
                made.add(Case(job, size, callers, company.IN_COMPANY), Sample(ours, ours, ours))
    for mode in writers.MODES:
        made.note(writers.reading(mode), ours)
        made.note(writers.idle(mode), ours)
    for fact in (streams.GROWTH, streams.FIRST_MESSAGE, streams.FIRST_BYTE):
        made.note(fact, ours)
    return made


class TestJudge:
    """judge."""

    def test_all_met(self) -> None:
        """Where ours is cheap and others are dear every goal is met."""
        verdicts = judge(figures(ours=1.0, theirs=6.0), TRIAL)
        assert [(goal.name, True) for goal in GOALS] == [(v.goal.name, v.is_met) for v in verdicts]

    def test_all_comparisons_missed(self) -> None:
        """Where ours costs as much as the others, each goal of being cheaper is missed."""
        missed = {
            v.goal.name for v in judge(figures(ours=100.0, theirs=100.0), TRIAL) if not v.is_met
        }
        assert {"B1", "B4", "B7", "B8", "B9", "B10", "B11", "B12"} == missed

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
        made = figures(ours=1.0, theirs=6.0)
        page = document(judge(made, TRIAL), made, TRIAL)
        assert [f"| {goal.name} | met |" in page for goal in GOALS] == [True] * len(GOALS)
        assert "## list, 400 rows, within a process" in page
        assert "| FastAPI + neonize | 6.00 | 6.00 | 6.00 |" in page

    @pytest.mark.parametrize(
        ("value", "written"),
        [(0.01234, "0.012"), (1.234, "1.23"), (12.34, "12.3"), (123.4, "123"), (0.0, "0.000")],
    )
    def test_number(self, value: float, written: str) -> None:
        """Numbers have three digits that mean something."""
        assert written == number(value)
