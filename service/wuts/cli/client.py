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
    """Opens a channel to a URL; plaintext unless the scheme is https."""
    parts = urlsplit(url if "//" in url else f"//{url}")
    if not parts.hostname or parts.scheme not in {"", "http", "https"}:
        raise click.BadParameter(f"{url!r} is no http(s)://HOST:PORT", param_hint="--url")
    if parts.scheme == "https":
        target = f"{parts.hostname}:{parts.port or 443}"
        return grpc.secure_channel(target, grpc.ssl_channel_credentials())
    return grpc.insecure_channel(f"{parts.hostname}:{parts.port or 80}")


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
