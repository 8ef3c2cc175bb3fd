"""How the life of a session process ends, and the word for it."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from wuts.domain.state import Reason
from wuts.session.v1 import session_pb2 as pb


class How(StrEnum):
    """How a life came to its end."""

    CRASHED = "crashed"
    """The process died, or spoke nonsense."""
    HUNG = "hung"
    """It did not speak, or did not connect, in time."""
    FAILED = "failed"
    """WhatsApp could not be reached, or refused for a reason that may pass."""
    STORE_BUSY = "store_busy"
    STORE_REFUSED = "store_refused"
    LOGGED_OUT = "logged_out"
    REPLACED = "replaced"
    BANNED = "banned"
    OUTDATED = "outdated"
    NOT_LINKED = "not_linked"
    """The store holds no device, and nobody wants to link one."""
    QR_TIMEOUT = "qr_timeout"
    """Nobody scanned the code in time."""
    PAIRING_REFUSED = "pairing_refused"
    """The code was scanned, and the pairing failed."""
    LINK_ABANDONED = "link_abandoned"
    """Nobody watches the device being linked any more."""
    RENEWED = "renewed"
    """Someone wants new codes."""
    DISCONNECTED = "disconnected"
    """By request."""
    RECYCLED = "recycled"
    """The process had grown too large."""
    WRONG_ENGINE = "wrong_engine"
    """A sandbox's engine in earnest, or a real one in a sandbox."""


@dataclass(frozen=True, slots=True)
class End:
    """How a life ended.

    `code` is WhatsApp's number and `cause` one of FailureKind, 0 when there was
    none; `ban_seconds` is 0 when WhatsApp named no end of a ban; `holder` is the
    process that holds the store, 0 when unknown.
    """

    how: How
    code: int = 0
    cause: int = 0
    ban_seconds: int = 0
    requested: bool = False
    holder: int = 0

    @property
    def reason(self) -> str:
        """The word for callers; empty when there is nothing to say."""
        if self.how == How.LOGGED_OUT and self.requested:
            return Reason.LOGGED_OUT_BY_REQUEST
        if self.how == How.FAILED:
            return Reason.LOGIN_REFUSED if self._is_refusal else Reason.CANNOT_CONNECT
        if self.how == How.STORE_REFUSED:
            return _STORE_FAULTS.get(self.cause, Reason.STORE_REFUSED)
        return _REASONS.get(self.how, "")

    @property
    def is_wanted(self) -> bool:
        """Whether it came about by request, or for want of one."""
        return self.requested or self.how in _WANTED

    @property
    def links_on(self) -> bool:
        """Whether another process goes on with linking the device."""
        return self.how in _LINKS_ON

    @property
    def _is_refusal(self) -> bool:
        return self.code != 0 or self.cause == pb.FAILURE_KIND_UNKNOWN_REFUSAL


_WANTED: Final = frozenset(
    {How.DISCONNECTED, How.RENEWED, How.NOT_LINKED, How.LINK_ABANDONED, How.QR_TIMEOUT}
)

_LINKS_ON: Final = frozenset({How.CRASHED, How.HUNG, How.RENEWED})

_REASONS: Final = {
    How.CRASHED: Reason.PROCESS_DIED,
    How.HUNG: Reason.NO_ANSWER,
    How.STORE_BUSY: Reason.STORE_BUSY,
    How.LOGGED_OUT: Reason.REMOVED_FROM_PHONE,
    How.REPLACED: Reason.REPLACED,
    How.BANNED: Reason.BANNED,
    How.OUTDATED: Reason.OUTDATED,
    How.QR_TIMEOUT: Reason.QR_TIMEOUT,
    How.PAIRING_REFUSED: Reason.PAIRING_REFUSED,
    How.DISCONNECTED: Reason.DISCONNECTED_BY_REQUEST,
    How.RECYCLED: Reason.RECYCLED,
    How.WRONG_ENGINE: Reason.WRONG_ENGINE,
}

_STORE_FAULTS: Final[dict[int, Reason]] = {
    pb.FAILURE_KIND_STORE_CORRUPT: Reason.STORE_CORRUPT,
    pb.FAILURE_KIND_DISK_FULL: Reason.DISK_FULL,
}

_START_FAULTS: Final = {
    errno.ENOSPC: End(How.STORE_REFUSED, cause=pb.FAILURE_KIND_DISK_FULL),
    errno.EDQUOT: End(How.STORE_REFUSED, cause=pb.FAILURE_KIND_DISK_FULL),
    errno.EACCES: End(How.STORE_REFUSED),
    errno.EPERM: End(How.STORE_REFUSED),
    errno.EROFS: End(How.STORE_REFUSED),
    errno.ENOTDIR: End(How.STORE_REFUSED),
}
"""Why a device's directory cannot be made or entered."""


def end_of_start(error: Exception) -> End:
    """Names why a process could not be started; what has no name of its own is a crash."""
    number = error.errno if isinstance(error, OSError) else None
    return _START_FAULTS.get(number or 0, End(How.CRASHED))
