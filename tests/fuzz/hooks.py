"""What schemathesis loads: it asks here whether a report is a failure."""

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
from fuzz import tolerated

if TYPE_CHECKING:
    from schemathesis import Case, HookContext, Response
    from schemathesis.core.failures import Failure

_TALLY: Counter[str] = Counter()


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
