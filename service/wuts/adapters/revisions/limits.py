"""Every bound of the revisions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long and how many; seconds unless the name says otherwise."""

    stale_seconds: float = 5.0
    """How long ago a list may have been last known to be what a caller holds."""
    look_seconds: float = 0.25
    """How long a caller waits for a look at the store; the list is read instead."""
    poll_seconds: float = 1.0
    """The pause between two looks at a watched store."""
    longest_pause_seconds: float = 30.0
    """The same while the store cannot be read; each failure doubles the pause up to this."""
    settle_seconds: float = 3.0
    """From noticing that a store was written to, to comparing its list.

    Together with a look and a short comparison it stays below `stale_seconds`,
    so that a store that is written to all the time is known all the time.
    """
    rest_factor: float = 10.0
    """How many times as long as a comparison worked the device then rests from comparing."""
    pause_factor: float = 1.0
    """How many times as long as a page took nobody's next page is read for a comparison."""
    watch_seconds: float = 600.0
    """How long a device is watched after someone asked."""
    first_look_seconds: float = 60.0
    """The least time between two comparisons for callers of single pages."""
    page: int = 500
    """Contacts that a comparison reads at once."""
    watched: int = 48
    """Devices that are watched; fewer than the stores that may be open."""
    known: int = 1024
    """Devices of which anything is remembered; each takes less than a kilobyte."""
    forget_seconds: float = 5.0
    """How long removing a device waits for a write to end."""
