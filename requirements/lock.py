"""Resolves the hashed requirement files anew from pyproject.toml."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
CHOICES = {
    "build": ["--group={project}:build"],
    "client": ["--group={project}:client"],
    "service": ["--extra=gateway", "--extra=traces"],
    "sandbox": ["--extra=sandbox"],
    "test": ["--extra=test"],
}


def lock(name: str, choices: list[str]) -> None:
    """Writes requirements/<name>.txt for every platform; without any index address."""
    project = HERE.parent / "pyproject.toml"
    wanted = [choice.format(project=project) for choice in choices]
    if choices[0].startswith("--extra"):
        wanted.append(str(project))
    command = [
        *(sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--upgrade"),
        *("--universal", "--python-version", "3.11", "--generate-hashes"),
        *("--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"),
        *(f"--output-file={HERE / name}.txt", *wanted),
    ]
    subprocess.run(command, check=True)  # fixed words only


if __name__ == "__main__":
    for name, choices in CHOICES.items():
        print(f"locking {name} ...")  # progress
        lock(name, choices)
