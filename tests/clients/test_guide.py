"""The examples of docs/clients.md, each run as it stands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

import pytest

from .node.install import NODE
from .stage import ROOT

if TYPE_CHECKING:
    from .stage import Stage

_BLOCK = re.compile(r"^```(sh|python|js)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_RUN_BY = {"sh": ("bash", "-euc"), "python": (sys.executable, "-c"), "js": (str(NODE), "-e")}


class _Example(NamedTuple):
    language: str
    text: str
    shows: str


_SHOWN = [
    "Joao Pereira shows no picture",
    "['Maria Silva', 'Joao Pereira'] connected",
    "2",
    '"phone_number": "5511999999999"',
    '"synced": true',
    '"isLoggedIn": true',
    "2",
    "Maria Silva\nJoao Pereira",
    "Maria Silva\nJoao Pereira",
    "complete",
]
_BLOCKS = _BLOCK.findall((ROOT / "docs" / "clients.md").read_text())
_EXAMPLES = [
    _Example(language, text, shows) for (language, text), shows in zip(_BLOCKS, _SHOWN, strict=True)
]


class TestGuide:
    """What the guide shows works."""

    @pytest.mark.parametrize("example", _EXAMPLES, ids=lambda example: example.language)
    def test_example(self, stage: Stage, example: _Example) -> None:
        """Each example succeeds and prints what it is for."""
        done = subprocess.run(
            [*_RUN_BY[example.language], example.text.replace("127.0.0.1:8080", stage.gateway)],
            cwd=ROOT,
            capture_output=True,
            check=False,
            text=True,
            timeout=20,
            env={
                **os.environ,
                "TOKEN": stage.token,
                "NODE_PATH": str(ROOT / ".venv" / "node" / "node_modules"),
                "BUF_CACHE_DIR": str(ROOT / ".venv" / "buf"),
            },
        )
        assert 0 == done.returncode, done.stderr
        assert example.shows in done.stdout
