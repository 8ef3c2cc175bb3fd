"""Answers StreamContacts: reads the list page by page, and sends each before the next is read."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from wuts.contacts.v1 import contacts_service_pb2 as pb
from wuts.domain.state import DeviceState
from wuts.rpc import convert, streams
from wuts.usecases.stream_contacts import stream_contacts

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from grpc import aio

    from wuts.domain.caller import DeviceId
    from wuts.domain.contact import ContactPage
    from wuts.ports import ContactStore, LiveSessions
    from wuts.rpc.load import Load
    from wuts.rpc.page_tokens import PageTokens

    Context = aio.ServicerContext[Any, pb.StreamContactsResponse]

MAX_BYTES = 512 * 1024
"""The most bytes of a message of more than one contact."""

_HEAD = "x-envoy-head"
# The gateway's mark of a request of which only the headers are wanted.


class ContactStream:
    """Streams the contact lists of all devices; `load` ends streams and makes them rest."""

    def __init__(
        self,
        *,
        store: ContactStore,
        sessions: LiveSessions,
        page_tokens: PageTokens,
        patience: streams.Patience,
        load: Load,
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._page_tokens = page_tokens
        self._patience = patience
        self._load = load

    async def send(
        self, device: DeviceId, request: pb.StreamContactsRequest, context: Context, *, full: bool
    ) -> None:
        """Sends everything behind the caller's page token, page by page."""
        token = request.page_token
        after = self._page_tokens.open(token, device) if token else ""
        page_size = request.page_size if request.HasField("page_size") else None
        messages = self._messages(device, after, page_size, full=full)
        if any(key == _HEAD for key, _ in context.invocation_metadata() or ()):
            messages = streams.first_of(messages)
        await streams.send(messages, context, patience=self._patience, load=self._load)

    async def _messages(
        self, device: DeviceId, after: str, page_size: int | None, *, full: bool
    ) -> AsyncGenerator[pb.StreamContactsResponse]:
        def new_parcel() -> _Message:
            # Before reading: what is read while syncing may lack the last of it.
            is_synced = self._sessions.state(device) is not DeviceState.SYNCING
            return _Message(seal, is_synced if full else None)

        def seal(cursor: str) -> str:
            return self._page_tokens.seal(cursor, device)

        pages = stream_contacts(
            device,
            after=after,
            page_size=page_size,
            new_parcel=new_parcel,
            store=self._store,
            sessions=self._sessions,
        )
        async with aclosing(pages):
            async for message in pages:
                yield message.response


class _Message:
    """A response that is being filled; `synced` is None under view BASIC."""

    def __init__(self, seal: Callable[[str], str], synced: bool | None) -> None:  # noqa: FBT001  # as in the response
        self.response = pb.StreamContactsResponse(success=True, synced=synced)
        self._seal = seal

    def __len__(self) -> int:
        """Counts its contacts."""
        return len(self.response.contacts)

    def take(self, page: ContactPage) -> bool:
        """Adds a page unless the message would be too large."""
        response, held, token = self.response, len(self), self.response.next_page_token
        full = response.HasField("synced")
        convert.add_contacts(response.contacts, page.contacts, full=full)
        self._continue_with(self._seal(page.cursor) if page.cursor else "")
        if response.ByteSize() <= MAX_BYTES or len(self) <= 1:
            return True
        del response.contacts[held:]
        self._continue_with(token)
        return False

    def _continue_with(self, token: str) -> None:
        self.response.count = len(self.response.contacts)
        if token:
            self.response.next_page_token = token
        else:
            self.response.ClearField("next_page_token")
