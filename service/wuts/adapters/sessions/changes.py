"""Passes on what WhatsApp says has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable

    from wuts.domain.caller import DeviceId
    from wuts.domain.enquiry import Change

_LOG = structlog.get_logger(__name__)


class Changes:
    """Calls the one listener, if there is one, and holds nothing back for it."""

    def __init__(self) -> None:
        self._on_change: Callable[[DeviceId, Change], None] | None = None

    def listen(self, on_change: Callable[[DeviceId, Change], None]) -> None:
        """Has `on_change` called from now on."""
        self._on_change = on_change

    def tell(self, device: DeviceId, change: Change) -> None:
        """Tells of a change; what the listener makes of it harms nobody."""
        if self._on_change is None:
            return
        try:
            self._on_change(device, change)
        except Exception as error:  # noqa: BLE001 # the session must outlive its listener
            # The text may hold a JID.
            _LOG.error("change is not heard", device=device, error=type(error).__name__)
