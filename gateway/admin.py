"""Asks a running gateway, over its admin socket, where it listens and whether it can serve.

`python gateway/admin.py SOCKET --wait 10 --healthy` prints the port as soon as callers can be
served.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import socket
import sys
import time
from pathlib import Path
from typing import Any

_TIMEOUT = 2.0  # seconds for one answer
_PAUSE = 0.05  # seconds between two questions


def bound_port(admin_socket: Path) -> int | None:
    """Tells the port that callers use; None while nothing listens.

    Differs from the port asked for only if that was 0.
    """
    for listener in _ask(admin_socket, "/listeners?format=json").get("listener_statuses", []):
        return int(listener["local_address"]["socket_address"]["port_value"])
    return None


def upstream_is_healthy(admin_socket: Path) -> bool:
    """Tells whether the gateway has found the service healthy; False when in doubt."""
    clusters = _ask(admin_socket, "/clusters?format=json").get("cluster_statuses", [])
    hosts = [host for cluster in clusters for host in cluster.get("host_statuses", [])]
    return bool(hosts) and all(
        host["health_status"] == {"eds_health_status": "HEALTHY"} for host in hosts
    )


def wait_for_port(admin_socket: Path, seconds: float, *, healthy: bool) -> int | None:
    """Waits until the gateway listens and, if asked to, has found the service healthy.

    Tells the port; None when that did not happen within `seconds`.
    """
    end = time.monotonic() + seconds
    while True:
        port = bound_port(admin_socket)
        if port is not None and (not healthy or upstream_is_healthy(admin_socket)):
            return port
        if time.monotonic() >= end:
            return None
        time.sleep(_PAUSE)


class _Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("admin", timeout=_TIMEOUT)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(_TIMEOUT)
        self.sock.connect(os.fspath(self._path))


def _ask(admin_socket: Path, page: str) -> dict[str, Any]:
    """Gives the JSON of an admin page; empty while there is no answer."""
    connection = _Connection(admin_socket)
    try:
        connection.request("GET", page)
        answer = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError):
        return {}
    finally:
        connection.close()
    return answer if isinstance(answer, dict) else {}


def main(arguments: list[str] | None = None) -> int:
    """Prints the port; exit 1 with one line on standard error when nothing serves."""
    parser = argparse.ArgumentParser(prog="admin.py", description="Tells the gateway's port.")
    parser.add_argument("socket", type=Path, help="the admin socket given to launch.py")
    parser.add_argument(
        "--wait", type=float, default=0, metavar="SECONDS", help="how long to wait (default 0)"
    )
    parser.add_argument(
        "--healthy", action="store_true", help="demand, too, that the service is healthy"
    )
    options = parser.parse_args(arguments)
    port = wait_for_port(options.socket, options.wait, healthy=options.healthy)
    if port is None:
        sys.stderr.write(f"gateway: nothing serves behind {options.socket}\n")
        return 1
    sys.stdout.write(f"{port}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
