"""The walls that import contracts cannot express, read off the sources."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

SERVICE = Path(__file__).resolve().parents[2] / "service"


def imports(path: Path) -> set[str]:
    """The top-level names that a module imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def modules(*rooms: str) -> list[Path]:
    """All modules of rooms of the product."""
    return [path for room in rooms for path in sorted((SERVICE / "wuts" / room).rglob("*.py"))]


def names(paths: list[Path]) -> set[str]:
    """Paths below service/wuts."""
    return {str(path.relative_to(SERVICE / "wuts")) for path in paths}


class TestWalls:
    """One place each for what is foreign."""

    def test_one_place_knows_neonize(self) -> None:
        """Only the engine of the session room, and what it is asked, import neonize."""
        knowing = [path for path in modules("") if "neonize" in imports(path)]
        assert {"session/engine.py", "session/questions.py"} == names(knowing)

    def test_the_inner_rooms_need_the_standard_library_only(self) -> None:
        """Domain, use cases and ports import nothing foreign at all."""
        inner = [*modules("domain", "usecases"), SERVICE / "wuts" / "ports.py"]
        foreign = set.union(*map(imports, inner)) - sys.stdlib_module_names
        assert {"wuts"} == foreign

    def test_whatsmeows_tables_are_known_in_one_place(self) -> None:
        """Outside the store adapter (and the child's own check) no table of whatsmeow is named."""
        table = re.compile(r"whatsmeow_(?!people|tables|store)[a-z]")
        knowing = [path for path in modules("") if table.search(path.read_text())]
        assert {"adapters/whatsmeow_tables.py", "session/store.py"} == names(knowing)
