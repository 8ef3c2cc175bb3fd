"""Resolves the hashed requirement files anew from pyproject.toml."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
CHOICES = {
    "build": "--group={project}:build",
    "service": "--extra=gateway",
    "sandbox": "--extra=sandbox",
    "test": "--extra=test",
}


def lock(name: str, choice: str) -> None:
    """Writes requirements/<name>.txt for every platform; without any index address."""
    project = HERE.parent / "pyproject.toml"
    wanted = [choice.format(project=project)]
    if choice.startswith("--extra"):
        wanted.append(str(project))
    command = [
        *(sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--upgrade"),
        *("--universal", "--python-version", "3.11", "--generate-hashes"),
        *("--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"),
        *(f"--output-file={HERE / name}.txt", *wanted),
    ]
    subprocess.run(command, check=True)  # fixed words only


if __name__ == "__main__":
    for name, choice in CHOICES.items():
        print(f"locking {name} ...")  # progress
        lock(name, choice)
