"""What a session process sees of the service's environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

ALLOWED: Final = (
    "HTTPS_PROXY",  # the engine's way out; Go reads it once, at exec
    "https_proxy",
    "SSL_CERT_FILE",  # the authorities that vouch for WhatsApp, or for a sandbox
    "SSL_CERT_DIR",
    "LANG",
    "LC_ALL",
    "TZ",
    "TMPDIR",  # SQLite's temporary files
    "COVERAGE_PROCESS_CONFIG",  # lets the tests measure the process
    "COVERAGE_PROCESS_START",
)
"""The variables that are handed on, where set.

An allow-list, and NO_PROXY, no_proxy and ALL_PROXY must never be on it: with
one of them inherited the engine passes a sandbox's loopback proxy by and dials
the real WhatsApp. PATH and HOME are not needed.
"""


def child_environment(own: Mapping[str, str]) -> dict[str, str]:
    """Picks the allowed variables and adds what every session process gets."""
    allowed = {name: own[name] for name in ALLOWED if name in own}
    # The working directory is a device's: nothing may be imported from there.
    return {**allowed, "PYTHONSAFEPATH": "1"}
