"""What most faults have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from faults.observed import Observed

NOT_READY = (503, "DEVICE_NOT_READY")
ANSWER_SECONDS = 6.0
"""A call waits two seconds for a connection; the rest is the share of a busy machine."""
UNDER_WAY_SECONDS = 10.0
"""The first call may be under way when the connection ends: the engine repeats it for 5 s."""

_PATIENCE = 3
# The faults are caused side by side; docs/faults.md has the times of an idle machine.


def assert_told(seen: Observed) -> None:
    """Every call was answered in time: well, or by DEVICE_NOT_READY; the store could be read."""
    assert seen.codes <= {NOT_READY}
    assert all(answer.seconds < ANSWER_SECONDS for answer in seen.answers[1:])
    assert seen.slowest < UNDER_WAY_SECONDS
    assert seen.is_readable


def assert_recovered(seen: Observed, state: str, *, within: float) -> None:
    """The device went through a state, kept its keys, and was back in time by itself."""
    assert_told(seen)
    assert state in seen.states
    assert "CONNECTED" == seen.states[-1]
    assert seen.recovery is not None
    assert seen.recovery < _PATIENCE * within
    assert "kept" == seen.keys
    assert seen.is_complete


def assert_retry_told(seen: Observed) -> None:
    """Whoever was refused was told when to come back."""
    assert seen.failures
    assert all(answer.retry_after >= 1 for answer in seen.failures)
