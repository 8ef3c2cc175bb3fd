"""Sends a request over HTTP/1.1 or HTTP/2 just as it is written, and reads the reply."""

from __future__ import annotations

import json
import re
import socket
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any

import httpx
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status import rpc_status

if TYPE_CHECKING:
    from collections.abc import Mapping

    import grpc

    from .probes import Probe

_TIMEOUT = 20.0
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_INTERNAL = ("grpc-", "x-envoy-", "x-error-", "x-status")


@dataclass(frozen=True)
class Reply:
    """What came back; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:  # JSON is anything
        """Reads the body."""
        return json.loads(self.body)


def over_http1(port: int, probe: Probe) -> Reply:
    """Sends the probe in the bytes of HTTP/1.1."""
    lines = [f"{probe.method} {probe.target} HTTP/1.1", "host: gateway"]
    lines += [f"{name}: {value}" for name, value in probe.headers]
    if probe.body:
        lines.append(f"content-length: {len(probe.body)}")
    head = "\r\n".join([*lines, "", ""])
    return send_bytes(port, head.encode("latin-1") + probe.body, method=probe.method)


def send_bytes(port: int, data: bytes, method: str = "GET") -> Reply:
    """Sends bytes as they are and reads one reply to `method`."""
    with socket.create_connection(("127.0.0.1", port), _TIMEOUT) as connection:
        connection.sendall(data)
        response = HTTPResponse(connection, method=method)
        response.begin()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, headers, response.read())


def over_http2(port: int, probe: Probe) -> Reply:
    """Sends the probe over HTTP/2 without TLS, by prior knowledge."""
    # Without TLS there is nothing to verify, and no certificates need be read each time.
    options: Any = {"timeout": _TIMEOUT, "trust_env": False, "verify": False}
    with httpx.Client(http1=False, http2=True, **options) as client:
        request = httpx.Request(
            probe.method,
            f"http://127.0.0.1:{port}",
            headers=[(name.encode(), value.encode("latin-1")) for name, value in probe.headers],
            content=probe.body or None,
            extensions={"target": probe.target.encode("latin-1")},
        )
        response = client.send(request)
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Reply(response.status_code, headers, response.content)


def envelope(reply: Reply) -> dict[str, Any]:
    """Gives the body of a failure, once it has exactly the documented form."""
    assert reply.headers["content-type"] == "application/json"
    assert internal_headers(reply) == []
    body: dict[str, Any] = reply.json()
    assert set(body) - {"validation"} == {"success", "error", "error_code", "timestamp"}
    assert body["success"] is False
    assert isinstance(body["error"], str)
    assert body["error"]
    assert _TIMESTAMP.fullmatch(body["timestamp"])
    for entry in body.get("validation", []):
        assert set(entry) == {"field", "message", "value"}
    return body


def reason_of(error: grpc.RpcError) -> str:
    """Gives the reason in the one ErrorInfo of a failed native call; checks that it is ours."""
    status, info = rpc_status.from_call(error), ErrorInfo()  # type: ignore[arg-type]  # the stubs know no call that is an error
    assert status is not None
    assert status.details[0].Unpack(info)
    assert info.domain == "wuts"
    return str(info.reason)


def internal_headers(reply: Reply) -> list[str]:
    """Lists headers that are no caller's business."""
    return [name for name in reply.headers if name.startswith(_INTERNAL)]
