"""Answers to callers who hold a list already: ETag and If-None-Match."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from grpc import aio

    from wuts.domain.caller import DeviceId
    from wuts.domain.contact import ContactPage
    from wuts.domain.revision import Revision
    from wuts.ports import ContactStore, ListReading
    from wuts.rpc.page_tokens import PageTokens

_TAG = re.compile(r'(?:W/)?"([\x21\x23-\x7e]*)"')
_ANY = "*"
_CACHING = (
    ("cache-control", "private, max-age=5"),
    # A browser may hold the answers to two tokens, and they are not the same.
    ("vary", "authorization"),
)


class Condition:
    """What one caller holds of a list, and the tags it goes by.

    `question` is everything the answer depends on beside the list: the device
    and the parameters. A tag is good for one question only.
    """

    def __init__(
        self, context: aio.ServicerContext[Any, Any], tokens: PageTokens, question: Iterable[object]
    ) -> None:
        self._context = context
        self._tokens = tokens
        self._question = list(question)
        metadata = context.invocation_metadata() or ()
        held = ",".join(str(value) for key, value in metadata if key == "if-none-match")
        self._held = {_ANY} if held.strip() == _ANY else set(_TAG.findall(held))

    @property
    def is_set(self) -> bool:
        """Tells whether the caller holds anything."""
        return bool(self._held)

    def is_met_by(self, content: str) -> bool:
        """Tells whether the caller holds the list of that content."""
        return bool(content) and (_ANY in self._held or self._tag(content) in self._held)

    async def answer_unchanged(self, revision: Revision) -> None:
        """Tells the caller, ahead of an empty message, that the list is what it was.

        Whoever keeps answers counts the age of what is known into their five seconds.
        """
        age = math.ceil(revision.age)
        told = (("x-status", "304"), ("etag", self._etag(revision.content)), *_CACHING)
        await self._context.send_initial_metadata((*told, ("age", str(age))) if age else told)

    async def answer_read(self, content: str) -> None:
        """Names the list that follows; an empty content has no name."""
        named = (("etag", self._etag(content)),) if content else ()
        await self._context.send_initial_metadata((*named, *_CACHING))

    def _etag(self, content: str) -> str:
        # Weak: the bytes differ with the page tokens and the compression.
        return f'W/"{self._tag(content)}"'

    def _tag(self, content: str) -> str:
        return self._tokens.tag(json.dumps([content, *self._question]))


class NoRevisions:
    """Answers the port Revisions where nobody keeps them: no list is ever known."""

    def __init__(self, store: ContactStore) -> None:
        self._store = store

    async def current(self, device: DeviceId) -> Revision | None:
        """Knows nothing."""

    def reading(self, device: DeviceId) -> ListReading:  # noqa: ARG002 # of the port
        """Reads the store, and takes no note."""
        return _Unnoted(self._store)

    async def forget(self, device: DeviceId) -> None:
        """Holds nothing."""


class _Unnoted:
    def __init__(self, store: ContactStore) -> None:
        self._store = store

    async def page(self, device: DeviceId, *, after: str, limit: int) -> ContactPage:
        return await self._store.page(device, after=after, limit=limit)

    def content(self) -> str:
        return ""
