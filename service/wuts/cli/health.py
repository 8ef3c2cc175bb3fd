"""`wuts health`: asks a running service how it is."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass

import click
import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from wuts.cli.client import failed_call, open_channel, told_plainly, url_option

_SANDBOX = "wuts.sandbox"
_SECONDS = 5


@dataclass(frozen=True)
class Health:
    """What the health service says: its status, and whether WhatsApp is a sandbox."""

    status: str
    sandbox: bool


@click.command()
@url_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def health(url: str, *, as_json: bool) -> None:
    """Tells whether the service can serve, and whether it is a sandbox.

    Exit code 0 when it is SERVING, 1 otherwise. Needs no token.
    """
    with told_plainly(), open_channel(url) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        found = Health(_check(stub, "") or "UNKNOWN", sandbox=_check(stub, _SANDBOX) is not None)
    if as_json:
        click.echo(json.dumps(asdict(found)))
    else:
        click.echo(f"status: {found.status}\nsandbox: {str(found.sandbox).lower()}")
    sys.exit(0 if found.status == "SERVING" else 1)


def _check(stub: health_pb2_grpc.HealthStub, service: str) -> str | None:
    """Gives the status of a health name; None when the name does not exist."""
    request = health_pb2.HealthCheckRequest(service=service)
    try:
        answer = stub.Check(request, timeout=_SECONDS)  # type: ignore[attr-defined]  # made at run time
    except grpc.RpcError as error:
        if failed_call(error).code() is grpc.StatusCode.NOT_FOUND:
            return None
        raise
    return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
