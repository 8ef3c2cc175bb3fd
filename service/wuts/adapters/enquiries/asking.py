"""One question to WhatsApp, paid for."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from wuts.domain.enquiry import Heard
from wuts.domain.errors import DomainError
from wuts.instruments import NoMetrics

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from wuts.adapters.enquiries.budgets import Budgets
    from wuts.adapters.enquiries.policy import Policy
    from wuts.domain.caller import DeviceId
    from wuts.domain.enquiry import QueryClass
    from wuts.instruments import Metrics
    from wuts.ports import LiveSessions

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Asks over the live session of one device, within its budgets."""

    device: DeviceId
    sessions: LiveSessions
    budgets: Budgets
    policy: Policy
    clock: Callable[[], datetime]
    metrics: Metrics = field(default_factory=NoMetrics)

    def note(self, query_class: QueryClass, outcome: str, number: int = 1) -> None:
        """Counts questions by whether WhatsApp has to be asked; see Metrics.recalled."""
        if number:
            self.metrics.recalled(query_class, outcome, number)

    async def pay(self, query_class: QueryClass, wanted: int = 1) -> int:
        """Takes 1 to `wanted` questions of a connected device, and gives how many.

        A question that cannot be sent costs nothing.
        """
        await self.sessions.require_connected(self.device)
        try:
            taken = self.budgets.take(query_class, wanted)
        except DomainError:
            self.note(query_class, "refused", wanted)
            raise
        self.note(query_class, "miss", taken)
        self.note(query_class, "refused", wanted - taken)
        return taken

    async def hear(self, query_class: QueryClass, question: Awaitable[T]) -> Heard[T]:
        """Gives the answer to a question that is paid for."""
        with self.budgets.listening(query_class):
            answer = await question
        return Heard(answer, self.clock())

    def is_fresh(self, at: datetime, age: timedelta) -> bool:
        """Tells whether an answer is younger than that; one from the future is not."""
        return timedelta(0) <= self.clock() - at < age
