"""Makes the throw-away certificate authority of one emulator and its only server certificate."""

from __future__ import annotations

import datetime as dt
import os
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

HOSTS = ("web.whatsapp.com", "mmg.whatsapp.net", "pps.whatsapp.net")
DOMAINS = ("whatsapp.com", "whatsapp.net")
LIFE = dt.timedelta(days=2)
CLOCK_SKEW = dt.timedelta(hours=1)


@dataclass(frozen=True)
class Authority:
    """The CA certificate as PEM, and the TLS settings of the server it vouches for."""

    pem: bytes
    tls: ssl.SSLContext


def make_authority() -> Authority:
    """Makes a CA and a server certificate; the CA's key is forgotten on return."""
    ca_key, leaf_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca = _ca_certificate(ca_key)
    leaf = _leaf_certificate(ca, ca_key, leaf_key)
    leaf_pem = leaf_key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    ) + leaf.public_bytes(Encoding.PEM)
    return Authority(pem=ca.public_bytes(Encoding.PEM), tls=_server_context(leaf_pem))


def _ca_certificate(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = _name("wuts sandbox CA")
    constraints = x509.NameConstraints([x509.DNSName(domain) for domain in DOMAINS], None)
    builder = _builder(name, name, key.public_key())
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return builder.add_extension(constraints, critical=True).sign(key, hashes.SHA256())


def _leaf_certificate(
    ca: x509.Certificate,
    ca_key: ec.EllipticCurvePrivateKey,
    leaf_key: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    names = x509.SubjectAlternativeName([x509.DNSName(host) for host in HOSTS])
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    builder = _builder(_name(HOSTS[0]), ca.subject, leaf_key.public_key())
    builder = builder.add_extension(names, critical=False)
    return builder.add_extension(usage, critical=False).sign(ca_key, hashes.SHA256())


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + LIFE)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _server_context(leaf_pem: bytes) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # The ssl module takes keys from files only; this one lives in a private temporary file for
    # the length of one call.
    descriptor, path = tempfile.mkstemp(prefix="wuts-sandbox-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(leaf_pem)
        context.load_cert_chain(path)
    finally:
        Path(path).unlink()
    return context
