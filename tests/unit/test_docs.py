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
