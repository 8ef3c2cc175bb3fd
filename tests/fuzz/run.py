"""Sends thousands of requests, made of the description, to a whole sandbox: `make fuzz`.

Every request and every answer is held against gateway/openapi.json, as the gateway serves it. Exit
status 1 when one of them does not fit, or when too few were made.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fuzz.programme import PROGRAMME, world
from sandboxes import ROOT, running, write_world

if TYPE_CHECKING:
    from fuzz.programme import Part
    from sandboxes import Sandbox

_LEAST: Final = 2000  # requests in all
_SECONDS: Final = 360.0  # for everything; a third of it is enough on two idle cores
_SETTINGS: Final = " ".join(
    f"WUTS_BUDGET_{name}='1000000/h burst 1000000'"
    for name in ("NUMBERS", "USERS", "PICTURES", "GROUPS")
)


def main() -> int:
    """Runs all parts and tells what came of them."""
    seed = os.environ.get("FUZZ_SEED") or str(secrets.randbelow(2**32))
    _say(f"fuzz: FUZZ_SEED={seed} makes the same requests again")
    started = time.monotonic()
    made, failed, tolerated = 0, 0, Counter[str]()
    with tempfile.TemporaryDirectory(prefix="wuts-fuzz") as name:
        directory = Path(name)
        people = write_world(directory, world())
        with running(directory, WORLD=people, SETTINGS=_SETTINGS) as sandbox:
            for part in PROGRAMME:
                left = started + _SECONDS - time.monotonic()
                report, tally = _carry_out(part, sandbox, directory, seed, left)
                made += report["test_cases"]["generated"]
                failed += bool(report["exit_code"])
                tolerated += tally
    for reason, count in sorted(tolerated.items()):
        _say(f"  {count:5}  {reason}")
    seconds = time.monotonic() - started
    _say(f"fuzz: {made} requests in {seconds:.0f} s, {failed} of {len(PROGRAMME)} parts failed")
    if made < _LEAST:
        _say(f"fuzz: fewer than {_LEAST} requests were made")
    return int(bool(failed) or made < _LEAST)


def _carry_out(
    part: Part, sandbox: Sandbox, directory: Path, seed: str, seconds: float
) -> tuple[dict[str, Any], Counter[str]]:
    report, tally = directory / f"{part.name}.json", directory / f"{part.name}.tally"
    told = {
        "FUZZ_TOKEN": sandbox.token_of(part.user),
        "FUZZ_EXPECTED": " ".join(part.expected),
        "FUZZ_TALLY": str(tally),
    }
    done = subprocess.run(
        _command(part, sandbox, report, seed),
        cwd=ROOT,
        env={**os.environ, **told},
        timeout=seconds,
        capture_output=True,
        text=True,
        check=False,
    )
    if not report.exists():
        raise SystemExit(f"fuzz: {part.name} ended without a report\n{done.stdout}{done.stderr}")
    result: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    _say(f"{part.name}: {_summary(result)}")
    if result["exit_code"]:
        _say(done.stdout)
    return result, Counter(json.loads(tally.read_text(encoding="utf-8")))


def _command(part: Part, sandbox: Sandbox, report: Path, seed: str) -> list[str]:
    command = [str(Path(sys.executable).parent / "st")]
    command += ["--config-file", "tests/fuzz/schemathesis.toml"]
    command += ["run", f"{sandbox.ready['http']}/openapi.json", "--seed", seed]
    command += ["--max-examples", str(part.examples)]
    command += ["--report", "json", "--report-json-path", str(report), "--warnings", "off"]
    others = [name for other in PROGRAMME for name in other.operations]
    wanted, names = ("include", part.operations) if part.operations else ("exclude", others)
    for name in names:
        command += [f"--{wanted}-operation-id", name]
    return command


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _summary(report: dict[str, Any]) -> str:
    cases, tested = report["test_cases"], report["operations"]["tested"]
    return (
        f"{cases['generated']} requests to {tested} operations in {report['running_time']:.0f} s, "
        f"{cases['unique_failures']} failures"
    )


if __name__ == "__main__":
    sys.exit(main())
