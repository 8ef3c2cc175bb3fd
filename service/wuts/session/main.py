"""Entry point of the session process."""

from __future__ import annotations

import argparse
import logging
import os
import resource
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from wuts.session import root_key
from wuts.session.process import SessionProcess

if TYPE_CHECKING:
    import ctypes
    from collections.abc import Callable, Sequence

_LOG = logging.getLogger(__name__)


def main(
    argv: Sequence[str] | None = None,
    *,
    prepare_engine: Callable[[ctypes.CDLL], None] = root_key.assert_genuine,
    sandbox: bool = False,
    proxy: str | None = None,
) -> int:
    """Runs one session until the service stops it or goes away.

    `prepare_engine` sees the engine's library right after it is loaded and may
    raise to refuse it. `proxy` is used beside what the environment says. Ends
    the process itself once the engine is loaded, and returns an exit code only
    when it never came that far.
    """
    options = _options(argv)
    _harden(options.directory)
    try:
        process = SessionProcess(options.fd, sandbox=sandbox, proxy=proxy)
        process.run(prepare_engine)
    except Exception:  # noqa: BLE001 # the exit code is all the service may see
        _LOG.exception("session failed to start")
        return 1


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="wuts.session", description=__doc__, allow_abbrev=False)
    parser.add_argument("--directory", type=Path, required=True, help="the device's directory")
    parser.add_argument("--fd", type=int, required=True, help="the inherited socket's number")
    return parser.parse_args(argv)


def _harden(directory: Path) -> None:
    """Keeps the store's keys inside its directory, and the process easy to end."""
    os.umask(0o077)
    # A crash of Go must not write the process's memory, keys included, to disk.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Also makes the store's path a bare name: the engine puts it into a URI.
    os.chdir(directory)
    # Python's own handler would leave neonize's threads running for ever.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(line_buffering=True)
