"""What a check finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    """The service works, but not for long or not as meant."""
    FAIL = "fail"
    """The service, or one device, does not work."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found, and what to do about it; `remedy` is empty when all is well."""

    check: str
    level: Level
    message: str
    remedy: str = ""


def ok(check: str, message: str) -> Finding:
    """Says that all is well."""
    return Finding(check, Level.OK, message)


def warn(check: str, message: str, remedy: str) -> Finding:
    """Says that something should be done."""
    return Finding(check, Level.WARN, message, remedy)


def fail(check: str, message: str, remedy: str) -> Finding:
    """Says that something must be done."""
    return Finding(check, Level.FAIL, message, remedy)
