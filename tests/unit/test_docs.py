"""The pages of docs/ name only what exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
DOCS = TESTS.parent / "docs"
_NAMED = re.compile(
    r"`((?:unit|contract|rpc|gateway|session|e2e|faults)/test_\w+\.py)(?:::(\w+)::(\w+))?`"
)


def _tests_of(path: Path) -> set[tuple[str, str]]:
    classes = [n for n in ast.parse(path.read_text()).body if isinstance(n, ast.ClassDef)]
    return {
        (found.name, method.name)
        for found in classes
        for method in found.body
        if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef)
    }


class TestIdentityPage:
    """docs/identity.md."""

    def test_names_tests_that_exist(self) -> None:
        """Every test that is named as a proof is there."""
        named = _NAMED.findall((DOCS / "identity.md").read_text())
        assert len(named) >= 20
        missing = [
            f"{file}::{name}::{method}"
            for file, name, method in named
            if not (TESTS / file).exists()
            or (name and (name, method) not in _tests_of(TESTS / file))
        ]
        assert [] == missing


class TestBenchmarksPage:
    """docs/benchmarks.md, which `make bench` writes."""

    def test_has_what_the_readme_quotes(self) -> None:
        """Every ratio of the README, and the machine, is from that page's run."""
        page = (DOCS / "benchmarks.md").read_text()
        readme = (DOCS.parent / "README.md").read_text()
        quoted = readme.partition("### How fast")[2].partition("## Test it")[0]
        ratios = {*re.findall(r"[0-9.]+x\b", quoted)}
        assert len(ratios) > 15
        assert set() == ratios - {*re.findall(r"[0-9.]+x\b", page)}
        assert [] == [line for line in quoted.splitlines() if line[:1] == "|" and line not in page]
        machine = re.search(r"Measured on (.*), [0-9-]+\.", page)
        assert machine is not None
        assert machine[1] in " ".join(quoted.split())

    def test_counts_the_goals(self) -> None:
        """The README says how many goals are missed."""
        page = (DOCS / "benchmarks.md").read_text()
        verdicts = re.findall(r"^\| B\d+ \| (\w+) \|", page, re.MULTILINE)
        assert (12, 5) == (len(verdicts), verdicts.count("missed"))
        readme = " ".join((DOCS.parent / "README.md").read_text().split())
        assert "the five goals that are missed, out of twelve" in readme
