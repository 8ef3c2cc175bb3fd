"""What `wuts-sandbox run` is told."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from pathlib import Path

_KEY_BYTES = 32
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class RunFailed(Exception):  # named after the situation
    """The run cannot start or go on; the message is one line for a person."""


@dataclass(frozen=True)
class Emulator:
    """Where a loopback WhatsApp is: its proxy address, CA file and root key (hex)."""

    proxy: str
    ca: str
    noise_root: str
    control: str | None = None

    def as_json(self) -> dict[str, str]:
        """Gives what ready.json says of it."""
        told = {"proxy": self.proxy, "ca": self.ca, "noise_root": self.noise_root}
        return told | ({"control": self.control} if self.control else {})


@dataclass(frozen=True)
class Options:
    """The choices of one run. Port 0 means any free one."""

    http_port: int
    grpc_port: int
    ready_file: Path
    world: Path | None
    contacts: int
    emulator: Path | None


def read_emulator(path: Path) -> Emulator:
    """Reads the file that names somebody else's emulator; raises RunFailed."""
    try:
        told = json.loads(path.read_text())
        emulator = Emulator(told["proxy"], told["ca"], told["noise_root"], told.get("control"))
        host = urlsplit(emulator.proxy).hostname
        root = bytes.fromhex(emulator.noise_root)
    except OSError as error:
        raise RunFailed(f"EMULATOR={path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        message = 'is no {"proxy": "http://127.0.0.1:PORT", "ca": FILE, "noise_root": HEX}'
        raise RunFailed(f"EMULATOR={path}: {message}") from None
    if host not in LOOPBACK or len(root) != _KEY_BYTES:
        raise RunFailed(f"EMULATOR={path}: proxy must be on loopback, noise_root 64 hex digits")
    return emulator
