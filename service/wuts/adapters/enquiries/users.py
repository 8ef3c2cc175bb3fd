"""What people tell of themselves; asked each time, and nothing is remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wuts.adapters.enquiries.single_flight import SingleFlight
from wuts.domain.enquiry import QueryClass

if TYPE_CHECKING:
    from wuts.adapters.enquiries.asking import Asking
    from wuts.domain.jid import Jid
    from wuts.domain.profile import UserInfo


class Users:
    """The questions of one device about people; the same at one time is asked once."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._flights: SingleFlight[UserInfo] = SingleFlight()

    async def ask(self, person: Jid) -> UserInfo:
        """Gives what a person tells; raises NotOnWhatsapp."""
        return await self._flights.share(person, lambda: self._ask(person))

    async def close(self) -> None:
        """Ends the questions under way."""
        await self._flights.close()

    async def _ask(self, person: Jid) -> UserInfo:
        asking = self._asking
        await asking.pay(QueryClass.USER_INFO)
        question = asking.sessions.user_info(asking.device, person)
        return (await asking.hear(QueryClass.USER_INFO, question)).answer
