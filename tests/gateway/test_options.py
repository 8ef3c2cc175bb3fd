"""The settings of the launcher: options, variables, and what is no value."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from .certificates import make_pair
from .exchange import over_http1
from .probes import Probe
from .running import LAUNCH, ROOT, running_gateway

if TYPE_CHECKING:
    from pathlib import Path

_PREFIX = "WUTS_GATEWAY_"
_FLAGS = {"--help", "--check", "--die-with-parent"}  # of the command line only


def _launch(*options: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(_PREFIX)}
    return subprocess.run(
        [sys.executable, LAUNCH, *options],
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
        env=environment | {f"{_PREFIX}{name}": value for name, value in variables.items()},
    )


def _options() -> set[str]:
    return set(re.findall(r"--[a-z-]+", _launch("--help").stdout.partition("Each option")[0]))


class TestOptions:
    """The command line."""

    def test_documented(self) -> None:
        """README names every option, and its variable."""
        readme = (ROOT / "gateway" / "README.md").read_text()
        variables = {f"{option[2:].replace('-', '_').upper()}`" for option in _options() - _FLAGS}
        assert [option for option in _options() - {"--help"} if f"`{option}`" not in readme] == []
        assert [variable for variable in variables if variable not in readme] == []

    @pytest.mark.parametrize(
        ("option", "value", "reason"),
        [
            ("--http-port", "65536", "65536 is no port: write a number from 0 to 65535"),
            ("--grpc-port", "²", "² is no port: write a number from 0 to 65535"),
            ("--listen", "localhost", "localhost is no IP address"),
            ("--rate", "-1", "-1 is no number from 0 to 1000000"),
            ("--burst", "many", "many is no number from 0 to 1000000"),
            ("--allowed-origins", "*", "* is no origin: write https://host or https://host:port"),
            ("--allowed-origins", "https://a.example, https://b.example/", "https://b.example/ is"),
            ("--allowed-origins", "https://a.example|.*", "https://a.example|.* is no origin"),
            ("--otlp-endpoint", "https://x", "https://x is no collector: write http://host:4318"),
            ("--otlp-endpoint", "http://x:99999", "http://x:99999 is no collector"),
            ("--otlp-endpoint", "http://u:p@x", "http://u:p@x is no collector"),
        ],
    )
    def test_no_value(self, option: str, value: str, reason: str) -> None:
        """Says what a value must be, by option and by variable."""
        name = option[2:].replace("-", "_").upper()
        for ended in (_launch(f"{option}={value}"), _launch(**{name: value})):
            assert (ended.returncode, f"argument {option}: {reason}" in ended.stderr) == (2, True)


class TestVariables:
    """The environment."""

    def test_read(self, folder: Path) -> None:
        """A variable is as good as its option."""
        ended = _launch(LISTEN="0.0.0.0", ADMIN=str(folder / "admin"))
        assert ended.stderr.startswith("gateway: other machines reach 0.0.0.0: ")

    def test_the_option_wins(self, folder: Path) -> None:
        """An option is heard, whatever the variable says."""
        address, socket = ("--listen", "127.0.0.1"), ("--admin", folder / "admin")
        assert _launch(*address, *socket, "--check", LISTEN="0.0.0.0").returncode == 0

    def test_empty(self, folder: Path) -> None:
        """An empty variable is none."""
        none = {"RATE": "", "TLS_KEY": "", "OTLP_ENDPOINT": "", "ALLOWED_ORIGINS": ""}
        ended = _launch("--admin", folder / "admin", "--check", **none, INSECURE="", HTTP_PORT="")
        assert ended.returncode == 0

    @pytest.mark.parametrize(("value", "status"), [("true", 0), ("1", 0), ("false", 1), ("0", 1)])
    def test_flags(self, folder: Path, value: str, status: int) -> None:
        """A flag is true or false."""
        options = ("--listen", "::", "--admin", folder / "admin", "--check")
        assert _launch(*options, INSECURE=value).returncode == status

    def test_no_flag(self) -> None:
        """Anything else is refused."""
        ended = _launch(INSECURE="maybe")
        reason = "WUTS_GATEWAY_INSECURE is neither true nor false"
        assert (ended.returncode, ended.stderr.strip().endswith(reason)) == (2, True)


class TestParts:
    """What only some settings bring into the configuration."""

    def test_all_of_them(self, folder: Path) -> None:
        """Validates with every part, and writes nothing."""
        pair = make_pair(folder, "a")
        before = set(folder.iterdir())
        ended = _launch(
            *("--tls-certificate", pair.certificate, "--tls-key", pair.key, "--listen", "::"),
            *("--allowed-origins", "https://a.example", "--otlp-endpoint", "http://[::1]:4318"),
            *("--rate", "5", "--burst", "1", "--check", "--admin", folder / "admin"),
        )
        assert (ended.returncode, set(folder.iterdir())) == (0, before)

    def test_none_of_them(self, folder: Path) -> None:
        """Validates without any part."""
        assert _launch("--rate", "0", "--check", "--admin", folder / "admin").returncode == 0

    def test_the_file_for_tls(self, service_port: int, folder: Path) -> None:
        """Names certificate and key in a file for the owner only, which holds neither."""
        pair = make_pair(folder, "a")
        options = ("--tls-certificate", pair.certificate, "--tls-key", pair.key)
        with running_gateway(service_port, folder, *options):
            written = folder / "admin.tls.json"
            mode, text = stat.S_IMODE(written.stat().st_mode), written.read_text()
        assert (mode, str(pair.key) in text, "PRIVATE" in text) == (0o600, True, False)

    def test_ipv6(self, service_port: int, folder: Path) -> None:
        """Listens on an IPv6 address, and on no other."""
        with running_gateway(service_port, folder, "--listen", "::1") as gateway:
            with pytest.raises(ConnectionRefusedError):
                over_http1(gateway.port, Probe("", "/contacts"))
            assert gateway.process.poll() is None
