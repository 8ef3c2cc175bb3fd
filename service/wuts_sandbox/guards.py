"""Keeps the sandbox in the sandbox: refuses everything that could reach or harm a real device."""

from __future__ import annotations

import datetime as dt
import stat
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cryptography import x509

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MARKER = ".wuts-sandbox"
LOOPBACK_HOSTS = ("127.0.0.1", "::1")
PROXY_BYPASSES = ("NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy")
PROXY_VARIABLES = ("HTTPS_PROXY", "https_proxy")
NO_SYSTEM_CAS = "/nonexistent"
DOMAINS = {"whatsapp.com", "whatsapp.net"}
LONGEST_LIFE = dt.timedelta(days=2, hours=2)


class GuardError(RuntimeError):
    """The sandbox refuses to go on; the text is one line and says why."""


def check_proxy(proxy: str) -> None:
    """Refuses a proxy that is not on this machine."""
    try:
        parts = urlsplit(proxy)
        port = parts.port
    except ValueError as error:
        message = "the proxy is no URL"
        raise GuardError(message) from error
    if parts.scheme != "http" or parts.hostname not in LOOPBACK_HOSTS or not port:
        message = f"the proxy must be http://{LOOPBACK_HOSTS[0]}:PORT"
        raise GuardError(message)


def check_environment(environment: Mapping[str, str], *, ca: Path) -> None:
    """Refuses an environment in which the engine could pass the emulator by."""
    for name in PROXY_BYPASSES:
        if name in environment:
            message = f"{name} is set: the engine would not use the loopback proxy"
            raise GuardError(message)
    for name in PROXY_VARIABLES:
        check_proxy(environment.get(name, ""))
    if environment.get("SSL_CERT_FILE") != str(ca):
        message = "SSL_CERT_FILE is not the emulator's CA"
        raise GuardError(message)
    if environment.get("SSL_CERT_DIR") != NO_SYSTEM_CAS:
        message = f"SSL_CERT_DIR is not {NO_SYSTEM_CAS}: the engine would trust the system's CAs"
        raise GuardError(message)


def check_authority(ca: Path) -> None:
    """Refuses a CA file that could vouch for anything but WhatsApp's names, or for long."""
    try:
        certificates = x509.load_pem_x509_certificates(ca.read_bytes())
    except (OSError, ValueError) as error:
        message = f"{ca}: not a readable CA file"
        raise GuardError(message) from error
    for certificate in certificates:
        if certificate.not_valid_after_utc - certificate.not_valid_before_utc > LONGEST_LIFE:
            message = f"{ca}: the CA lives longer than two days"
            raise GuardError(message)
        if _permitted(certificate) != DOMAINS:
            message = f"{ca}: the CA is not confined to WhatsApp's names"
            raise GuardError(message)


def check_store(directory: Path) -> None:
    """Refuses a store outside of a data directory that was made for the sandbox.

    A login that the emulator refuses makes the engine delete its device, so no real device may
    ever be opened here.
    """
    resolved = directory.resolve()
    devices, data = resolved.parent, resolved.parent.parent
    marker = data / MARKER
    marked = not marker.is_symlink() and marker.is_file()
    if devices.name != "devices" or not marked:
        message = f"{directory}: not in the data directory of a sandbox (no {MARKER} found)"
        raise GuardError(message)


def mark_data_directory(data: Path) -> None:
    """Makes a data directory the sandbox's own; refuses one that already holds anything else."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    marker = data / MARKER
    if any(entry.name != MARKER for entry in data.iterdir()) and not marker.is_file():
        message = f"{data}: holds something that was not made by the sandbox"
        raise GuardError(message)
    marker.touch(mode=stat.S_IRUSR | stat.S_IWUSR)


def _permitted(certificate: x509.Certificate) -> set[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.NameConstraints)
    except x509.ExtensionNotFound:
        return set()
    names = found.value.permitted_subtrees or []
    if not found.critical or not all(isinstance(name, x509.DNSName) for name in names):
        return set()
    return {str(name.value) for name in names}
