"""Asks WhatsApp about phone numbers, as far as it may be asked."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wuts.domain.enquiry import Heard, Lookup, NumberCheck
from wuts.domain.errors import DomainError, WhatsappTimeout
from wuts.domain.spelling import variants

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from wuts.domain.caller import DeviceId
    from wuts.domain.spelling import Spelling
    from wuts.ports import Enquiries

    Answers = Mapping[str, Heard[NumberCheck] | DomainError]

_LENGTHS = range(7, 16)
# No phone number is shorter or longer, so WhatsApp is not asked about it.


@dataclass(frozen=True, slots=True)
class Plan:
    """How many questions a call would ask."""

    numbers: int = 0
    variants: int = 0
    groups: int = 0


def to_check(spellings: Iterable[Spelling], lookup: Lookup) -> list[str]:
    """Lists the numbers that may be asked about, as they were given."""
    if lookup is Lookup.LOCAL_ONLY:
        return []
    return [
        spelling.tried[0]
        for spelling in spellings
        if (lookup is Lookup.FORCE or not spelling.proof) and len(spelling.tried[0]) in _LENGTHS
    ]


async def recall(
    device: DeviceId, spellings: Iterable[Spelling], enquiries: Enquiries
) -> Mapping[str, Heard[NumberCheck]]:
    """Gives what WhatsApp said earlier of the numbers that nothing else proves."""
    tried = [number for each in spellings if not each.proof for number in each.tried]
    return await enquiries.recall_numbers(device, tried) if tried else {}


async def check(
    device: DeviceId, numbers: Sequence[str], *, fresh: bool, until: float, enquiries: Enquiries
) -> Answers:
    """Asks about these numbers, then about other spellings of those nobody has.

    Never fails: what keeps a number from an answer is its answer. Ends at
    `until`, a time of the event loop.
    """
    asker = _Asker(device, enquiries, fresh=fresh, until=until)
    answers = await asker.ask(numbers)
    denied = [number for number in numbers if _denied(answers, number)]
    others = dict.fromkeys(other for number in denied for other in variants(number))
    asked = {*numbers}
    return {**answers, **await asker.ask([other for other in others if other not in asked])}


def plan(
    numbers: Collection[str], remembered: Mapping[str, Heard[NumberCheck]], *, fresh: bool
) -> Plan:
    """Counts what `check` would ask about these numbers."""
    known = {} if fresh else remembered
    unsure = [number for number in numbers if number not in known or _denied(known, number)]
    others = {other for number in unsure for other in variants(number)}
    return Plan(
        numbers=len({*numbers} - known.keys()), variants=len(others - {*numbers} - known.keys())
    )


@dataclass(frozen=True, slots=True)
class _Asker:
    device: DeviceId
    enquiries: Enquiries
    fresh: bool
    until: float

    async def ask(self, numbers: Sequence[str]) -> Answers:
        """Gives an answer for each number, except where WhatsApp said nothing."""
        if not numbers:
            return {}
        try:
            async with asyncio.timeout_at(self.until):
                return await self.enquiries.check_numbers(self.device, numbers, fresh=self.fresh)
        except TimeoutError:
            return {**dict.fromkeys(numbers, WhatsappTimeout()), **await self._remembered(numbers)}
        except DomainError as error:
            return dict.fromkeys(numbers, error)

    async def _remembered(self, numbers: Sequence[str]) -> Mapping[str, Heard[NumberCheck]]:
        """Gives what need not have waited for a query that is late, answers to others included."""
        if self.fresh:
            return {}
        return await self.enquiries.recall_numbers(self.device, numbers)


def _denied(answers: Answers, number: str) -> bool:
    answer = answers.get(number)
    return isinstance(answer, Heard) and not answer.answer.registered
