"""Generates the protobuf code and the gateway's descriptor set from the protos.

`--check` changes nothing: it lints the protos and fails when what is committed
is not what would be generated.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from google.rpc import error_details_pb2

ROOT = Path(__file__).resolve().parent.parent
PROTOS = ROOT / "protos"
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


def generate(service: Path, descriptor: Path) -> None:
    """Writes the code below `service` and the descriptor set."""
    service.mkdir(parents=True, exist_ok=True)
    protoc(f"--python_out={service}", f"--mypy_out={service}", *sources(*PACKAGES))
    services = [name for name in sources(*PUBLIC) if name.endswith("_service.proto")]
    protoc(f"--grpc_python_out={service}", f"--mypy_grpc_out={service}", *services)
    # Without error_details.proto the gateway could not print a status' details.
    details = str(google_protos() / "google" / "rpc" / "error_details.proto")
    protoc("--include_imports", f"-o{descriptor}", *sources(*PUBLIC), details)


def lint() -> None:
    """Lints the protos, comments included, with buf."""
    with tempfile.TemporaryDirectory() as scratch:
        image = Path(scratch) / "protos.binpb"
        protoc("--include_imports", "--include_source_info", f"-o{image}", *sources(*PACKAGES))
        buf = Path(sys.executable).parent / "buf"
        command = [buf, "lint", image, "--config", PROTOS / "buf.yaml"]
        subprocess.run(command, check=True)  # our own files only


def stale() -> list[str]:
    """Lists the committed files that differ from what would be generated."""
    with tempfile.TemporaryDirectory() as scratch:
        fresh = Path(scratch)
        generate(fresh / "service", fresh / "contacts.binpb")
        pairs = [(fresh / "contacts.binpb", ROOT / "gateway" / "contacts.binpb")]
        made = sorted((fresh / "service").rglob("*_pb2*"))
        pairs += [(path, ROOT / "service" / path.relative_to(fresh / "service")) for path in made]
        committed = {p for n in PACKAGES for p in (ROOT / f"service/wuts/{n}").rglob("*_pb2*.py*")}
        surplus = committed - {kept for _, kept in pairs}
        return sorted(
            str(kept.relative_to(ROOT))
            for kept in (*(old for new, old in pairs if not _same(new, old)), *surplus)
            if "__pycache__" not in kept.parts
        )


def _same(made: Path, kept: Path) -> bool:
    return kept.exists() and made.read_bytes() == kept.read_bytes()


def main() -> int:
    """Generates, or checks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="lint and compare only")
    if not parser.parse_args().check:
        generate(ROOT / "service", ROOT / "gateway" / "contacts.binpb")
        return 0
    lint()
    differing = stale()
    for name in differing:
        print(f"{name} is not current: run `make generate`", file=sys.stderr)  # a command
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
