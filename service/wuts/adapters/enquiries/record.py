"""What one device keeps beyond a restart, in memory and on disk."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from wuts.adapters.enquiries.answers import Answers
from wuts.adapters.enquiries.budgets import Budgets
from wuts.adapters.enquiries.notebook import Contents
from wuts.adapters.enquiries.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from wuts.adapters.enquiries.answers import Answer, Key
    from wuts.adapters.enquiries.policy import Policy
    from wuts.adapters.enquiries.scribe import Scribe

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class Record:
    """The answers, the budgets, and the account that they are about.

    What is on disk is taken over once it is read. Until then nothing is
    remembered, and the purses hold a quarter. `account` is a printed JID, empty
    while it is not known; `is_linked` tells that the link to it has not ended.
    """

    def __init__(
        self, device: str, policy: Policy, clock: Callable[[], datetime], scribe: Scribe
    ) -> None:
        self._device = device
        self._policy = policy
        self._clock = clock
        self._scribe = scribe
        self._load_end = 0.0
        self._loading: asyncio.Task[None] | None = None
        self._is_too_slow = False
        self._is_retired = False
        self.is_read = False
        self.account = ""
        self.is_linked = False
        self.budgets = Budgets(policy, clock, self._write_standing)
        self.answers = Answers(policy.answers, self._write_answer)

    def load(self, account: str, on_read: Callable[[], None]) -> None:
        """Begins to read what is on disk; `account` is the device's now, if it is known."""
        self._load_end = asyncio.get_running_loop().time() + self._policy.load_seconds
        self._loading = asyncio.create_task(self._load(account, on_read))

    async def loaded(self) -> None:
        """Returns once what is on disk is read, or has taken too long."""
        left = self._load_end - asyncio.get_running_loop().time()
        if self._loading is None or self._loading.done() or left <= 0:
            return
        await asyncio.wait({self._loading}, timeout=left)
        if not self._loading.done() and not self._is_too_slow:
            self._is_too_slow = True
            _log.warning("answers_too_slow", device=self._device)

    def begin(self, account: str) -> None:
        """Begins anew for an account that was just linked."""
        self._scribe.erase()
        self._take_over(Contents(), account)
        self.link(account)

    def link(self, account: str) -> None:
        """Notes that the account was linked again, or just now."""
        self.account, self.is_linked = account, True
        self.budgets.begin_quiet(self._clock())
        self._write_standing()

    def unlink(self) -> None:
        """Notes that the link has ended."""
        if self.is_linked:
            self.is_linked = False
            self._write_standing()

    def retire(self) -> None:
        """Writes nothing any more: the device has another record now, or the service ends."""
        self._is_retired = True

    async def close(self) -> None:
        """Ends what is under way, and writes nothing any more."""
        self.retire()
        if self._loading is not None:
            self._loading.cancel()
            await asyncio.wait({self._loading})

    async def _load(self, account: str, on_read: Callable[[], None]) -> None:
        contents = await asyncio.wrap_future(self._scribe.read())
        if contents is None:
            self.is_read, self.account, self.is_linked = True, account, bool(account)
            self._write_standing()
        elif account and contents.standing.account not in {"", account}:
            self.begin(account)
        else:
            self._take_over(contents, account)
        on_read()

    def _take_over(self, contents: Contents, account: str) -> None:
        before = contents.standing
        self.is_read = True
        self.account, self.is_linked = account or before.account, before.is_linked
        self.budgets.adopt(before)
        self.answers.adopt(contents.answers, since=self._clock() - self._policy.longest)
        if account and before.account and not before.is_linked:
            self.link(account)  # the service was killed before it could be noted
        elif account:
            self.is_linked = True
        self._write_standing()

    def _write_standing(self) -> None:
        """Has it written down how the device stands, once it is known how it stood."""
        if self.is_read and not self._is_retired:
            quiet_from, levels = self.budgets.quiet_from, self.budgets.levels()
            self._scribe.stand(Standing(self.account, self.is_linked, quiet_from, levels))

    def _write_answer(self, key: Key, answer: Answer | None) -> None:
        if not self._is_retired:
            self._scribe.change(key, answer)
