"""What is shipped for an operator's machine: units, image and compose file."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
BIN = Path(sys.executable).parent
UNITS = ("wuts.service", "wuts-gateway.service")
EXPOSURE_LIMIT = "20"
"""systemd's own measure, times ten: 0 is locked up, 100 is exposed."""

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="this machine has no systemd to ask"
)


def _run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


def _unit_on_this_machine(name: str, directory: Path) -> Path:
    """Copies a unit; its programs are replaced by ones that exist here."""
    text = (DEPLOY / "systemd" / name).read_text()
    copy = directory / name
    copy.write_text(re.sub(r"/opt/wuts/\.venv/bin/\w+", "/bin/true", text))
    return copy


class TestUnits:
    """The systemd units."""

    @needs_systemd
    def test_are_understood_by_systemd(self, tmp_path: Path) -> None:
        """Systemd reads both units without a complaint."""
        found = _run(
            "systemd-analyze", "verify", *(_unit_on_this_machine(n, tmp_path) for n in UNITS)
        )
        assert (0, "") == (found.returncode, found.stderr)

    @needs_systemd
    @pytest.mark.parametrize("name", UNITS)
    def test_are_confined(self, name: str, tmp_path: Path) -> None:
        """Systemd rates the confinement of each unit as OK."""
        unit = _unit_on_this_machine(name, tmp_path)
        found = _run(
            *("systemd-analyze", "security", "--offline=yes", "--no-pager"),
            *(f"--threshold={EXPOSURE_LIMIT}", unit),
        )
        assert 0 == found.returncode, found.stdout

    @pytest.mark.parametrize("name", UNITS)
    def test_start_what_there_is(self, name: str) -> None:
        """The command of each unit is one of ours, with options it knows."""
        text = (DEPLOY / "systemd" / name).read_text()
        program, *arguments = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)[0].split()
        own = [argument.replace("/opt/wuts", str(ROOT)) for argument in arguments]
        found = _run(BIN / Path(program).name, *own, "--help")
        assert 0 == found.returncode, found.stderr


class TestImage:
    """The Dockerfile and the compose file; no engine builds them here."""

    def test_dockerfile_passes_the_linter(self) -> None:
        """Hadolint finds nothing in the Dockerfile."""
        found = _run(BIN / "hadolint", DEPLOY / "Dockerfile")
        assert (0, "") == (found.returncode, found.stdout)

    def test_copies_only_what_the_ignore_file_lets_in(self) -> None:
        """Each source of a COPY exists and is allowed into the build."""
        copied = re.findall(
            r"^COPY (?!--from)(.*) \S+$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE
        )
        sources = {source for line in copied for source in line.split()}
        allowed = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
        allowed = [line[1:] for line in allowed if line.startswith("!")]
        assert sources
        assert [] == sorted(s for s in sources if not (ROOT / s).exists())
        assert [] == sorted(
            s for s in sources if not any(s == a or s.startswith(f"{a}/") for a in allowed)
        )

    def test_compose_file_fits_its_schema(self) -> None:
        """The compose file is one, and both services are confined."""
        found = _run(
            *(BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec"),
            DEPLOY / "compose.yaml",
        )
        assert 0 == found.returncode, found.stdout

    def test_gateway_of_the_compose_file_starts(self) -> None:
        """launch.py takes the options that the compose file gives it."""
        text = (DEPLOY / "compose.yaml").read_text()
        given = re.findall(r"^    command: \[(.*)\]$", text, re.MULTILINE)[0]
        arguments = re.findall(r'"([^"]*)"', given)
        found = _run(sys.executable, ROOT / "gateway" / "launch.py", *arguments, "--help")
        known = set(re.findall(r"--[a-z-]+", found.stdout))
        assert 0 == found.returncode
        assert set() == {word for word in arguments if word.startswith("--")} - known
