"""How long answers are remembered, and how often WhatsApp may be asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from wuts.domain.budget import Allowance
from wuts.domain.enquiry import QueryClass

if TYPE_CHECKING:
    from collections.abc import Mapping

# WhatsApp tells nobody what it allows. These are cautious guesses of our own.
ALLOWANCES: Final[Mapping[QueryClass, Allowance]] = MappingProxyType(
    {
        QueryClass.NUMBER_CHECK: Allowance(per_hour=120, burst=60),
        QueryClass.USER_INFO: Allowance(per_hour=240, burst=60),
        QueryClass.PICTURE: Allowance(per_hour=600, burst=120),
        QueryClass.GROUP_INFO: Allowance(per_hour=120, burst=30),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Every bound of what is asked and remembered; the same for all devices."""

    allowances: Mapping[QueryClass, Allowance] = field(default_factory=lambda: ALLOWANCES)
    quiet: timedelta = timedelta(hours=24)
    """How long the allowances are a quarter after linking, and after a ban."""

    picture: timedelta = timedelta(minutes=15)
    """How long a picture is believed to be the present one."""
    address: timedelta = timedelta(hours=24)
    """How long a picture's address is believed to work that does not tell its end."""
    address_margin: timedelta = timedelta(minutes=1)
    """How long before its end an address is not given away any more."""
    roster: timedelta = timedelta(minutes=15)
    hidden_picture: timedelta = timedelta(hours=6)
    no_picture: timedelta = timedelta(hours=24)
    not_registered: timedelta = timedelta(hours=24)
    registered: timedelta = timedelta(hours=24)

    numbers_at_once: int = 50
    """The most numbers of one query."""
    pictures: int = 2_000
    """Pictures that are remembered for a device."""
    rosters: int = 64
    """Rosters that are remembered for a device."""
    answers: int = 10_000
    """Answers that are remembered on disk for a device."""

    load_seconds: float = 1.0
    """How long a question waits for what the disk remembers."""
    flush_seconds: float = 2.0
    """How long the end of the service waits for the disks."""

    @property
    def longest(self) -> timedelta:
        """How long an answer may be remembered at most that is kept on disk."""
        return max(self.hidden_picture, self.no_picture, self.not_registered, self.registered)
