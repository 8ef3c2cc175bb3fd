"""Generates the protobuf code, the gateway's descriptor set and its OpenAPI description.

`--check` changes nothing: it lints the protos and fails when they break what was
released, or when what is committed is not what would be generated.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from breaking import is_compatible
from compiling import PACKAGES, PROTOS, PUBLIC, google_protos, protoc, sources
from openapi.document import write

from wuts import __version__

ROOT = Path(__file__).resolve().parent.parent
DESCRIPTORS, OPENAPI = "contacts.binpb", "openapi.json"


def generate(service: Path, gateway: Path) -> None:
    """Writes the code below `service`, and what the gateway reads into its directory."""
    service.mkdir(parents=True, exist_ok=True)
    protoc(f"--python_out={service}", f"--mypy_out={service}", *sources(*PACKAGES))
    services = [name for name in sources(*PUBLIC) if name.endswith("_service.proto")]
    protoc(f"--grpc_python_out={service}", f"--mypy_grpc_out={service}", *services)
    # Without error_details.proto the gateway could not print a status' details.
    details = str(google_protos() / "google" / "rpc" / "error_details.proto")
    protoc("--include_imports", f"-o{gateway / DESCRIPTORS}", *sources(*PUBLIC), details)
    write(commented(*PUBLIC), __version__, gateway / OPENAPI)


def commented(*packages: str) -> bytes:
    """Gives the descriptor set of packages, comments included."""
    with tempfile.TemporaryDirectory() as scratch:
        image = Path(scratch) / "protos.binpb"
        protoc("--include_imports", "--include_source_info", f"-o{image}", *sources(*packages))
        return image.read_bytes()


def lint() -> None:
    """Lints the protos, comments included, with buf."""
    with tempfile.TemporaryDirectory() as scratch:
        image = Path(scratch) / "protos.binpb"
        image.write_bytes(commented(*PACKAGES))
        buf = Path(sys.executable).parent / "buf"
        command: list[str | Path] = [buf, "lint", image, "--config", PROTOS / "buf.yaml"]
        subprocess.run(command, check=True)  # our own files only


def stale() -> list[str]:
    """Lists the committed files that differ from what would be generated."""
    with tempfile.TemporaryDirectory() as scratch:
        fresh = Path(scratch)
        generate(fresh / "service", fresh)
        pairs = [(fresh / name, ROOT / "gateway" / name) for name in (DESCRIPTORS, OPENAPI)]
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
        generate(ROOT / "service", ROOT / "gateway")
        return 0
    lint()
    compatible = is_compatible()
    differing = stale()
    for name in differing:
        print(f"{name} is not current: run `make generate`", file=sys.stderr)  # a command
    return 0 if compatible and not differing else 1


if __name__ == "__main__":
    sys.exit(main())
