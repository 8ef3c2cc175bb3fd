"""How a client connects: where to, how secured, and as whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc

from wuts import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    Metadata = tuple[tuple[str, str], ...]

Tls = bool | bytes | grpc.ChannelCredentials
"""True: TLS with well-known authorities; bytes: TLS with these authorities, as PEM; False:
plaintext, which shows the token to everyone on the way; or gRPC's own credentials."""

_MIB = 1024 * 1024
_LOOPBACK = ("127.0.0.1:", "localhost:", "[::1]:")
_OPTIONS: Sequence[tuple[str, str | int]] = (
    ("grpc.primary_user_agent", f"wuts-client/{__version__}"),
    # A list of 200,000 contacts is some 20 MiB; gRPC's own limit is 4.
    ("grpc.max_receive_message_length", 64 * _MIB),
    # A stream may be silent for hours; a server that vanished shall be noticed.
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
)


def credentials(tls: Tls) -> grpc.ChannelCredentials | None:
    """Makes the credentials of a channel; None means plaintext."""
    if isinstance(tls, bool):
        return grpc.ssl_channel_credentials() if tls else None
    return grpc.ssl_channel_credentials(tls) if isinstance(tls, bytes) else tls


def options(target: str) -> Sequence[tuple[str, str | int]]:
    """Gives the options of a channel."""
    # gRPC would send even what stays on this machine, token included, to a proxy of the shell.
    stays_here = target.startswith(_LOOPBACK)
    return (*_OPTIONS, ("grpc.enable_http_proxy", 0)) if stays_here else _OPTIONS


def bearer(token: str) -> Metadata:
    """Makes the metadata that carries a token."""
    return (("authorization", f"Bearer {token}"),)
