"""What a person reads: a line a goal, and tables of all figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.glance import table
from benchmarks.seeds import short
from faults.table import machine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from benchmarks.effort import Effort
    from benchmarks.figures import Case, Figures
    from benchmarks.goals import Measured, Verdict

_HEAD = Path(__file__).with_name("head.md")
_FEW = 3
_COLUMNS = ["| variant | CPU ms | p50 ms | p99 ms |", "|---|---|---|---|"]


def lines(verdicts: Iterable[Verdict]) -> Iterator[str]:
    """Writes a line for each goal: name, verdict, what was measured, the goal."""
    for verdict in verdicts:
        goal, told = verdict.goal, _summary(verdict.measured)
        yield f"{goal.name:3} {_word(verdict):6} {told:58} {goal.text}"


def _summary(measured: Sequence[Measured]) -> str:
    """Writes all that was measured, or where that is much, the worst of it."""
    if len(measured) <= _FEW:
        return ", ".join(map(written, measured))
    worst = min(measured, key=lambda each: each.room)
    met = sum(each.is_met for each in measured)
    return f"{met} of {len(measured)} within; {written(worst)}"


def written(measured: Measured) -> str:
    """Writes one value, and its limit where it is beyond it."""
    value = f"{measured.what} {number(measured.value)}{_unit(measured)}"
    if measured.is_met:
        return value
    return f"{value} ({'>=' if measured.at_least else '<='} {measured.limit:g}{_unit(measured)})"


def document(verdicts: Sequence[Verdict], figures: Figures, effort: Effort) -> str:
    """Writes the whole page in Markdown."""
    head = _HEAD.read_text().format(rounds=effort.rounds)
    parts = [head, machine(), "", *table(figures, effort), "", "## Goals", ""]
    parts += ["| | | measured (where missed: wanted) | goal |", "|---|---|---|---|"]
    for verdict in verdicts:
        told = "; ".join(map(written, verdict.measured))
        parts.append(f"| {verdict.goal.name} | {_word(verdict)} | {told} | {verdict.goal.text} |")
    parts += _obstacles(verdicts)
    for title, rows in _tables(figures):
        parts += ["", f"## {title}", "", *_COLUMNS, *rows]
    parts += ["", "## Single figures", "", "| what | median | highest |", "|---|---|---|"]
    parts += [
        f"| {name} | {number(figures.fact(name))} | {number(figures.highest(name))} |"
        for name in figures.facts
    ]
    return "\n".join(parts) + "\n"


def number(value: float) -> str:
    """Writes a value with three digits that mean something."""
    for digits, bound in ((3, 0.1), (2, 10.0), (1, 100.0)):
        if value < bound:
            return f"{value:.{digits}f}"
    return f"{value:.0f}"


def _word(verdict: Verdict) -> str:
    return "met" if verdict.is_met else "missed"


def _unit(measured: Measured) -> str:
    return measured.unit if measured.unit == "x" else f" {measured.unit}"


def _obstacles(verdicts: Iterable[Verdict]) -> Iterator[str]:
    missed = [each.goal for each in verdicts if not each.is_met and each.goal.obstacle]
    if missed:
        yield ""
        yield "What stands in the way of those that are missed:"
        yield ""
    for goal in missed:
        yield f"* **{goal.name}.** {goal.obstacle}"


def _tables(figures: Figures) -> Iterator[tuple[str, list[str]]]:
    """Gathers the variants that were compared with each other."""
    tables: dict[str, list[str]] = {}
    for case in figures.samples:
        cells = ("" if cell is None else number(cell) for cell in figures.cells(case))
        tables.setdefault(_title(case), []).append(f"| {case.variant} | {' | '.join(cells)} |")
    yield from tables.items()


def _title(case: Case) -> str:
    where = "within a process" if not case.callers else f"{case.callers} callers"
    return f"{case.job}, {short(case.size)} rows, {where}".replace("1 callers", "1 caller")
