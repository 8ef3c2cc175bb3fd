"""The certificate and the key that Envoy speaks TLS with."""

from __future__ import annotations

import json
import os
import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_KIND = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"


class BadCertificate(Exception):
    """Certificate and key cannot be used; the text says why."""


def check_pair(certificate: Path, key: Path) -> None:
    """Reads both as a server would; raises BadCertificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key, password=_refuse_to_ask)
    except ssl.SSLError as error:
        reason = (error.reason or "no PEM").replace("_", " ").lower()
        raise BadCertificate(f"cannot use {certificate} with {key}: {reason}") from error
    except OSError as error:
        missing = next((p for p in (certificate, key) if not os.access(p, os.R_OK)), certificate)
        raise BadCertificate(f"cannot read {missing}: {os.strerror(error.errno or 0)}") from error
    except ValueError as error:
        raise BadCertificate(f"{key} is encrypted") from error


def write_secret(path: Path, certificate: Path, key: Path) -> None:
    """Writes the file by which Envoy finds both, and finds them again when they change.

    It holds names, no key. Envoy looks when something is renamed into the
    certificate's directory.
    """
    # Absolute, but with symbolic links as they are: they may be what changes.
    chain, secret = certificate.absolute(), key.absolute()
    resource = {
        "@type": _KIND,
        "name": "gateway",
        "tls_certificate": {
            "certificate_chain": {"filename": str(chain)},
            "private_key": {"filename": str(secret)},
            "watched_directory": {"path": str(chain.parent)},
        },
    }
    path.write_text(json.dumps({"resources": [resource]}), encoding="utf-8")


def _refuse_to_ask() -> str:
    raise ValueError
