"""TLS: what is spoken, how the certificate changes, and what is refused."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import httpx
import pytest
from cryptography import x509

from wuts.contacts.v1.contacts_service_pb2 import ListContactsRequest
from wuts.contacts.v1.contacts_service_pb2_grpc import ContactsServiceStub

from .certificates import Pair, make_pair
from .probes import AUTH
from .running import LAUNCH, Gateway, running_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

_PATIENCE = 10.0  # seconds for Envoy to see a new certificate


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """Makes the certificate that the gateway begins with."""
    with tempfile.TemporaryDirectory(prefix="wuts") as path:
        yield make_pair(Path(path), "first")


@pytest.fixture(scope="module")
def secure(service_port: int, pair: Pair) -> Iterator[Gateway]:
    """Runs the gateway with TLS."""
    options = ("--tls-certificate", pair.certificate, "--tls-key", pair.key)
    with (
        tempfile.TemporaryDirectory(prefix="wuts") as path,
        running_gateway(service_port, Path(path), *options) as running,
    ):
        yield running


def _speak(port: int, version: ssl.TLSVersion, *protocols: str) -> ssl.SSLSocket:
    """Shakes hands in exactly this version; the certificate is looked at elsewhere."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    context.set_alpn_protocols(list(protocols))
    plain = socket.create_connection(("127.0.0.1", port), timeout=5)
    try:
        return context.wrap_socket(plain)
    except OSError:
        plain.close()
        raise


def _name_of_certificate(port: int) -> str:
    with _speak(port, ssl.TLSVersion.TLSv1_3) as spoken:
        certificate = x509.load_der_x509_certificate(spoken.getpeercert(binary_form=True) or b"")
    return certificate.subject.rfc4514_string()


class TestListener:
    """The port, spoken to by TLS."""

    @pytest.mark.parametrize("http2", [True, False])
    def test_json(self, secure: Gateway, pair: Pair, *, http2: bool) -> None:
        """Serves JSON over HTTP/2 and HTTP/1.1, and asks browsers to stay with TLS."""
        trust = ssl.create_default_context(cafile=pair.certificate)
        with httpx.Client(http1=not http2, http2=http2, verify=trust, trust_env=False) as client:
            reply = client.get(f"https://127.0.0.1:{secure.port}/contacts", headers=dict(AUTH))
        assert (reply.status_code, reply.http_version) == (200, "HTTP/2" if http2 else "HTTP/1.1")
        assert reply.headers["strict-transport-security"] == "max-age=31536000"

    def test_native(self, secure: Gateway, pair: Pair) -> None:
        """Serves native gRPC."""
        trust = grpc.ssl_channel_credentials(pair.certificate.read_bytes())
        with grpc.secure_channel(f"127.0.0.1:{secure.port}", trust) as channel:
            stub = ContactsServiceStub(channel)
            response = stub.ListContacts(ListContactsRequest(), metadata=AUTH, timeout=5)
        assert response.count == 2

    @pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
    @pytest.mark.parametrize("protocol", ["h2", "http/1.1"])
    def test_versions(self, secure: Gateway, version: ssl.TLSVersion, protocol: str) -> None:
        """Speaks TLS 1.2 and 1.3, and agrees on a version of HTTP."""
        with _speak(secure.port, version, protocol) as spoken:
            assert spoken.selected_alpn_protocol() == protocol

    @pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
    @pytest.mark.parametrize("name", ["TLSv1", "TLSv1_1"])
    def test_old_versions(self, secure: Gateway, name: str) -> None:
        """Refuses older ones."""
        with pytest.raises(ssl.SSLError) as caught:
            _speak(secure.port, ssl.TLSVersion[name], "h2").close()
        assert caught.value.reason == "TLSV1_ALERT_PROTOCOL_VERSION"

    def test_without_tls(self, secure: Gateway) -> None:
        """Answers nothing to callers without TLS."""
        with socket.create_connection(("127.0.0.1", secure.port), timeout=5) as plain:
            plain.sendall(b"GET /contacts HTTP/1.1\r\nhost: x\r\n\r\n")
            assert plain.recv(100) == b""

    def test_no_hsts_without_tls(self, gateway: Gateway) -> None:
        """Says nothing of TLS where none is spoken."""
        reply = httpx.get(f"http://127.0.0.1:{gateway.port}/contacts", trust_env=False)
        assert "strict-transport-security" not in reply.headers


class TestReload:
    """A certificate that is replaced while the gateway runs."""

    def test_a_new_certificate(self, service_port: int, folder: Path) -> None:
        """Is shown to new callers without a restart; calls on old connections go on."""
        pair, later = make_pair(folder, "now"), make_pair(folder, "later")
        options = ("--tls-certificate", pair.certificate, "--tls-key", pair.key)
        with running_gateway(service_port, folder, *options) as gateway:
            assert _name_of_certificate(gateway.port) == "CN=now"
            with httpx.Client(verify=False, trust_env=False) as client:  # noqa: S501 - it changes
                url = f"https://127.0.0.1:{gateway.port}/contacts"
                before = client.get(url, headers=dict(AUTH)).status_code
                pair.replace_with(later)
                self._wait_for("CN=later", gateway)
                after = client.get(url, headers=dict(AUTH)).status_code
            assert (before, after, gateway.process.poll()) == (200, 200, None)

    def test_a_broken_certificate(self, service_port: int, folder: Path) -> None:
        """Is not taken: the old one stays until a good one comes."""
        pair, later = make_pair(folder, "now"), make_pair(folder, "later")
        broken = Pair(folder / "broken.crt", folder / "broken.key")
        broken.certificate.write_text("no certificate")
        broken.key.write_text("no key")
        options = ("--tls-certificate", pair.certificate, "--tls-key", pair.key)
        with running_gateway(service_port, folder, *options) as gateway:
            pair.replace_with(broken)
            assert _name_of_certificate(gateway.port) == "CN=now"
            pair.replace_with(later)
            self._wait_for("CN=later", gateway)
            assert gateway.process.poll() is None

    def _wait_for(self, name: str, gateway: Gateway) -> None:
        end = time.monotonic() + _PATIENCE
        while _name_of_certificate(gateway.port) != name:
            assert time.monotonic() < end, "the certificate did not change"


class TestRefusals:
    """What the launcher does not begin with."""

    @staticmethod
    def _refusal(folder: Path, *options: str | Path) -> str:
        command = [
            sys.executable,
            LAUNCH,
            "--admin",
            folder / "admin",
            "--http-port",
            "0",
            *options,
        ]
        ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)
        assert ended.returncode == 1
        return ended.stderr

    @pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.1"])
    def test_open_door(self, folder: Path, address: str) -> None:
        """Listening where other machines reach it takes TLS, or the express wish."""
        reason = (
            f"gateway: other machines reach {address}: give --tls-certificate and --tls-key, or "
            "--insecure where something in front speaks TLS\n"
        )
        assert self._refusal(folder, "--listen", address) == reason

    @pytest.mark.parametrize("option", ["--tls-certificate", "--tls-key"])
    def test_half_of_it(self, folder: Path, option: str) -> None:
        """A certificate without a key, or the other way round, is a mistake."""
        reason = "gateway: --tls-certificate and --tls-key are given together or not at all\n"
        assert self._refusal(folder, option, "x") == reason

    def test_missing(self, folder: Path) -> None:
        """A file that is not there is named."""
        pair = make_pair(folder, "a")
        pair.key.unlink()
        found = self._refusal(folder, "--tls-certificate", pair.certificate, "--tls-key", pair.key)
        assert found == f"gateway: cannot read {pair.key}: No such file or directory\n"

    def test_of_another(self, folder: Path) -> None:
        """A key must be that of the certificate."""
        one, other = make_pair(folder, "a"), make_pair(folder, "b")
        found = self._refusal(folder, "--tls-certificate", one.certificate, "--tls-key", other.key)
        reason = f"cannot use {one.certificate} with {other.key}: key values mismatch"
        assert found == f"gateway: {reason}\n"

    def test_no_certificate(self, folder: Path) -> None:
        """A file that holds something else is refused."""
        pair = make_pair(folder, "a")
        pair.certificate.write_text("x")
        found = self._refusal(folder, "--tls-certificate", pair.certificate, "--tls-key", pair.key)
        assert found.startswith(f"gateway: cannot use {pair.certificate} with {pair.key}: ")


class TestOpenDoor:
    """Listening beyond loopback."""

    def test_insecure(self, service_port: int, folder: Path) -> None:
        """Listens on every address when told that something in front speaks TLS."""
        options = ("--listen", "0.0.0.0", "--insecure")
        with (
            running_gateway(service_port, folder, *options) as gateway,
            socket.create_connection(("127.0.0.2", gateway.port), timeout=5) as other,
        ):
            assert other.getpeername() == ("127.0.0.2", gateway.port)

    def test_tls(self, service_port: int, folder: Path) -> None:
        """Listens on every address with TLS."""
        pair = make_pair(folder, "a")
        options = ("--tls-certificate", pair.certificate, "--tls-key", pair.key)
        with (
            running_gateway(service_port, folder, "--listen", "0.0.0.0", *options) as gateway,
            socket.create_connection(("127.0.0.2", gateway.port), timeout=5) as other,
        ):
            assert other.getpeername() == ("127.0.0.2", gateway.port)
