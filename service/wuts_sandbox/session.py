"""Runs the session child of `wuts` against an emulator instead of WhatsApp.

`python -m wuts_sandbox.session --proxy URL --ca FILE --noise-root HEX [arguments of the child]`

The engine reads its environment when the process image starts, so the first run of this module
checks the guards and replaces the image by itself with a minimal environment (same process, same
inherited descriptors); the second run checks them again and becomes the session child.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from wuts_sandbox import guards

if TYPE_CHECKING:
    import ctypes
    from collections.abc import Mapping, Sequence

STAGE = "WUTS_SANDBOX_STAGE"
SECOND = "2"
KEPT = (
    "COVERAGE_PROCESS_CONFIG",
    "COVERAGE_PROCESS_START",
    "HOME",
    "LANG",
    "LC_ALL",
    "PATH",
    "PYTHONPATH",
    "PYTHONSAFEPATH",
    "TMPDIR",
    "TZ",
)
"""What the second run inherits; the coverage variables let tests measure it."""

ROOT_SIZE = 32
EXIT_REFUSED = 78
"""EX_CONFIG: starting again will not help."""


class Arguments(argparse.Namespace):
    """What this module needs itself; everything else goes to the session child."""

    proxy: str
    ca: Path
    noise_root: bytes
    directory: Path


def main(argv: Sequence[str] | None = None) -> int:
    """Checks the guards and becomes the session child; returns its exit status."""
    given = list(sys.argv[1:] if argv is None else argv)
    arguments, _ = _parser().parse_known_args(given, namespace=Arguments())
    try:
        guards.check_proxy(arguments.proxy)
        guards.check_authority(arguments.ca)
        guards.check_store(arguments.directory)
        if os.environ.get(STAGE) != SECOND:
            _start_again(arguments, given)
        guards.check_environment(os.environ, ca=arguments.ca)
    except guards.GuardError as error:
        sys.stderr.write(f"wuts-sandbox: {error}\n")
        return EXIT_REFUSED
    return _become_child(arguments, given)


def minimal_environment(environment: Mapping[str, str], *, proxy: str, ca: Path) -> dict[str, str]:
    """Returns the environment of the second run: an allow-list and the emulator's variables."""
    kept = {name: environment[name] for name in KEPT if name in environment}
    return {
        **kept,
        "HTTPS_PROXY": proxy,
        "https_proxy": proxy,
        "SSL_CERT_FILE": str(ca),
        "SSL_CERT_DIR": guards.NO_SYSTEM_CAS,
        STAGE: SECOND,
    }


def child_arguments(given: Sequence[str]) -> list[str]:
    """Returns the arguments without those that only the sandbox knows."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    _add_own(parser)
    return parser.parse_known_args(given)[1]


def _start_again(arguments: Arguments, given: Sequence[str]) -> None:
    environment = minimal_environment(os.environ, proxy=arguments.proxy, ca=arguments.ca)
    command = [sys.executable, "-m", "wuts_sandbox.session", *given]
    os.execve(sys.executable, command, environment)  # noqa: S606  # the same interpreter, no shell


def _become_child(arguments: Arguments, given: Sequence[str]) -> int:
    from wuts.session import main as child  # noqa: PLC0415  # only the second run needs it
    from wuts_sandbox.root_patch import replace_root  # noqa: PLC0415  # likewise

    def trust_emulator(library: ctypes.CDLL) -> None:
        replace_root(library, arguments.noise_root, ca=arguments.ca, environment=dict(os.environ))

    return child.main(
        child_arguments(given),
        prepare_engine=trust_emulator,
        sandbox=True,
        proxy=arguments.proxy,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m wuts_sandbox.session",
        description="Runs the session child against a loopback emulator.",
        allow_abbrev=False,
    )
    _add_own(parser)
    parser.add_argument("--directory", type=Path, required=True, help="the device's store")
    return parser


def _add_own(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--proxy", required=True, help="URL of the emulator, http://127.0.0.1:PORT")
    # The session child changes its working directory before the engine reads the file.
    parser.add_argument("--ca", type=_absolute, required=True, help="the emulator's CA, a PEM file")
    parser.add_argument(
        "--noise-root", type=_root, required=True, help="the emulator's root key, 64 hex digits"
    )


def _absolute(text: str) -> Path:
    return Path(text).absolute()


def _root(text: str) -> bytes:
    root = bytes.fromhex(text)
    if len(root) != ROOT_SIZE:
        message = "a root key has 64 hex digits"
        raise argparse.ArgumentTypeError(message)
    return root


if __name__ == "__main__":
    sys.exit(main())
