"""ContactsService: convert, call the use case, convert."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wuts.contacts.v1 import contacts_service_pb2 as pb
from wuts.domain.enquiry import Lookup
from wuts.domain.errors import ValidationFailed
from wuts.rpc import convert, identity_messages
from wuts.rpc.authentication import current_caller
from wuts.rpc.contact_section import SectionCalls
from wuts.usecases.get_budget import get_budget
from wuts.usecases.get_profile_picture import PictureQuestion, get_profile_picture
from wuts.usecases.resolve_identifiers import resolve_identifiers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from grpc import aio

    from wuts.ports import ContactStore, Enquiries, LiveSessions
    from wuts.rpc.contact_list import ContactList
    from wuts.rpc.contact_stream import ContactStream

_FULL = "FULL"
_VIEWS = ("BASIC", _FULL)


class ContactsServicer(SectionCalls):
    """Serves the calls for the device of the caller's token."""

    def __init__(
        self,
        *,
        store: ContactStore,
        sessions: LiveSessions,
        enquiries: Enquiries,
        contact_list: ContactList,
        contact_stream: ContactStream,
    ) -> None:
        super().__init__(store=store, sessions=sessions, enquiries=enquiries)
        self._list = contact_list
        self._stream = contact_stream

    async def ListContacts(  # the name of the rpc
        self,
        request: pb.ListContactsRequest,
        context: aio.ServicerContext[Any, Any],  # part of the signature
    ) -> pb.ListContactsResponse:
        """Lists the device's contacts, all or one page of them."""
        device = current_caller().device()
        return await self._list.answer(device, request, context, full=_is_full(request.view))

    async def StreamContacts(  # the name of the rpc
        self,
        request: pb.StreamContactsRequest,
        context: aio.ServicerContext[Any, Any],  # part of the signature
    ) -> AsyncIterator[pb.StreamContactsResponse]:
        """Sends the device's contacts, all of them, page by page."""
        device = current_caller().device()
        await self._stream.send(device, request, context, full=_is_full(request.view))
        return
        yield  # type: ignore[unreachable]  # all is sent; gRPC knows a stream by this word

    async def GetProfilePicture(  # the name of the rpc
        self,
        request: pb.GetProfilePictureRequest,
        context: aio.ServicerContext[Any, Any],  # part of the signature
    ) -> pb.GetProfilePictureResponse:
        """Finds one picture; absent `preview` means the preview."""
        full = _is_full(request.view)
        question = PictureQuestion(
            jid=request.jid,
            number=request.number,
            preview=request.preview if request.HasField("preview") else True,
            existing_id=request.existing_id,
            refresh=request.refresh,
        )
        found = await get_profile_picture(
            current_caller().device(),
            question,
            store=self._store,
            sessions=self._sessions,
            enquiries=self._enquiries,
        )
        data = convert.picture(found, full=full)
        return pb.GetProfilePictureResponse(success=True, data=data)

    async def ResolveIdentifiers(  # the name of the rpc
        self,
        request: pb.ResolveIdentifiersRequest,
        context: aio.ServicerContext[Any, Any],  # part of the signature
    ) -> pb.ResolveIdentifiersResponse:
        """Resolves every input; the items stand in the order of the inputs."""
        full = _is_full(request.view)
        found = await resolve_identifiers(
            current_caller().device(),
            request.jids,
            group_jid=request.group_jid,
            lookup=Lookup(_word("lookup", request.lookup, [*Lookup])),
            dry_run=request.dry_run,
            store=self._store,
            enquiries=self._enquiries,
            explained=full,
        )
        return identity_messages.resolution(request.jids, found, full=full)

    async def GetBudget(  # the name of the rpc
        self,
        request: pb.GetBudgetRequest,
        context: aio.ServicerContext[Any, Any],  # part of the signature
    ) -> pb.GetBudgetResponse:
        """Tells what the device may still ask of WhatsApp."""
        left = await get_budget(current_caller().device(), enquiries=self._enquiries)
        return pb.GetBudgetResponse(success=True, data=convert.budget(left))


def _is_full(view: str) -> bool:
    return _word("view", view, _VIEWS) == _FULL


def _word(field: str, text: str, words: Sequence[str]) -> str:
    """Reads a word of a closed list, whose first one is meant by an empty text."""
    if text and text not in words:
        *others, last = (f'"{word}"' for word in words)
        raise ValidationFailed(field, f"must be {', '.join(others)} or {last}", text)
    return text or words[0]
