"""Refuses changes of the public protos that break whoever was built against the last release.

The last release is the image released/v1.binpb. `--release` writes it anew from the protos as
they are: part of making a release, never of a change.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from compiling import PROTOS, PUBLIC, protoc, sources
from google.api import annotations_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorSet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.api.http_pb2 import HttpRule

RELEASED = PROTOS / "released" / "v1.binpb"


def build(image: Path, *options: str) -> None:
    """Writes an image of the public protos, with all that they import."""
    protoc("--include_imports", *options, f"-o{image}", *sources(*PUBLIC))


def is_compatible() -> bool:
    """Tells whether the protos only add to the released ones; prints what else they do."""
    with tempfile.TemporaryDirectory() as scratch:
        image = Path(scratch) / "now.binpb"
        build(image, "--include_source_info")  # so that lines can be named
        buf = Path(sys.executable).parent / "buf"
        rules = ("--against", RELEASED, "--config", PROTOS / "buf.yaml")
        done = subprocess.run([buf, "breaking", image, *rules], check=False)
        lost = sorted(set(_routes(RELEASED)) - set(_routes(image)))
    for route in lost:
        print(f"{route} was released and is no more")
    return done.returncode == 0 and not lost


def _routes(image: Path) -> Iterator[str]:
    """Lists the HTTP routes of an image with their rpcs; buf does not look into annotations."""
    for file in FileDescriptorSet.FromString(image.read_bytes()).file:
        for service in file.service:
            for rpc in service.method:
                rule = rpc.options.Extensions[annotations_pb2.http]
                for one in (rule, *rule.additional_bindings):
                    yield f"{service.name}.{rpc.name}: {_written(one)}"


def _written(rule: HttpRule) -> str:
    verb = rule.WhichOneof("pattern")
    return f"{verb} {getattr(rule, verb) if verb else ''} body {rule.body!r}"


def main() -> int:
    """Compares, or writes the image of a release."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--release", action="store_true", help="write released/v1.binpb")
    if parser.parse_args().release:
        build(RELEASED)
        return 0
    return 0 if is_compatible() else 1


if __name__ == "__main__":
    sys.exit(main())
