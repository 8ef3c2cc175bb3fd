"""What `wuts-sandbox run` is told."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_KEY_BYTES = 32
_ALLOWED: Final = frozenset(
    {
        *(f"WUTS_BUDGET_{name}" for name in ("NUMBERS", "USERS", "PICTURES", "GROUPS")),
        *("WUTS_QUIET_HOURS", "WUTS_PICTURE_SECONDS", "WUTS_ROSTER_SECONDS"),
        *("WUTS_HIDDEN_PICTURE_SECONDS", "WUTS_NO_PICTURE_SECONDS"),
        "WUTS_NOT_REGISTERED_SECONDS",
    }
)
_DEMO: Final = {"WUTS_QUIET_HOURS": "0"}
# A demo's devices are always just linked; no account is at stake.
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
    settings: Mapping[str, str] = field(default_factory=lambda: _DEMO)
    """Settings of the service that differ from its defaults."""
    otlp_endpoint: str = ""
    """A collector on this machine; empty for no traces."""


def read_settings(text: str) -> Mapping[str, str]:
    """Reads NAME=VALUE words, quoted as in a shell; raises RunFailed.

    Only settings of budgets and of what is remembered are taken.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise RunFailed(f"SETTINGS: {str(error).lower()}") from None
    settings = dict(_DEMO)
    for word in words:
        name, is_setting, value = word.partition("=")
        if not is_setting or name not in _ALLOWED:
            known = ", ".join(sorted(_ALLOWED))
            raise RunFailed(f"SETTINGS: {word} is no NAME=VALUE with one of the names {known}")
        settings[name] = value
    return settings


def require_loopback(otlp_endpoint: str) -> None:
    """Raises RunFailed for a collector of another machine: a sandbox never leaves this one."""
    if otlp_endpoint and urlsplit(otlp_endpoint).hostname not in LOOPBACK:
        raise RunFailed(f"OTLP_ENDPOINT={otlp_endpoint}: must be http://127.0.0.1:PORT")


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
