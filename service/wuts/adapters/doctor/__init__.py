"""Looks for what is wrong with an installation."""

from wuts.adapters.doctor.examine import Expected, examine
from wuts.adapters.doctor.findings import Finding, Level

__all__ = ["Expected", "Finding", "Level", "examine"]
