"""What can be chosen about the gateway: options of the command line, or variables."""

from __future__ import annotations

import argparse
import ipaddress
import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
_LAST_PORT = 65535
_MOST = 1_000_000  # requests a second; more is no limit
_COLLECTOR_PORT = 4318  # OTLP over HTTP
_ORIGIN = re.compile(r"https?://[a-z0-9.\[\]:-]+")
_PREFIX = "WUTS_GATEWAY_"
_NO = ("", "0", "false")
_YES = ("1", "true")


@dataclass(frozen=True)
class Collector:
    """Where spans are sent: OTLP over plain HTTP."""

    host: str
    port: int
    uri: str


class Options(argparse.Namespace):
    """The choices, checked one by one; whether they fit together is the launcher's business."""

    listen: str
    http_port: int
    grpc_port: int
    admin: Path
    access_log: Path
    tls_certificate: Path | None
    tls_key: Path | None
    insecure: bool
    allowed_origins: tuple[str, ...]
    rate: int
    burst: int
    otlp_endpoint: Collector | None
    die_with_parent: bool
    config: Path
    check: bool


def read_options(arguments: list[str] | None) -> Options:
    """Reads the command line, then the environment; ends with status 2 on what is no value."""
    parser = _Parser(
        prog="launch.py",
        description="Starts the gateway: Envoy in front of the gRPC service.",
        epilog=f"Each option that takes a value, and --insecure, may be a variable instead: "
        f"{_PREFIX}HTTP_PORT for --http-port. The option wins; an empty variable is none.",
    )
    _add_doors(parser)
    _add_edge(parser)
    _add_watching(parser)
    parser.add_argument("--check", action="store_true", help="validate the configuration and end")
    return parser.parse_args(arguments, Options())


class _Parser(argparse.ArgumentParser):
    """A parser whose options may be variables of the environment as well."""

    def value(self, option: str, default: str, **more: object) -> None:
        """Adds an option that takes a value; its default is read like a value."""
        given = os.environ.get(_variable(option)) or default
        self.add_argument(option, default=given, **more)  # type: ignore[arg-type]  # argparse's own keywords

    def flag(self, option: str, explanation: str) -> None:
        """Adds an option that is there or not."""
        given = os.environ.get(_variable(option), "").lower()
        if given not in (*_NO, *_YES):
            self.error(f"{_variable(option)} is neither true nor false")
        self.add_argument(option, action="store_true", default=given in _YES, help=explanation)


def _variable(option: str) -> str:
    return _PREFIX + option.removeprefix("--").replace("-", "_").upper()


def _add_doors(parser: _Parser) -> None:
    parser.value(
        "--listen",
        "127.0.0.1",
        type=_address,
        metavar="ADDRESS",
        help="the address to listen on (default 127.0.0.1); one that other machines reach needs "
        "TLS, or --insecure",
    )
    parser.value(
        "--http-port",
        "8080",
        type=_port,
        metavar="PORT",
        help="where JSON, gRPC and gRPC-Web are served (default 8080; 0: any free port, which "
        "admin.py tells)",
    )
    parser.value(
        "--grpc-port",
        "50051",
        type=_port,
        metavar="PORT",
        help="where the service listens on 127.0.0.1 (default 50051)",
    )
    parser.value(
        "--admin",
        "envoy-admin.sock",
        type=Path,
        metavar="SOCKET",
        help="Unix socket for Envoy's admin pages, made with mode 0600 (default envoy-admin.sock)",
    )


def _add_edge(parser: _Parser) -> None:
    file = {"type": _optional_path, "metavar": "FILE"}
    parser.value(
        "--tls-certificate",
        "",
        **file,
        help="certificate chain (PEM) to speak TLS with; read anew when it is replaced by rename",
    )
    parser.value("--tls-key", "", **file, help="its private key (PEM, not encrypted)")
    parser.flag("--insecure", "listen beyond loopback without TLS: something in front speaks it")
    parser.value(
        "--allowed-origins",
        "",
        type=_origins,
        metavar="ORIGINS",
        help="web origins whose pages may call, parted by commas, such as https://app.example "
        "(default: none)",
    )
    parser.value(
        "--rate",
        "200",
        type=_number,
        metavar="N",
        help="requests a second that one token may make (default 200; 0: no limit)",
    )
    parser.value(
        "--burst",
        "1000",
        type=_number,
        metavar="N",
        help="requests that a token may make at once after a pause (default 1000)",
    )


def _add_watching(parser: _Parser) -> None:
    parser.value(
        "--access-log",
        "/dev/stdout",
        type=Path,
        metavar="PATH",
        help="where one JSON object a request is appended (default: standard output)",
    )
    parser.value(
        "--otlp-endpoint",
        "",
        type=_collector,
        metavar="URL",
        help="OpenTelemetry collector that spans are sent to by OTLP over HTTP, such as "
        "http://127.0.0.1:4318 (default: none)",
    )
    parser.add_argument(
        "--die-with-parent",
        action="store_true",
        help="end when the process that started this one ends (Linux)",
    )
    parser.value(
        "--config",
        str(ROOT / "envoy.yaml"),
        type=Path,
        metavar="FILE",
        help="another template than the project's envoy.yaml",
    )


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > _LAST_PORT:
        message = f"{text} is no port: write a number from 0 to {_LAST_PORT}"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > _MOST:
        message = f"{text} is no number from 0 to {_MOST}"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        message = f"{text} is no IP address"
        raise argparse.ArgumentTypeError(message) from None


def _optional_path(text: str) -> Path | None:
    return Path(text) if text else None


def _origins(text: str) -> tuple[str, ...]:
    origins = tuple(part.strip() for part in text.split(",") if part.strip())
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            message = f"{origin} is no origin: write https://host or https://host:port"
            raise argparse.ArgumentTypeError(message)
    return origins


def _collector(text: str) -> Collector | None:
    if not text:
        return None
    url = urlsplit(text)
    try:
        host, port = url.hostname, url.port or _COLLECTOR_PORT
    except ValueError:
        host, port = None, 0
    if url.scheme != "http" or not host or url.username or url.query or url.fragment:
        message = f"{text} is no collector: write http://host:{_COLLECTOR_PORT}"
        raise argparse.ArgumentTypeError(message)
    path, name = url.path.rstrip("/") or "/v1/traces", f"[{host}]" if ":" in host else host
    return Collector(host, port, f"http://{name}:{port}{path}")
