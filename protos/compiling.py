"""Runs protoc over the protos."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from google.rpc import error_details_pb2

PROTOS = Path(__file__).resolve().parent
PACKAGES = ("contacts", "devices", "session")
PUBLIC = ("contacts", "devices")


def google_protos() -> Path:
    """Finds Google's annotation and error-detail protos where they are installed."""
    return Path(error_details_pb2.__file__).parent.parent.parent


def sources(*packages: str) -> list[str]:
    """Lists the proto files of packages, in a fixed order."""
    return sorted(str(p) for name in packages for p in PROTOS.glob(f"wuts/{name}/v1/*.proto"))


def protoc(*arguments: str) -> None:
    """Runs protoc with the plugins of this environment."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = [
        *(sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTOS}", f"-I{google_protos()}"),
        *arguments,
    ]
    subprocess.run(  # our own files only
        command, check=True, env={**os.environ, "PATH": path}, stderr=subprocess.PIPE
    )
