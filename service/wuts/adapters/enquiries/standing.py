"""How a device stands with WhatsApp, as it is written down."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from wuts.domain.budget import Bucket, Pause
from wuts.domain.enquiry import QueryClass

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Standing:
    """The account that everything is about, and what it may ask.

    `account` is a printed JID, empty while it is not known; `is_linked` tells
    whether the link to it has not ended since.
    """

    account: str = ""
    is_linked: bool = False
    quiet_from: datetime | None = None
    purses: Mapping[QueryClass, tuple[Bucket, Pause | None]] = field(default_factory=dict)

    def to_text(self) -> str:
        """Writes it as JSON."""
        return json.dumps(
            {
                "account": self.account,
                "is_linked": self.is_linked,
                "quiet_from": self.quiet_from and self.quiet_from.isoformat(),
                "purses": {str(name): _told(*purse) for name, purse in self.purses.items()},
            }
        )

    @classmethod
    def from_text(cls, text: str) -> Standing:
        """Reads what `to_text` wrote; raises ValueError and LookupError for anything else."""
        told: dict[str, Any] = json.loads(text)
        since = told["quiet_from"]
        return cls(
            account=str(told["account"]),
            is_linked=bool(told["is_linked"]),
            quiet_from=since and _time(since),
            purses={QueryClass(name): _read(each) for name, each in told["purses"].items()},
        )


def _told(bucket: Bucket, pause: Pause | None) -> dict[str, object]:
    told: dict[str, object] = {"drops": bucket.drops, "at": bucket.at.isoformat()}
    if pause is not None:
        told |= {"pause_until": pause.until.isoformat(), "pause_seconds": pause.seconds}
    return told


def _read(told: dict[str, Any]) -> tuple[Bucket, Pause | None]:
    bucket = Bucket(max(0, int(told["drops"])), _time(told["at"]))
    if "pause_until" not in told:
        return bucket, None
    return bucket, Pause(_time(told["pause_until"]), int(told["pause_seconds"]))


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        message = "a time without a zone"
        raise ValueError(message)
    return time
