"""Which phone numbers are on WhatsApp."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from wuts.adapters.enquiries.answers import Answer
from wuts.adapters.enquiries.single_flight import outcome
from wuts.domain.enquiry import Heard, NumberCheck, QueryClass
from wuts.domain.errors import DomainError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from wuts.adapters.enquiries.answers import Answers
    from wuts.adapters.enquiries.asking import Asking

    Outcome = Heard[NumberCheck] | DomainError

NUMBER = "number"
"""The kind of the answers kept here, under the number as it was asked about."""


class Numbers:
    """What one device has heard of phone numbers."""

    def __init__(self, asking: Asking, answers: Answers) -> None:
        self._asking = asking
        self._answers = answers
        self._under_way: dict[str, asyncio.Task[Mapping[str, Outcome]]] = {}

    def recall(self, numbers: Collection[str]) -> dict[str, Heard[NumberCheck]]:
        """Gives what is remembered of these numbers."""
        found = ((number, self._recall(number)) for number in numbers)
        return {number: heard for number, heard in found if heard is not None}

    async def check(self, numbers: Collection[str], *, fresh: bool) -> dict[str, Outcome]:
        """Gives what is remembered, and asks about the rest: each number once."""
        found: dict[str, Outcome] = {} if fresh else dict(self.recall(numbers))
        missing = [number for number in dict.fromkeys(numbers) if number not in found]
        unasked = [number for number in missing if number not in self._under_way]
        self._asking.note(QueryClass.NUMBER_CHECK, "hit", len(found))
        self._asking.note(QueryClass.NUMBER_CHECK, "joined", len(missing) - len(unasked))
        self._begin(unasked)
        for task in {self._under_way[number]: None for number in missing}:
            told = await outcome(task)
            found |= {number: told[number] for number in missing if number in told}
        return found

    async def close(self) -> None:
        """Ends the questions under way."""
        tasks = set(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, numbers: Sequence[str]) -> None:
        size = self._asking.policy.numbers_at_once
        for start in range(0, len(numbers), size):
            chunk = numbers[start : start + size]
            task = asyncio.create_task(self._ask(chunk))
            self._under_way |= dict.fromkeys(chunk, task)
            task.add_done_callback(self._land)

    def _land(self, task: asyncio.Task[Mapping[str, Outcome]]) -> None:
        for number in [number for number, own in self._under_way.items() if own is task]:
            del self._under_way[number]
        if not task.cancelled():
            task.exception()  # everyone who waited may have left

    async def _ask(self, numbers: Sequence[str]) -> Mapping[str, Outcome]:
        """Asks about as many of the numbers, at most a chunk, as there is budget for."""
        try:
            paid = await self._asking.pay(QueryClass.NUMBER_CHECK, len(numbers))
        except DomainError as error:
            return dict.fromkeys(numbers, error)
        outcomes: dict[str, Outcome] = {}
        if paid < len(numbers):
            exhausted = self._asking.budgets.exhausted(QueryClass.NUMBER_CHECK)
            outcomes |= dict.fromkeys(numbers[paid:], exhausted)
        outcomes |= await self._ask_paid(numbers[:paid])
        return outcomes

    async def _ask_paid(self, numbers: Sequence[str]) -> Mapping[str, Outcome]:
        asking = self._asking
        question = asking.sessions.check_numbers(asking.device, numbers)
        try:
            heard = await asking.hear(QueryClass.NUMBER_CHECK, question)
        except DomainError as error:
            return dict.fromkeys(numbers, error)
        for number, check in heard.answer.items():
            told = {"registered": check.registered, "pn": check.pn, "lid": check.lid}
            self._answers.put((NUMBER, number), Answer(heard.at, told))
        return {number: Heard(check, heard.at) for number, check in heard.answer.items()}

    def _recall(self, number: str) -> Heard[NumberCheck] | None:
        answer = self._answers.get((NUMBER, number))
        if answer is None:
            return None
        check = _check(number, answer)
        policy = self._asking.policy
        age = policy.registered if check.registered else policy.not_registered
        heard = Heard(check, answer.at, remembered=True)
        return heard if self._asking.is_fresh(heard.at, age) else None


def _check(number: str, answer: Answer) -> NumberCheck:
    told = answer.value
    return NumberCheck(
        number, bool(told.get("registered")), str(told.get("pn", "")), str(told.get("lid", ""))
    )
