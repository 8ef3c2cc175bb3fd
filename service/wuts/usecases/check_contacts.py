"""Asks WhatsApp which phone numbers it knows."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from wuts.domain.errors import DomainError, ValidationFailed, WhatsappTimeout
from wuts.domain.jid import JidError, parse_phone

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wuts.domain.caller import DeviceId
    from wuts.ports import Enquiries

MAX_NUMBERS = 160
"""The most numbers of one call, as many as may be resolved at once."""

_SECONDS = 12.0
# Whoever waits longer than the gateway gets nothing at all.


async def check_contacts(
    device: DeviceId, numbers: Sequence[str], *, enquiries: Enquiries
) -> Mapping[str, bool]:
    """Tells which of the numbers somebody on WhatsApp has, by their digits.

    A number on which WhatsApp says nothing is missing. Raises ValidationFailed,
    and what keeps the first number without an answer from one.
    """
    if not 1 <= len(numbers) <= MAX_NUMBERS:
        message = f"must hold 1 to {MAX_NUMBERS} phone numbers"
        raise ValidationFailed("numbers", message, str(len(numbers)))
    digits = list(dict.fromkeys(_digits(place, text) for place, text in enumerate(numbers)))
    try:
        async with asyncio.timeout(_SECONDS):
            answers = await enquiries.check_numbers(device, digits, fresh=False)
    except TimeoutError:
        raise WhatsappTimeout from None
    told: dict[str, bool] = {}
    for number in digits:
        answer = answers.get(number)
        if isinstance(answer, DomainError):
            raise answer
        if answer is not None:
            told[number] = answer.answer.registered
    return told


def _digits(place: int, text: str) -> str:
    try:
        return parse_phone(text).user
    except JidError as error:
        raise ValidationFailed(f"numbers[{place}]", str(error), text) from None
