"""Enquiries that remember nothing and are never exhausted: the same reply however often."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from wuts.domain.enquiry import Budget, Heard, QueryBudget, QueryClass

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from wuts.domain.caller import DeviceId
    from wuts.domain.enquiry import NumberCheck
    from wuts.domain.errors import DomainError
    from wuts.domain.group import Roster
    from wuts.domain.jid import Jid
    from wuts.domain.picture import Picture, Unchanged
    from wuts.domain.profile import UserInfo
    from wuts.ports import LiveSessions

HEARD_AT = datetime(2026, 6, 15, 13, 45, 2, tzinfo=UTC)
QUIET_UNTIL = datetime(2026, 6, 16, tzinfo=UTC)


class Enquiries:
    """Asks the sessions every time."""

    def __init__(self, sessions: LiveSessions) -> None:
        self._sessions = sessions

    async def recall_numbers(
        self, device: DeviceId, numbers: Collection[str]
    ) -> Mapping[str, Heard[NumberCheck]]:
        """Remembers nothing."""
        return {}

    async def check_numbers(
        self, device: DeviceId, numbers: Collection[str], *, fresh: bool
    ) -> Mapping[str, Heard[NumberCheck] | DomainError]:
        """Asks about all of them at once."""
        answers = await self._sessions.check_numbers(device, list(numbers))
        return {number: Heard(answer, HEARD_AT) for number, answer in answers.items()}

    def recall_roster(self, device: DeviceId, group: Jid) -> Heard[Roster] | None:
        """Remembers nothing."""
        return None

    async def roster(self, device: DeviceId, group: Jid, *, fresh: bool) -> Heard[Roster]:
        """Asks for the roster."""
        return Heard(await self._sessions.roster(device, group), HEARD_AT)

    def recall_picture(
        self, device: DeviceId, chat: Jid, *, preview: bool, existing_id: str
    ) -> Heard[Picture | Unchanged] | None:
        """Remembers nothing."""
        return None

    async def picture(
        self,
        device: DeviceId,
        chat: Jid,
        *,
        person: Jid,
        is_proven: bool,
        preview: bool,
        existing_id: str,
        refresh: bool,
    ) -> Heard[Picture | Unchanged]:
        """Asks for the picture."""
        asked = self._sessions.picture(device, chat, preview=preview, existing_id=existing_id)
        return Heard(await asked, HEARD_AT)

    async def user_info(self, device: DeviceId, person: Jid) -> UserInfo:
        """Asks about the person."""
        return await self._sessions.user_info(device, person)

    async def budget(self, device: DeviceId) -> Budget:
        """Tells a budget with one class of each kind: full, in use, exhausted."""
        left = [QueryBudget(each, 37, 60, 120, 0) for each in QueryClass]
        left[-1] = QueryBudget(QueryClass.GROUP_INFO, 0, 30, 120, 17)
        return Budget(left, QUIET_UNTIL)

    async def forget(self, device: DeviceId) -> None:
        """Has nothing to forget."""
