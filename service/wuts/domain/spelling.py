"""How phone numbers may be spelled.

Some countries have two spellings of one number, and WhatsApp knows an account
by one of them. No rule tells by which, so this module makes candidates only;
which one is right has to be proven.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from wuts.domain.errors import DomainError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wuts.domain.enquiry import Heard, NumberCheck
    from wuts.domain.group import Roster
    from wuts.domain.knowledge import Knowledge


class Proof(StrEnum):
    """What proves that a number is spelled as WhatsApp spells it; the first one counts."""

    CONTACT_ROW = "CONTACT_ROW"
    LID_MAP = "LID_MAP"
    GROUP = "GROUP"
    SERVER = "SERVER"


class _Rule(NamedTuple):
    """What a number looks like, and what its other spelling has at a place: more, or less."""

    pattern: re.Pattern[str]
    place: int
    added: str = ""
    dropped: int = 0


# By country code and length.
_RULES: Final = {
    # Brazil: mobiles have got a 9 before their eight digits, landlines (2 to 5) have not.
    ("55", 12): _Rule(re.compile(r"55[1-9][1-9][6-9][0-9]{7}"), 4, added="9"),
    ("55", 13): _Rule(re.compile(r"55[1-9][1-9]9[6-9][0-9]{7}"), 4, dropped=1),
    # Mexico: the 1 of mobiles was given up.
    ("52", 12): _Rule(re.compile(r"52[2-9][0-9]{9}"), 2, added="1"),
    ("52", 13): _Rule(re.compile(r"521[2-9][0-9]{9}"), 2, dropped=1),
    # Argentina: mobiles have a 9 when they are called from abroad.
    ("54", 12): _Rule(re.compile(r"54[1-3][0-9]{9}"), 2, added="9"),
    ("54", 13): _Rule(re.compile(r"549[1-3][0-9]{9}"), 2, dropped=1),
}


def variants(number: str) -> tuple[str, ...]:
    """Gives the other spellings of a phone number, in digits as the number itself.

    They are candidates: an account may be known by any of them, or by none.
    """
    rule = _RULES.get((number[:2], len(number)))
    if rule is None or rule.pattern.fullmatch(number) is None:
        return ()
    return (number[: rule.place] + rule.added + number[rule.place + rule.dropped :],)


class Spelling(NamedTuple):
    """The spellings of one number, and which of them is proven.

    `tried` begins with the number as it was given; `canonical` is empty and
    `proof` None as long as nothing proves any of them.
    """

    tried: tuple[str, ...]
    canonical: str = ""
    proof: Proof | None = None

    @property
    def best(self) -> str:
        """The proven spelling, else the number as it was given."""
        return self.canonical or self.tried[0]


def prove(number: str, known: Knowledge, roster: Roster | None = None) -> Spelling:
    """Finds the spelling that the store or a roster proves; the given one wins."""
    tried = (number, *variants(number))
    for spelled in tried:
        proof = _proof(spelled, known, roster)
        if proof is not None:
            return Spelling(tried, spelled, proof)
    return Spelling(tried)


def _proof(number: str, known: Knowledge, roster: Roster | None) -> Proof | None:
    if number in known.pn_rows:
        return Proof.CONTACT_ROW
    if number in known.lid_of_pn:
        return Proof.LID_MAP
    if roster is not None and roster.find(pn=number) is not None:
        return Proof.GROUP
    return None


class Verdict(NamedTuple):
    """What is settled of one number.

    `heard` is WhatsApp's word on it, as far as that was needed: that somebody
    has it, or that nobody has it under any spelling. `error` is what kept it
    from an answer.
    """

    spelling: Spelling
    heard: Heard[NumberCheck] | None = None
    error: DomainError | None = None


def settle(local: Spelling, answers: Mapping[str, Heard[NumberCheck] | DomainError]) -> Verdict:
    """Joins what is proven already with WhatsApp's answers, by the number asked.

    The first spelling that WhatsApp knows is the right one, as WhatsApp writes
    it; a number is nobody's only when that was said of all its spellings.
    """
    found = [answers[number] for number in local.tried if number in answers]
    if not found:
        return Verdict(local)
    heard = [answer for answer in found if not isinstance(answer, DomainError)]
    for each in heard:
        if each.answer.registered:
            return Verdict(_confirmed(local, each.answer), each)
    if len(heard) == len(local.tried):
        return Verdict(Spelling(local.tried), max(heard, key=lambda each: each.at))
    errors = (answer for answer in found if isinstance(answer, DomainError))
    return Verdict(local, error=next(errors, None))


def _confirmed(local: Spelling, check: NumberCheck) -> Spelling:
    number = check.pn or check.asked
    if number == local.canonical:
        return local
    return Spelling(local.tried, number, Proof.SERVER)
