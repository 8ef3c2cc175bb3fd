"""What is asked of WhatsApp, and what was heard."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from wuts.domain.jid import Jid

T = TypeVar("T")


class QueryClass(StrEnum):
    """The classes of questions; each has a budget of its own."""

    NUMBER_CHECK = "NUMBER_CHECK"
    USER_INFO = "USER_INFO"
    PICTURE = "PICTURE"
    GROUP_INFO = "GROUP_INFO"


class Lookup(StrEnum):
    """Whether WhatsApp may be asked about phone numbers."""

    LOCAL_ONLY = "LOCAL_ONLY"
    ALLOW_NETWORK = "ALLOW_NETWORK"
    FORCE = "FORCE"


@dataclass(frozen=True, slots=True)
class NumberCheck:
    """WhatsApp's word on one phone number; all are digits.

    `pn` is the number as WhatsApp spells it, which may differ from `asked`;
    `pn` and `lid` are empty when WhatsApp did not tell, or nobody has it.
    """

    asked: str
    registered: bool
    pn: str = ""
    lid: str = ""


@dataclass(frozen=True, slots=True)
class Heard(Generic[T]):
    """An answer of WhatsApp's, and when it was given.

    `remembered` tells that it was given to an earlier question.
    """

    answer: T
    at: datetime
    remembered: bool = False


class ChangeKind(StrEnum):
    """What of a chat may change."""

    PICTURE = "PICTURE"
    GROUP = "GROUP"


@dataclass(frozen=True, slots=True)
class Change:
    """Says that what is known of a chat is outdated."""

    kind: ChangeKind
    chat: Jid


@dataclass(frozen=True, slots=True)
class QueryBudget:
    """What is left of one class of questions.

    `remaining` may be asked at once now, `burst` after a rest; `per_hour` come
    back in an hour; `retry_after` is in whole seconds, 0 when one may be asked.
    """

    query_class: QueryClass
    remaining: int
    burst: int
    per_hour: int
    retry_after: int


@dataclass(frozen=True, slots=True)
class Budget:
    """What a device has left; `quiet_until` is None outside a quiet time."""

    queries: Sequence[QueryBudget]
    quiet_until: datetime | None = None
