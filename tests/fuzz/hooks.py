"""What schemathesis loads: a check of its streams, and whether a report is a failure."""

from __future__ import annotations

import atexit
import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import schemathesis

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # schemathesis loads this by its path
from fuzz import description, tolerated

if TYPE_CHECKING:
    from schemathesis import Case, CheckContext, HookContext, Response
    from schemathesis.core.failures import Failure

_TALLY: Counter[str] = Counter()


@schemathesis.check
def lines_conformance(
    ctx: CheckContext,  # noqa: ARG001 - part of the signature
    response: Response,
    case: Case[Any],
) -> None:
    """Holds each line of a stream against the description; schemathesis reads one value only."""
    if "application/x-ndjson" in response.headers.get("content-type", []):
        faults = description.faults_of_lines(case.method, case.operation.path, response.text)
        if faults:
            raise AssertionError("; ".join(faults))


@schemathesis.hook
def filter_failure(
    context: HookContext,  # noqa: ARG001 - part of the signature
    failure: Failure,
    case: Case[Any],
    response: Response,
) -> bool:
    """Tells whether a report is a failure; counts those that are none, by their reasons."""
    reason = tolerated.why(failure, case, response)
    if reason:
        _TALLY[f"{type(failure).__name__}: {reason}"] += 1
    return not reason


@atexit.register
def _write_tally() -> None:
    path = os.environ.get("FUZZ_TALLY")
    if path:
        Path(path).write_text(json.dumps(_TALLY), encoding="utf-8")
