"""The command line's channel to a running service."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import click
import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.any_pb2 import Any

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


@dataclass(frozen=True)
class Failure:
    """Why a call failed, as the service tells it; everything but `code` may be empty."""

    code: str
    """The reason word, such as "NOT_FOUND"; else the name of the gRPC status."""
    text: str = ""
    state: str = ""
    """The state of the device, for DEVICE_NOT_READY."""
    reason: str = ""
    """Why the device is in that state."""
    retry_after: int = 0
    """Seconds until a retry may succeed; 0: unknown."""
    violations: tuple[str, ...] = ()
    """Each field at fault, with its rule."""
    is_ours: bool = True
    """Whether the service itself said so."""

    def __str__(self) -> str:
        """Says it in one line."""
        if not self.is_ours and self.code == grpc.StatusCode.UNAVAILABLE.name:
            return "cannot reach the service; is it running, and is --url right?"
        facts = [f"state {self.state}"] if self.state else []
        facts += [f"reason {self.reason}"] if self.reason else []
        facts += [f"retry in {self.retry_after} s"] if self.retry_after else []
        line = f"{self.code}: {'; '.join(self.violations) or self.text}"
        return f"{line} ({', '.join(facts)})" if facts else line


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
        raise click.ClickException(str(failure(error))) from None


def failed_call(error: grpc.RpcError) -> grpc.Call:
    """Gives the call behind an error: with grpcio's stubs they are one object."""
    return cast("grpc.Call", error)


def failure(error: grpc.RpcError) -> Failure:
    """Reads what a failed call says about itself."""
    call = failed_call(error)
    status = rpc_status.from_call(call)
    details = list(status.details) if status else []
    text = str(call.details() or "")
    info = error_details_pb2.ErrorInfo()
    if not any(detail.Unpack(info) for detail in details):
        return Failure(call.code().name, text, is_ours=False)
    return Failure(
        info.reason,
        text,
        state=info.metadata.get("state", ""),
        reason=info.metadata.get("reason", ""),
        retry_after=_retry_after(details),
        violations=_violations(details),
    )


def _retry_after(details: list[Any]) -> int:
    retry = error_details_pb2.RetryInfo()
    for detail in details:
        if detail.Unpack(retry):
            return math.ceil(int(retry.retry_delay.ToMilliseconds()) / 1000)
    return 0


def _violations(details: list[Any]) -> tuple[str, ...]:
    bad = error_details_pb2.BadRequest()
    for detail in details:
        if detail.Unpack(bad):
            return tuple(f"{one.field}: {one.description}" for one in bad.field_violations)
    return ()
