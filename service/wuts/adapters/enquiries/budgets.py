"""What one device may ask of WhatsApp."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from wuts.domain.budget import Bucket, Purse
from wuts.domain.enquiry import Budget, QueryBudget, QueryClass
from wuts.domain.errors import (
    BudgetExhausted,
    Busy,
    GroupForbidden,
    GroupNotFound,
    NotOnWhatsapp,
    PictureHidden,
    PictureNotSet,
    RateLimited,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from wuts.adapters.enquiries.policy import Policy
    from wuts.adapters.enquiries.standing import Standing
    from wuts.domain.budget import Pause

_ANSWERS = (PictureHidden, PictureNotSet, GroupForbidden, GroupNotFound, NotOnWhatsapp)
# Errors in which WhatsApp answers the question all the same.


class Budgets:
    """The purses of one device.

    They start with a quarter of what is allowed, as long as nobody has told
    how they stood before; `on_change` is called whenever they change.
    """

    def __init__(
        self, policy: Policy, clock: Callable[[], datetime], on_change: Callable[[], None]
    ) -> None:
        self._quiet = policy.quiet
        self._clock = clock
        self._on_change = on_change
        now = clock()
        self._purses = {
            query_class: Purse(allowance, Bucket.of(allowance.quarter.burst, now))
            for query_class, allowance in policy.allowances.items()
        }
        self.quiet_from: datetime | None = None

    @property
    def quiet_until(self) -> datetime | None:
        """When the quiet time ends that has begun, or will begin; None for none."""
        end = self._quiet_end
        return end if end is not None and self._clock() < end else None

    @property
    def _quiet_end(self) -> datetime | None:
        """When the last quiet time ends or ended: what came back before came slower."""
        return self.quiet_from + self._quiet if self.quiet_from and self._quiet else None

    def begin_quiet(self, since: datetime) -> None:
        """Begins a quiet time, unless one is known that ends later."""
        if self.quiet_from is None or since > self.quiet_from:
            self.quiet_from = since
            self._on_change()

    def take(self, query_class: QueryClass, wanted: int = 1) -> int:
        """Takes 1 to `wanted` questions and gives how many; then they may be asked.

        Raises RateLimited in a pause, and BudgetExhausted when none is left.
        """
        now, purse = self._clock(), self._purses[query_class]
        pause = purse.pause_left(now)
        if pause:
            raise RateLimited(pause)
        taken = purse.take(wanted, now, self._quiet_end)
        if not taken:
            raise self.exhausted(query_class)
        self._on_change()
        return taken

    def exhausted(self, query_class: QueryClass) -> BudgetExhausted:
        """Says when one more question of a class may be asked."""
        wait = self._purses[query_class].wait(self._clock(), self._quiet_end)
        return BudgetExhausted(query_class, max(1, wait))

    @contextmanager
    def listening(self, query_class: QueryClass) -> Iterator[None]:
        """Notes what WhatsApp says to a question: to slow down, or anything else."""
        purse = self._purses[query_class]
        try:
            yield
        except Busy:
            raise  # our own bound; WhatsApp was not asked
        except RateLimited:
            purse.slow_down(self._clock())
            self._on_change()
            raise RateLimited(purse.pause_left(self._clock())) from None
        except _ANSWERS:
            self._note_success(purse)
            raise
        self._note_success(purse)

    def _note_success(self, purse: Purse) -> None:
        if purse.pause is not None:
            purse.succeed(self._clock())
            self._on_change()

    def report(self) -> Budget:
        """Tells what is left of each class."""
        now, quiet_until = self._clock(), self.quiet_until
        queries = []
        for query_class in QueryClass:
            purse = self._purses[query_class]
            allowance = purse.allowance if quiet_until is None else purse.allowance.quarter
            left, wait = purse.left(now, self._quiet_end), purse.wait(now, self._quiet_end)
            queries.append(
                QueryBudget(query_class, left, allowance.burst, allowance.per_hour, wait)
            )
        return Budget(queries, quiet_until)

    def levels(self) -> dict[QueryClass, tuple[Bucket, Pause | None]]:
        """Gives what is left of each class, to be taken over later."""
        return {name: (purse.bucket, purse.pause) for name, purse in self._purses.items()}

    def adopt(self, before: Standing) -> None:
        """Takes over how the purses stood; they were full where nothing is told.

        What has been taken meanwhile is taken off that.
        """
        now = self._clock()
        meanwhile, self.quiet_from = self.quiet_from, before.quiet_from
        for query_class, purse in self._purses.items():
            taken = purse.allowance.quarter.burst - purse.left(now, None)
            full = Bucket.of(purse.allowance.burst, now)
            bucket, pause = before.purses.get(query_class, (full, None))
            refilled = bucket.refilled(purse.allowance, now, self._quiet_end)
            purse.bucket = refilled.without(max(0, taken))
            purse.pause = purse.pause or pause
        if meanwhile is not None:
            self.begin_quiet(meanwhile)
