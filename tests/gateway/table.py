"""The whole table of probes. A route joins it by a module of rows, listed here."""

from __future__ import annotations

from .budget_probes import BUDGET_PROBES
from .contact_probes import CONTACT_PROBES
from .device_probes import DEVICE_PROBES
from .entry_probes import ENTRY_PROBES
from .resolve_probes import RESOLVE_PROBES
from .section_probes import SECTION_PROBES
from .stream_probes import STREAM_PROBES
from .token_probes import TOKEN_PROBES
from .wire_probes import WIRE

PROBES = [
    *CONTACT_PROBES,
    *STREAM_PROBES,
    *RESOLVE_PROBES,
    *BUDGET_PROBES,
    *SECTION_PROBES,
    *DEVICE_PROBES,
    *TOKEN_PROBES,
    *ENTRY_PROBES,
]
"""Every request that goes out over HTTP/1.1 and, unless it says otherwise, over HTTP/2."""

__all__ = ["PROBES", "WIRE"]
