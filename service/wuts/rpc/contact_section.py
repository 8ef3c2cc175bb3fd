"""The calls of ContactsService beside the lists: profiles, blocklist, checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wuts.contacts.v1 import contacts_service_pb2 as pb
from wuts.contacts.v1 import contacts_service_pb2_grpc as pb_grpc
from wuts.rpc import contact_messages as messages
from wuts.rpc.authentication import current_caller
from wuts.usecases.blocklist import BlockChange, change_blocklist, get_blocklist
from wuts.usecases.check_contacts import check_contacts
from wuts.usecases.get_contact_profile import get_contact_profile
from wuts.usecases.sync_app_state import sync_app_state

if TYPE_CHECKING:
    from grpc import aio

    from wuts.ports import ContactStore, Enquiries, LiveSessions

    Changing = pb.BlockContactRequest | pb.UnblockContactRequest


class SectionCalls(pb_grpc.ContactsServiceServicer):
    """Serves them for the device of the caller's token."""

    def __init__(
        self, *, store: ContactStore, sessions: LiveSessions, enquiries: Enquiries
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._enquiries = enquiries

    async def GetContactProfile(
        self, request: pb.GetContactProfileRequest, context: aio.ServicerContext[Any, Any]
    ) -> pb.GetContactProfileResponse:
        """Tells what a person tells of themselves."""
        found = await get_contact_profile(
            current_caller().device(),
            jid=request.jid,
            number=request.number,
            store=self._store,
            sessions=self._sessions,
            enquiries=self._enquiries,
        )
        return pb.GetContactProfileResponse(success=True, data=messages.profile(found))

    async def GetBlocklist(
        self, request: pb.GetBlocklistRequest, context: aio.ServicerContext[Any, Any]
    ) -> pb.GetBlocklistResponse:
        """Lists whom the account has blocked."""
        device = current_caller().device()
        found = await get_blocklist(device, store=self._store, sessions=self._sessions)
        return pb.GetBlocklistResponse(success=True, data=messages.blocklist(found))

    async def BlockContact(
        self, request: pb.BlockContactRequest, context: aio.ServicerContext[Any, Any]
    ) -> pb.BlockContactResponse:
        """Blocks somebody."""
        change = await self._change(request, blocked=True)
        return pb.BlockContactResponse(success=True, data=messages.block_change(change))

    async def UnblockContact(
        self, request: pb.UnblockContactRequest, context: aio.ServicerContext[Any, Any]
    ) -> pb.UnblockContactResponse:
        """Unblocks somebody."""
        change = await self._change(request, blocked=False)
        return pb.UnblockContactResponse(success=True, data=messages.block_change(change))

    async def CheckContacts(
        self, request: pb.CheckContactsRequest, context: aio.ServicerContext[Any, Any]
    ) -> pb.CheckContactsResponse:
        """Tells which numbers are on WhatsApp."""
        device = current_caller().device()
        told = await check_contacts(device, request.numbers, enquiries=self._enquiries)
        return pb.CheckContactsResponse(success=True, data=told)

    async def SyncAppState(
        self, request: pb.SyncAppStateRequest, context: aio.ServicerContext[Any, Any]
    ) -> pb.SyncAppStateResponse:
        """Refuses, after the request was found to be a good one."""
        current_caller().device()
        sync_app_state(request.scopes)

    async def _change(self, request: Changing, *, blocked: bool) -> BlockChange:
        # Half a name from here and half from there would be somebody else.
        named = request.target if request.target.jid or request.target.number else request
        return await change_blocklist(
            current_caller().device(),
            jid=named.jid,
            number=named.number,
            blocked=blocked,
            store=self._store,
            sessions=self._sessions,
            enquiries=self._enquiries,
        )
