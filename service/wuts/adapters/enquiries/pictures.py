"""Asks for pictures, and answers from memory while that is good."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from wuts.adapters.enquiries.picture_memory import PictureMemory
from wuts.adapters.enquiries.single_flight import SingleFlight
from wuts.domain.enquiry import Heard, QueryClass
from wuts.domain.errors import PictureHidden, PictureNotSet
from wuts.domain.picture import Picture, Unchanged

if TYPE_CHECKING:
    from wuts.adapters.enquiries.answers import Answers
    from wuts.adapters.enquiries.asking import Asking
    from wuts.adapters.enquiries.picture_memory import Entry
    from wuts.domain.jid import Jid

    Shown = Heard[Picture | Unchanged]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a caller wants; see wuts.ports.Enquiries.picture."""

    chat: Jid
    person: Jid
    is_proven: bool
    preview: bool
    existing_id: str
    refresh: bool


class Pictures:
    """The pictures that one device sees."""

    def __init__(self, asking: Asking, answers: Answers) -> None:
        self._asking = asking
        joined = partial(asking.note, QueryClass.PICTURE, "joined")
        self._flights: SingleFlight[Shown] = SingleFlight(joined)
        self.memory = PictureMemory(asking, answers)

    def recall(self, chat: Jid, *, preview: bool, existing_id: str) -> Shown | None:
        """Gives what was shown of a chat, if it is proven whose it is, and is still good."""
        entry = self.memory.entry_of_chat(chat, preview=preview)
        shown = self._shown(entry, existing_id)
        if shown is not None:
            self._asking.note(QueryClass.PICTURE, "hit")
        return shown

    async def ask(self, wish: Wish) -> Shown:
        """Gives the picture, from memory if it is good and no refresh is wanted."""
        entry = self.memory.entry(wish.person, preview=wish.preview)
        recalled = None if wish.refresh else self._recalled(wish, entry)
        if recalled is not None:
            self._asking.note(QueryClass.PICTURE, "hit")
            return recalled
        working = entry.working(self._asking.clock()) if entry and not wish.refresh else None
        known_id = working.id if working else wish.existing_id
        # After a change nobody joins a question from before it.
        key = (wish.person, wish.preview, known_id, self.memory.changes)
        shown = await self._flights.share(key, lambda: self._ask(wish, known_id))
        return Heard(_reply(wish.existing_id, shown.answer, working), shown.at)

    async def close(self) -> None:
        """Ends the questions under way."""
        await self._flights.close()

    def _recalled(self, wish: Wish, entry: Entry | None) -> Shown | None:
        """Answers from memory; raises PictureHidden and PictureNotSet from there, too."""
        refusal = self.memory.refusal(wish.person)
        if refusal is not None:
            self._asking.note(QueryClass.PICTURE, "hit")
            raise refusal
        return self._shown(entry, wish.existing_id)

    def _shown(self, entry: Entry | None, existing_id: str) -> Shown | None:
        asking = self._asking
        if entry is None or not asking.is_fresh(entry.at, asking.policy.picture):
            return None
        working = entry.working(asking.clock())
        if working is None and (entry.picture is not None or entry.id != existing_id):
            return None
        told = _reply(existing_id, working or Unchanged(entry.id))
        return Heard(told, entry.at, remembered=True)

    async def _ask(self, wish: Wish, known_id: str) -> Shown:
        asking, memory, changes = self._asking, self.memory, self.memory.changes
        await asking.pay(QueryClass.PICTURE)
        question = asking.sessions.picture(
            asking.device, wish.chat, preview=wish.preview, existing_id=known_id
        )
        try:
            shown = await asking.hear(QueryClass.PICTURE, question)
        except (PictureHidden, PictureNotSet) as refusal:
            if changes == memory.changes:
                memory.refuse(wish.person, wish.chat, Heard(refusal, asking.clock()))
            raise
        if changes == memory.changes:
            memory.keep(
                wish.person, wish.chat, shown, is_proven=wish.is_proven, preview=wish.preview
            )
        return shown


def _reply(
    existing_id: str, told: Picture | Unchanged, working: Picture | None = None
) -> Picture | Unchanged:
    """Says to a caller what WhatsApp said to the question that was shared.

    That may have been asked with the id of the picture that was known, `working`.
    """
    if told.id == existing_id:
        return Unchanged(told.id)
    return working if isinstance(told, Unchanged) and working is not None else told
