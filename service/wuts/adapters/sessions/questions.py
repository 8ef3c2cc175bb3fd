"""Asks WhatsApp over the devices' sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from wuts.adapters.sessions import answers
from wuts.domain.errors import DomainError
from wuts.session.v1 import session_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from wuts.adapters.sessions.device import DeviceSession
    from wuts.adapters.sessions.surroundings import Surroundings
    from wuts.domain.blocklist import Blocklist
    from wuts.domain.caller import DeviceId
    from wuts.domain.enquiry import NumberCheck
    from wuts.domain.group import Roster
    from wuts.domain.jid import Jid
    from wuts.domain.picture import Picture, Unchanged
    from wuts.domain.profile import UserInfo

A = TypeVar("A")


class Questions:
    """Turns questions into requests and replies into answers, and counts the outcomes."""

    def __init__(
        self, around: Surroundings, session_of: Callable[[DeviceId], DeviceSession]
    ) -> None:
        self._tallies = around.tallies
        self._slow_down_seconds = around.limits.rate_limit_seconds
        self._session_of = session_of

    async def picture(
        self, device: DeviceId, chat: Jid, *, preview: bool, existing_id: str
    ) -> Picture | Unchanged:
        """Asks for the picture of a contact or a group."""
        request = pb.PictureRequest(
            user=chat.user, server=chat.server, preview=preview, existing_id=existing_id
        )
        return await self._ask(
            device,
            pb.Request(picture=request),
            lambda reply: answers.picture(
                reply, existing_id=existing_id, slow_down_seconds=self._slow_down_seconds
            ),
        )

    async def roster(self, device: DeviceId, group: Jid) -> Roster:
        """Asks for a group's participants."""
        return await self._ask(
            device,
            pb.Request(roster=pb.RosterRequest(user=group.user)),
            lambda reply: answers.roster(reply, slow_down_seconds=self._slow_down_seconds),
        )

    async def numbers(self, device: DeviceId, numbers: Sequence[str]) -> Mapping[str, NumberCheck]:
        """Asks which phone numbers are on WhatsApp."""
        return await self._ask(
            device,
            pb.Request(numbers=pb.NumbersRequest(numbers=numbers)),
            lambda reply: answers.numbers(reply, slow_down_seconds=self._slow_down_seconds),
        )

    async def user_info(self, device: DeviceId, person: Jid) -> UserInfo:
        """Asks what a person tells of themselves."""
        request = pb.UserInfoRequest(user=person.user, server=person.server)
        return await self._ask(
            device,
            pb.Request(user_info=request),
            lambda reply: answers.user_info(reply, slow_down_seconds=self._slow_down_seconds),
        )

    async def blocklist(self, device: DeviceId) -> Blocklist:
        """Asks whom the account has blocked."""
        return await self._blocklist(device, pb.Request(blocklist=pb.BlocklistRequest()))

    async def set_blocked(self, device: DeviceId, person: Jid, *, blocked: bool) -> Blocklist:
        """Has a person blocked or unblocked."""
        request = pb.BlockRequest(user=person.user, server=person.server, blocked=blocked)
        return await self._blocklist(device, pb.Request(block=request))

    async def _blocklist(self, device: DeviceId, request: pb.Request) -> Blocklist:
        return await self._ask(
            device,
            request,
            lambda reply: answers.blocklist(reply, slow_down_seconds=self._slow_down_seconds),
        )

    async def _ask(self, device: DeviceId, request: pb.Request, read: Callable[[pb.Reply], A]) -> A:
        try:
            answer = read(await self._session_of(device).ask(request))
        except DomainError as error:
            self._tallies.calls[type(error).__name__] += 1
            raise
        self._tallies.calls["OK"] += 1
        return answer
