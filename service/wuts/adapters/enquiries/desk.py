"""Where everything about one device is asked and remembered."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from wuts.adapters.enquiries.asking import Asking
from wuts.adapters.enquiries.numbers import Numbers
from wuts.adapters.enquiries.pictures import Pictures
from wuts.adapters.enquiries.record import Record
from wuts.adapters.enquiries.rosters import Rosters
from wuts.adapters.enquiries.users import Users
from wuts.domain.enquiry import ChangeKind

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from wuts.adapters.enquiries.policy import Policy
    from wuts.adapters.enquiries.scribe import Scribe
    from wuts.domain.caller import DeviceId
    from wuts.domain.enquiry import Change
    from wuts.domain.jid import Jid
    from wuts.instruments import Metrics
    from wuts.ports import LiveSessions

_MOST_EARLY: Final = 10_000
# Changes that are noted while the disk is read.


class Desk:
    """The questions under way of one device, and what is known from earlier ones."""

    def __init__(
        self,
        device: DeviceId,
        sessions: LiveSessions,
        policy: Policy,
        clock: Callable[[], datetime],
        scribe: Scribe,
        metrics: Metrics,
    ) -> None:
        self.scribe = scribe
        self.record = Record(device, policy, clock, scribe)
        asking = Asking(
            device=device,
            sessions=sessions,
            budgets=self.record.budgets,
            policy=policy,
            clock=clock,
            metrics=metrics,
        )
        self.numbers = Numbers(asking, self.record.answers)
        self.pictures = Pictures(asking, self.record.answers)
        self.rosters = Rosters(asking)
        self.users = Users(asking)
        self._changed_early: list[Jid] = []

    def load(self, account: str) -> None:
        """Begins to read what is on disk about the account; empty: whichever it is."""
        self.record.load(account, self._on_read)

    def change(self, change: Change) -> None:
        """Forgets what is outdated."""
        if change.kind is ChangeKind.GROUP:
            self.rosters.forget(change.chat)
        else:
            self.forget_picture(change.chat)

    def forget_picture(self, chat: Jid) -> None:
        """Forgets the picture of a chat, also one that is still to be read from disk."""
        if not self.record.is_read and len(self._changed_early) < _MOST_EARLY:
            self._changed_early.append(chat)
        self.pictures.memory.forget(chat)

    def unlink(self) -> None:
        """Notes that the link has ended, and with it the news of pictures and groups."""
        self.record.unlink()
        self.pictures.memory.forget_all()
        self.rosters.forget_all()

    async def close(self) -> None:
        """Ends the questions under way, and writes nothing any more."""
        parts = (self.record, self.numbers, self.pictures, self.rosters, self.users)
        await asyncio.gather(*(part.close() for part in parts))

    def _on_read(self) -> None:
        self.pictures.memory.learn_chats()
        for chat in self._changed_early:
            self.pictures.memory.forget(chat)
        self._changed_early.clear()
