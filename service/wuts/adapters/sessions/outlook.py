"""What becomes of a device when the life of its process has ended."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from wuts.adapters.sessions.ends import End, How
from wuts.domain.state import DeviceState

if TYPE_CHECKING:
    from wuts.adapters.sessions.limits import Limits
    from wuts.adapters.sessions.restarts import Restarts

LASTING: Final = frozenset({DeviceState.CRASH_LOOP, DeviceState.STORE_REFUSED, DeviceState.BANNED})
"""States that a mere new try does not end; a connection does."""

_FINAL: Final = {
    How.LOGGED_OUT: DeviceState.LOGGED_OUT,
    How.REPLACED: DeviceState.REPLACED,
    How.OUTDATED: DeviceState.OUTDATED,
    How.WRONG_ENGINE: DeviceState.CRASH_LOOP,
}
"""Ends after which nothing is tried until someone asks for it."""

_LINK_ENDS: Final = frozenset(
    {How.NOT_LINKED, How.QR_TIMEOUT, How.PAIRING_REFUSED, How.LINK_ABANDONED}
)

_SILENT: Final = frozenset(
    {
        *(How.NOT_LINKED, How.LINK_ABANDONED, How.DISCONNECTED, How.STORE_BUSY),
        *(How.CRASHED, How.HUNG, How.FAILED),
    }
)
"""Ends that explain neither a lasting state nor that a device is not linked."""


@dataclass(frozen=True, slots=True)
class Before:
    """How a device stood when the life ended.

    `unlinked` is its state while it is not linked: NEW or LOGGED_OUT.
    """

    state: DeviceState
    unlinked: DeviceState
    is_wanted: bool
    is_linked: bool
    is_linking: bool
    was_connected: bool
    reason: str
    logged_out_reason: str


@dataclass(frozen=True, slots=True)
class Outlook:
    """The state to show and why, and the seconds until the next try; None: there is none."""

    state: DeviceState
    pause: float | None = None
    reason: str = ""


def outlook(end: End, before: Before, limits: Limits, restarts: Restarts) -> Outlook:
    """Decides what comes next; counts the failure in `restarts`."""
    then = _next(end, before, limits, restarts)
    return replace(then, reason=_reason(end, before, then.state))


def _next(end: End, before: Before, limits: Limits, restarts: Restarts) -> Outlook:
    if end.how in _FINAL:
        return Outlook(_FINAL[end.how])
    if end.how in _LINK_ENDS:
        return Outlook(before.unlinked)
    if end.how == How.DISCONNECTED:
        return Outlook(DeviceState.DISCONNECTED if before.is_linked else before.unlinked)
    if end.how == How.BANNED:
        seconds = min(end.ban_seconds or limits.ban_seconds, limits.ban_cap_seconds)
        return Outlook(DeviceState.BANNED, seconds)
    if end.how == How.STORE_REFUSED:
        return Outlook(DeviceState.STORE_REFUSED, limits.store_retry_seconds)
    return _after_loss(end, before, limits, restarts)


def _after_loss(end: End, before: Before, limits: Limits, restarts: Restarts) -> Outlook:
    loops = end.how == How.CRASHED and restarts.note_death()
    if loops or before.state == DeviceState.CRASH_LOOP:
        return Outlook(DeviceState.CRASH_LOOP, limits.slow_retry_seconds)
    pause = 0.0 if end.how in {How.RECYCLED, How.RENEWED} else restarts.pause()
    if before.state in LASTING:
        return Outlook(before.state, pause)
    if before.is_wanted:
        lost = before.was_connected
        return Outlook(DeviceState.RECONNECTING if lost else DeviceState.CONNECTING, pause)
    # A process that died while linking is replaced, and shows new codes.
    if before.is_linking and end.links_on:
        return Outlook(DeviceState.LINKING, pause)
    return Outlook(before.unlinked)


def _reason(end: End, before: Before, state: DeviceState) -> str:
    """Keeps an older reason where the end says nothing new of the state."""
    if end.how not in _SILENT or state not in LASTING | {before.unlinked}:
        return end.reason
    if state == before.state:
        return before.reason
    if state in LASTING:
        return end.reason  # of the death that made a crash loop
    return before.logged_out_reason if state == DeviceState.LOGGED_OUT else ""
