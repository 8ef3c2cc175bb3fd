"""Answers ListContacts: reads the list, or tells the caller that nothing has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wuts.contacts.v1 import contacts_service_pb2 as pb
from wuts.domain.revision import Revision
from wuts.domain.state import DeviceState
from wuts.rpc import convert
from wuts.rpc.conditional import Condition
from wuts.usecases.list_contacts import list_contacts
from wuts.usecases.recognise_list import recognise_list

if TYPE_CHECKING:
    from grpc import aio

    from wuts.domain.caller import DeviceId
    from wuts.instruments import Metrics
    from wuts.ports import ListReading, LiveSessions, Revisions
    from wuts.rpc.page_tokens import PageTokens

    Context = aio.ServicerContext[Any, Any]


class ContactList:
    """Serves the contact lists of all devices."""

    def __init__(
        self,
        *,
        sessions: LiveSessions,
        revisions: Revisions,
        page_tokens: PageTokens,
        max_list: int,
        metrics: Metrics,
    ) -> None:
        self._sessions = sessions
        self._revisions = revisions
        self._page_tokens = page_tokens
        self._max_list = max_list
        self._metrics = metrics

    async def answer(
        self, device: DeviceId, request: pb.ListContactsRequest, context: Context, *, full: bool
    ) -> pb.ListContactsResponse:
        """Gives the list, all or one page of it; a caller who has it gets an empty message."""
        token = request.page_token
        after = self._page_tokens.open(token, device) if token else ""
        page_size = request.page_size if request.HasField("page_size") else None
        # Before reading: what is read while syncing may lack the last of it.
        is_synced = self._sessions.state(device) is not DeviceState.SYNCING
        question = (device, full, page_size, token, is_synced)
        condition = Condition(context, self._page_tokens, question)
        if condition.is_set and await self._is_recognised(device, condition):
            return pb.ListContactsResponse()
        reading = self._revisions.reading(device)
        response = await self._read(device, reading, after, page_size, full=full)
        if await self._is_recognised_now(reading.content(), condition):
            return pb.ListContactsResponse()
        if full:
            response.synced = is_synced
        return response

    async def _read(
        self,
        device: DeviceId,
        reading: ListReading,
        after: str,
        page_size: int | None,
        *,
        full: bool,
    ) -> pb.ListContactsResponse:
        pages = list_contacts(
            device,
            after=after,
            page_size=page_size,
            max_list=self._max_list,
            store=reading,
            sessions=self._sessions,
        )
        response, cursor = pb.ListContactsResponse(success=True), ""
        async for page in pages:
            convert.add_contacts(response.contacts, page.contacts, full=full)
            cursor = page.cursor
        response.count = len(response.contacts)
        if cursor:
            response.next_page_token = self._page_tokens.seal(cursor, device)
        return response

    async def _is_recognised(self, device: DeviceId, condition: Condition) -> bool:
        """Tells the caller that the list is unchanged, if that is known without reading it."""
        revision = await recognise_list(
            device, condition.is_met_by, sessions=self._sessions, revisions=self._revisions
        )
        if revision is None:
            return False
        self._metrics.list_answered("unchanged")
        await condition.answer_unchanged(revision)
        return True

    async def _is_recognised_now(self, content: str, condition: Condition) -> bool:
        """Tells the caller the name of what was read, or that it is what the caller has."""
        if condition.is_met_by(content):
            self._metrics.list_answered("unchanged_after_read")
            await condition.answer_unchanged(Revision(content, age=0))
            return True
        self._metrics.list_answered("read")
        await condition.answer_read(content)
        return False
