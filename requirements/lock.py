"""Resolves the hashed requirement files anew from pyproject.toml."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
EXTRAS = {
    "build": ("build",),
    "service": ("gateway",),
    "sandbox": ("sandbox",),
    "test": ("test",),
}


def lock(name: str, extras: tuple[str, ...]) -> None:
    """Writes requirements/<name>.txt for every platform; without any index address."""
    command = [
        *(sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--upgrade"),
        *("--universal", "--python-version", "3.11", "--generate-hashes"),
        *("--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"),
        *(f"--extra={extra}" for extra in extras),
        *(f"--output-file={HERE / name}.txt", str(HERE.parent / "pyproject.toml")),
    ]
    subprocess.run(command, check=True)  # fixed words only


if __name__ == "__main__":
    for name, extras in EXTRAS.items():
        print(f"locking {name} ...")  # progress
        lock(name, extras)
