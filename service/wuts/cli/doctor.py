"""`wuts doctor`: looks for what is wrong with an installation."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click
import pydantic

from wuts.adapters.doctor import Expected, Finding, Level, examine
from wuts.cli.administration import data_option, json_option
from wuts.rpc.page_tokens import KEY_BYTES
from wuts.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_COLOURS = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "red"}


@click.command(epilog="\b\nExamples:\n  wuts doctor --data /var/lib/wuts\n  wuts doctor --json")
@data_option
@json_option
def doctor(data: Path, *, as_json: bool) -> None:
    """Check an installation: each check is a line, with a remedy where one is needed.

    Checks modes, schemas and damage of the registry and of every store, the
    port, the disk, the engine's build, the time, and the sandbox marker, with
    the same WUTS_* settings as `serve`. Alters nothing, and may run beside the
    service. Exit code 1 when a check fails; warnings are no failure.
    """
    findings = []
    for finding in _findings(data):
        findings.append(finding)
        if not as_json:
            _show(finding)
    failed = any(finding.level is Level.FAIL for finding in findings)
    if as_json:
        told = {"ok": not failed, "findings": [asdict(finding) for finding in findings]}
        click.echo(json.dumps(told))
    sys.exit(1 if failed else 0)


def _findings(data: Path) -> Iterator[Finding]:
    try:
        settings = Settings()
    except pydantic.ValidationError as error:
        for problem in error.errors():
            name = "_".join(str(part) for part in problem["loc"][:1]).upper()
            message = f"WUTS_{name}: {problem['msg']}"
            yield Finding("settings", Level.FAIL, message, "correct or unset the variable")
        settings = Settings.model_construct()
    expected = Expected(
        host=settings.grpc_host,
        port=settings.grpc_port,
        sandbox=settings.sandbox,
        key_bytes=KEY_BYTES,
    )
    yield from examine(data, expected)


def _show(finding: Finding) -> None:
    level = click.style(f"{finding.level:<4}", fg=_COLOURS[finding.level])
    remedy = f"; remedy: {finding.remedy}" if finding.remedy else ""
    click.echo(f"{level}  {finding.check}: {finding.message}{remedy}")
