"""Tests of the search for the engine's root key, on made-up files and on the real library."""

from __future__ import annotations

import struct
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from sandbox.running import plain_environment
from wuts.session.root_key import GENUINE_ROOT, RootKeyError, locate_in_file
from wuts_sandbox.session import minimal_environment
from wuts_sandbox.wire.certificates import make_authority

if TYPE_CHECKING:
    from pathlib import Path

READ, WRITE, LOAD = 4, 2, 1

REAL_LIBRARY = """
import os, sys
from pathlib import Path
import no_libmagic
from neonize._binder import gocode
from wuts.session import root_key
from wuts_sandbox.guards import GuardError
from wuts_sandbox.root_patch import replace_root
root_key.assert_genuine(gocode)
ca = Path(sys.argv[1])
try:
    replace_root(gocode, bytes(32), ca=ca, environment={**os.environ, "NO_PROXY": "*"})
except GuardError:
    print("guarded")
root_key.assert_genuine(gocode)
replace_root(gocode, bytes(32), ca=ca, environment=os.environ)
try:
    root_key.assert_genuine(gocode)
except root_key.RootKeyError:
    print("replaced")
"""


def library(content: bytes, *, flags: int = READ | WRITE, kind: int = LOAD) -> bytes:
    """Makes an ELF file with one segment at 0x5000 that holds the content."""
    head = bytearray(64)
    head[:6] = b"\x7fELF\x02\x01"
    struct.pack_into("<Q", head, 32, 64)
    struct.pack_into("<HH", head, 54, 56, 1)
    size = len(content)
    segment = struct.pack("<IIQQQQQQ", kind, flags, 120, 0x5000, 0x5000, size, size, 1)
    return bytes(head) + segment + content


class TestLocateInFile:
    """The address follows from the file, or the build is refused."""

    def test_address(self) -> None:
        """The key's place in its segment is its place after the segment's address."""
        assert locate_in_file(library(bytes(16) + GENUINE_ROOT + bytes(8))) == 0x5010

    @pytest.mark.parametrize(
        "image",
        [
            library(bytes(64)),
            library(GENUINE_ROOT * 2),
            library(GENUINE_ROOT, flags=READ),
            library(GENUINE_ROOT, kind=2),
            library(GENUINE_ROOT)[:100],
            b"MZ" + GENUINE_ROOT,
        ],
        ids=["none", "twice", "read-only", "not loaded", "cut", "no ELF"],
    )
    def test_unknown_builds(self, image: bytes) -> None:
        """Anything but exactly one writable key is refused."""
        with pytest.raises(RootKeyError):
            locate_in_file(image)


class TestRealLibrary:
    """The pinned engine is a known build."""

    def test_replace(self, tmp_path: Path) -> None:
        """The genuine key is found, is replaced only behind the guards, and then not genuine."""
        ca = tmp_path / "ca.pem"
        ca.write_bytes(make_authority().pem)
        proxy = "http://127.0.0.1:9"
        environment = minimal_environment(plain_environment(), proxy=proxy, ca=ca)
        ended = subprocess.run(  # our own interpreter and module
            [sys.executable, "-c", REAL_LIBRARY, str(ca)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        assert ended.stdout.split() == ["guarded", "replaced"]
