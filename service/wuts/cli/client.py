"""The command line's channel to a running service."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import click
import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

if TYPE_CHECKING:
    from collections.abc import Iterator

_DEFAULT_URL = "http://127.0.0.1:8080"
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}

url_option = click.option(
    "--url",
    envvar="WUTS_URL",
    default=_DEFAULT_URL,
    show_default=True,
    show_envvar=True,
    help="The gateway or the service itself: http(s)://HOST:PORT or HOST:PORT.",
)
token_option = click.option(
    "--token", envvar="WUTS_TOKEN", required=True, show_envvar=True, help="The bearer token."
)


def open_channel(url: str) -> grpc.Channel:
    """Opens a channel to a URL; plaintext unless the scheme is https.

    Raises click.BadParameter for anything but http(s)://HOST:PORT.
    """
    scheme, host, port = _parts(url)
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    # gRPC would send even what stays on this machine, token included, to a proxy of the shell.
    options = (("grpc.enable_http_proxy", 0),) if host in _LOOPBACK else ()
    if scheme == "https":
        return grpc.secure_channel(target, grpc.ssl_channel_credentials(), options)
    return grpc.insecure_channel(target, options)


def _parts(url: str) -> tuple[str, str, int]:
    with contextlib.suppress(ValueError):  # of a port that is no number
        parts = urlsplit(url if "//" in url else f"//{url}")
        if parts.hostname and parts.scheme in {"", "http", "https"}:
            port = parts.port or (443 if parts.scheme == "https" else 80)
            return parts.scheme, parts.hostname, port
    raise click.BadParameter(f"{url!r} is no http(s)://HOST:PORT", param_hint="--url")


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    """Makes the metadata that carries a token."""
    return (("authorization", f"Bearer {token}"),)


@contextlib.contextmanager
def told_plainly() -> Iterator[None]:
    """Turns a failed call into one line on stderr and exit code 1."""
    try:
        yield
    except grpc.RpcError as error:
        raise click.ClickException(_explain(failed_call(error))) from None


def failed_call(error: grpc.RpcError) -> grpc.Call:
    """Gives the call behind an error: with grpcio's stubs they are one object."""
    return cast("grpc.Call", error)


def _explain(error: grpc.Call) -> str:
    status = rpc_status.from_call(error)
    info = error_details_pb2.ErrorInfo()
    for detail in status.details if status else ():
        if detail.Unpack(info):
            state = info.metadata.get("state")
            return f"{info.reason}: {error.details()}" + (f" (state {state})" if state else "")
    if error.code() is grpc.StatusCode.UNAVAILABLE:
        return "cannot reach the service; is it running, and is --url right?"
    return f"{error.code().name}: {error.details()}"
