"""Tests of the guards that keep the sandbox away from real devices and the real WhatsApp."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from sandbox.running import plain_environment
from wuts_sandbox import guards
from wuts_sandbox.session import EXIT_REFUSED, child_arguments, minimal_environment
from wuts_sandbox.wire.certificates import make_authority

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PROXY = "http://127.0.0.1:4000"


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    """Writes a CA as an emulator makes it."""
    file = tmp_path / "ca.pem"
    file.write_bytes(make_authority().pem)
    return file


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Makes a device's directory in a data directory of the sandbox."""
    data = tmp_path / "data"
    guards.mark_data_directory(data)
    directory = data / "devices" / "one"
    directory.mkdir(parents=True)
    return directory


def passes(check: Callable[[], None]) -> bool:
    """Tells whether a guard lets something pass."""
    try:
        check()
    except guards.GuardError:
        return False
    return True


def make_ca(*, days: int, names: list[str] | None, critical: bool = True) -> bytes:
    """Makes another CA."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "other")])
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=days))
    )
    if names is not None:
        permitted = x509.NameConstraints([x509.DNSName(name) for name in names], None)
        builder = builder.add_extension(permitted, critical=critical)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


class TestProxy:
    """Only a proxy on this machine will do."""

    @pytest.mark.parametrize("proxy", [PROXY, "http://[::1]:4000"])
    def test_loopback(self, proxy: str) -> None:
        """Loopback addresses pass."""
        assert passes(lambda: guards.check_proxy(proxy))

    @pytest.mark.parametrize(
        "proxy",
        ["", "http://10.0.0.1:4000", "http://localhost:4000", "http://127.0.0.1", "socks5://::1:1",
         "https://127.0.0.1:4000", "http://127.0.0.1.example.org:80", "http://127.0.0.1:99999"],
    )  # fmt: skip
    def test_others(self, proxy: str) -> None:
        """Other hosts, names, schemes and missing ports are refused."""
        with pytest.raises(guards.GuardError):
            guards.check_proxy(proxy)


class TestEnvironment:
    """The engine must have no way around the emulator."""

    def test_minimal(self, ca: Path) -> None:
        """The environment that the sandbox makes passes, whatever the parent's was."""
        parent = {"NO_PROXY": "*", "ALL_PROXY": "http://x", "SSL_CERT_FILE": "/x", "PATH": "/bin"}
        environment = minimal_environment(parent, proxy=PROXY, ca=ca)
        assert environment == {
            "PATH": "/bin",
            "HTTPS_PROXY": PROXY,
            "https_proxy": PROXY,
            "SSL_CERT_FILE": str(ca),
            "SSL_CERT_DIR": "/nonexistent",
            "WUTS_SANDBOX_STAGE": "2",
        }
        assert passes(lambda: guards.check_environment(environment, ca=ca))

    @pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"])
    def test_bypasses(self, ca: Path, name: str) -> None:
        """A variable that leads past the proxy is refused, even when it is empty."""
        environment = {**minimal_environment({}, proxy=PROXY, ca=ca), name: ""}
        with pytest.raises(guards.GuardError, match=name):
            guards.check_environment(environment, ca=ca)

    @pytest.mark.parametrize(
        "name", ["HTTPS_PROXY", "https_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR"]
    )
    def test_missing(self, ca: Path, name: str) -> None:
        """Each variable that leads to the emulator must be there."""
        environment = minimal_environment({}, proxy=PROXY, ca=ca)
        del environment[name]
        with pytest.raises(guards.GuardError):
            guards.check_environment(environment, ca=ca)


class TestAuthority:
    """Only a confined and short-lived CA is trusted."""

    def test_own(self, ca: Path) -> None:
        """An emulator's CA passes."""
        assert passes(lambda: guards.check_authority(ca))

    @pytest.mark.parametrize(
        "pem",
        [
            make_ca(days=2, names=None),
            make_ca(days=2, names=["whatsapp.com", "whatsapp.net", "example.org"]),
            make_ca(days=2, names=["whatsapp.com", "whatsapp.net"], critical=False),
            make_ca(days=30, names=["whatsapp.com", "whatsapp.net"]),
            b"nothing",
        ],
    )
    def test_others(self, tmp_path: Path, pem: bytes) -> None:
        """A CA without limits, with others, with weak ones or of long life is refused."""
        (tmp_path / "ca.pem").write_bytes(pem)
        with pytest.raises(guards.GuardError):
            guards.check_authority(tmp_path / "ca.pem")


class TestStore:
    """Only stores that the sandbox made are opened."""

    def test_marked(self, store: Path) -> None:
        """A store below a marked data directory passes."""
        assert passes(lambda: guards.check_store(store))

    def test_unmarked(self, tmp_path: Path) -> None:
        """A store below any other directory is refused."""
        directory = tmp_path / "devices" / "one"
        directory.mkdir(parents=True)
        with pytest.raises(guards.GuardError):
            guards.check_store(directory)

    def test_link_out(self, store: Path, tmp_path: Path) -> None:
        """A link from a marked directory to a real store is refused."""
        real = tmp_path / "real" / "devices" / "two"
        real.mkdir(parents=True)
        link = store.parent / "two"
        link.symlink_to(real)
        with pytest.raises(guards.GuardError):
            guards.check_store(link)

    def test_marking_something_else(self, tmp_path: Path) -> None:
        """A directory that already holds anything is not marked."""
        (tmp_path / "registry.db").touch()
        with pytest.raises(guards.GuardError):
            guards.mark_data_directory(tmp_path)


class TestSession:
    """The session child starts only behind all guards."""

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Runs the child until it refuses."""
        return subprocess.run(  # our own interpreter and module
            [sys.executable, "-m", "wuts_sandbox.session", *arguments],
            env={**plain_environment(), **variables},
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )

    @pytest.mark.parametrize("fault", ["proxy", "ca", "store", "stage"])
    def test_refusals(self, ca: Path, store: Path, tmp_path: Path, fault: str) -> None:
        """Each guard ends the child with one line and exit status 78."""
        ended = self.run(
            "--proxy", "http://10.0.0.1:1" if fault == "proxy" else PROXY,
            "--ca", str(tmp_path / "none.pem") if fault == "ca" else str(ca),
            "--noise-root", "00" * 32,
            "--directory", str(tmp_path) if fault == "store" else str(store),
            "--fd", "0",
            **({"WUTS_SANDBOX_STAGE": "2", "NO_PROXY": "*"} if fault == "stage" else {}),
        )  # fmt: skip
        assert (ended.returncode, ended.stderr.count("\n")) == (EXIT_REFUSED, 1)

    def test_arguments(self) -> None:
        """The child gets its own arguments and none of the sandbox's."""
        given = ["--proxy", PROXY, "--directory", "/d", "--ca", "/c", "--noise-root", "00" * 32]
        assert child_arguments([*given, "--fd", "3"]) == ["--directory", "/d", "--fd", "3"]
