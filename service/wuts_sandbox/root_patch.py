"""Makes the engine of this process trust an emulator instead of WhatsApp."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

from wuts.session import root_key
from wuts_sandbox import guards

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def replace_root(
    library: ctypes.CDLL, root: bytes, *, ca: Path, environment: Mapping[str, str]
) -> None:
    """Writes another root key over the genuine one.

    Raises GuardError unless the environment leads to a loopback emulator with this CA, and
    RootKeyError when the engine is unknown or already changed.
    """
    guards.check_environment(environment, ca=ca)
    if len(root) != root_key.ROOT_SIZE:
        message = f"a root key has {root_key.ROOT_SIZE} bytes"
        raise root_key.RootKeyError(message)
    root_key.assert_genuine(library)
    address = root_key.find_root(library)
    ctypes.memmove(address, root, root_key.ROOT_SIZE)
    if ctypes.string_at(address, root_key.ROOT_SIZE) != root:
        message = "the root key could not be replaced"
        raise root_key.RootKeyError(message)
