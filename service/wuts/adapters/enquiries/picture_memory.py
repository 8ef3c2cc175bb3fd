"""What one device remembers of pictures: those it was shown, and those there are not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cachetools import LRUCache

from wuts.adapters.enquiries.answers import Answer
from wuts.domain.errors import PictureHidden, PictureNotSet
from wuts.domain.picture import Picture, Unchanged

if TYPE_CHECKING:
    from datetime import datetime

    from wuts.adapters.enquiries.answers import Answers
    from wuts.adapters.enquiries.asking import Asking
    from wuts.domain.enquiry import Heard
    from wuts.domain.jid import Jid

PICTURE = "picture"
"""The kind of the answers that are kept here: why there is no picture to see, by person."""

_HIDDEN, _NOT_SET = "HIDDEN", "NOT_SET"


@dataclass(frozen=True, slots=True)
class Entry:
    """A picture of which the id is known, and perhaps more.

    `works_until` is how long the address in `picture` may be given away.
    """

    id: str
    at: datetime
    picture: Picture | None = None
    works_until: datetime | None = None

    def working(self, now: datetime) -> Picture | None:
        """Gives the picture while its address works."""
        return self.picture if self.works_until is not None and now < self.works_until else None


class PictureMemory:
    """Remembers under the person, and knows the chats that the person was asked about by."""

    def __init__(self, asking: Asking, answers: Answers) -> None:
        policy = asking.policy
        self._asking = asking
        self._answers = answers
        self._entries: LRUCache[tuple[str, bool], Entry] = LRUCache(policy.pictures)
        self._persons: LRUCache[str, str] = LRUCache(2 * (policy.pictures + policy.answers))
        self._proven: LRUCache[str, str] = LRUCache(2 * policy.pictures)
        self.changes = 0
        """Grows with each change that WhatsApp tells of."""

    @property
    def is_empty(self) -> bool:
        """Tells whether nothing is remembered of anybody."""
        return not self._persons

    def entry(self, person: Jid, *, preview: bool) -> Entry | None:
        """Gives what was shown last, however old."""
        return self._entries.get((str(person), preview))

    def entry_of_chat(self, chat: Jid, *, preview: bool) -> Entry | None:
        """Gives what was shown last of the person whose chat this is proven to be."""
        return self._entries.get((self._proven.get(str(chat), ""), preview))

    def refusal(self, person: Jid) -> PictureHidden | PictureNotSet | None:
        """Gives the reason why there is no picture to see, while it is believed."""
        answer = self._answers.get((PICTURE, str(person)))
        if answer is None:
            return None
        is_hidden, policy = answer.value.get("reason") == _HIDDEN, self._asking.policy
        age = policy.hidden_picture if is_hidden else policy.no_picture
        if not self._asking.is_fresh(answer.at, age):
            return None
        return PictureHidden() if is_hidden else PictureNotSet()

    def keep(
        self,
        person: Jid,
        chat: Jid,
        heard: Heard[Picture | Unchanged],
        *,
        is_proven: bool,
        preview: bool,
    ) -> None:
        """Remembers what WhatsApp has shown, or that it has not changed."""
        key, told = (str(person), preview), heard.answer
        before = self._entries.get(key)
        if isinstance(told, Picture):
            self._entries[key] = Entry(told.id, heard.at, told, self._works_until(told, heard.at))
        elif before is not None and before.id == told.id and before.working(heard.at):
            self._entries[key] = replace(before, at=heard.at)
        else:
            self._entries[key] = Entry(told.id, heard.at)
        self._answers.drop((PICTURE, str(person)))
        self._persons[str(chat)] = str(person)
        if is_proven:
            self._proven[str(chat)] = str(person)

    def refuse(self, person: Jid, chat: Jid, heard: Heard[PictureHidden | PictureNotSet]) -> None:
        """Remembers that there is no picture to see, in any size."""
        key = (PICTURE, str(person))
        reason = _HIDDEN if isinstance(heard.answer, PictureHidden) else _NOT_SET
        before = self._answers.get(key)
        chats = {str(chat), *(_chats(before) if before else ())}
        self._answers.put(key, Answer(heard.at, {"reason": reason, "chats": sorted(chats)}))
        self._drop_entries(str(person))
        self._persons[str(chat)] = str(person)

    def learn_chats(self) -> None:
        """Learns, once the answers are read from disk, by which chats they were asked for."""
        for key in self._answers.keys(PICTURE):
            answer = self._answers.get(key)
            chats = _chats(answer) if answer else []
            self._persons.update(dict.fromkeys(chats, key[1]))

    def forget(self, chat: Jid) -> None:
        """Forgets a person whose picture has changed.

        What is under way is not remembered either.
        """
        self.changes += 1
        known = self._persons.pop(str(chat), str(chat))
        for person in {str(chat), known}:
            self._drop_entries(person)
            self._answers.drop((PICTURE, person))

    def forget_all(self) -> None:
        """Forgets everybody: nothing may be told of what changes from now on."""
        self.changes += 1
        self._entries.clear()
        self._persons.clear()
        self._proven.clear()
        for key in self._answers.keys(PICTURE):
            self._answers.drop(key)

    def _drop_entries(self, person: str) -> None:
        for preview in (True, False):
            self._entries.pop((person, preview), None)

    def _works_until(self, picture: Picture, at: datetime) -> datetime:
        policy, end = self._asking.policy, picture.expires_at
        return at + policy.address if end is None else end - policy.address_margin


def _chats(answer: Answer) -> list[str]:
    chats = answer.value.get("chats")
    return [str(chat) for chat in chats] if isinstance(chats, list) else []
