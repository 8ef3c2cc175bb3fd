"""The service's own code, from the store to the bytes that are sent."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import apsw
import uvloop

from benchmarks import outcomes, questions, seeds
from wuts.adapters import whatsmeow_people as people
from wuts.adapters.revisions.known import Known
from wuts.adapters.revisions.reading import Reading
from wuts.adapters.sqlite import Limits
from wuts.adapters.whatsmeow_store import WhatsmeowStore
from wuts.contacts.v1 import contacts_service_pb2 as pb
from wuts.domain.enquiry import Lookup
from wuts.domain.jid import Jid
from wuts.rpc import convert, identity_messages
from wuts.usecases.identifiers import Wanted, parse
from wuts.usecases.list_contacts import list_contacts
from wuts.usecases.resolve_identifiers import resolve_identifiers

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from benchmarks.variants import Job
    from wuts.domain.caller import DeviceId
    from wuts.domain.enquiry import Heard, NumberCheck

PAGE = 1000
_ALL = 10**9


class Lists:
    """Lists as the service does, and by the same statement all at once."""

    tell = staticmethod(outcomes.of_list)

    def __init__(self, store: Path, size: int) -> None:
        self._loop = uvloop.new_event_loop()
        self._device = seeds.device_of(size)
        self._store = WhatsmeowStore(_data(store))
        self._connection = connect(store)

    @property
    def jobs(self) -> Mapping[str, Job]:
        """Pages of 1000 and the whole list as the service reads them; one statement; bare rows."""
        return {
            "pages": lambda: self._loop.run_until_complete(self._pages()),
            "whole": lambda: self._loop.run_until_complete(self._whole()),
            "one-shot": self._one_shot,
            "rows": self._rows,
        }

    async def _pages(self) -> list[bytes]:
        made, cursor = [], ""
        while True:
            message, cursor = await self._listed(cursor, PAGE)
            made.append(message)
            if not cursor:
                return made

    async def _whole(self) -> list[bytes]:
        return [(await self._listed("", None))[0]]

    async def _listed(self, after: str, page_size: int | None) -> tuple[bytes, str]:
        """Answers as ContactList does, but for tokens and tags; gives the cursor, too."""
        reading = Reading(self._store, Known(), 0.0, on_whole=_pass, on_unknown=_pass)
        pages = list_contacts(
            self._device,
            after=after,
            page_size=page_size,
            max_list=_ALL,
            store=reading,
            sessions=_Connected(),
        )
        response, cursor = pb.ListContactsResponse(success=True), ""
        async for page in pages:
            convert.add_contacts(response.contacts, page.contacts, full=False)
            cursor = page.cursor
        response.count = len(response.contacts)
        reading.content()
        return response.SerializeToString(), cursor

    def _one_shot(self) -> list[bytes]:
        told = people.ask_page(self._connection, "", _ALL)
        page = people.read_page(told)
        response = pb.ListContactsResponse(success=True, count=len(page.contacts))
        convert.add_contacts(response.contacts, page.contacts, full=False)
        return [response.SerializeToString()]

    def _rows(self) -> Sequence[object]:
        """Makes no message of them: what no Python service gets below."""
        values = people.page_values(self._connection, "", _ALL)
        return self._connection.execute(people.PAGE, values).fetchall()


class SinglePages(Lists):
    """Three full pages: the first, one from the middle, the last one that is full."""

    def __init__(self, store: Path, size: int) -> None:
        super().__init__(store, size)
        starts = self._loop.run_until_complete(self._all_starts())
        full = starts[:-1] or starts
        self._starts = full[0], full[len(full) // 2], full[-1]

    @property
    def jobs(self) -> Mapping[str, Job]:
        """The three."""
        return {"page": lambda: self._loop.run_until_complete(self._three())}

    async def _all_starts(self) -> list[str]:
        starts, cursor = [""], ""
        while True:
            _, cursor = await self._listed(cursor, PAGE)
            if not cursor:
                return starts
            starts.append(cursor)

    async def _three(self) -> list[bytes]:
        return [(await self._listed(start, PAGE))[0] for start in self._starts]


class Resolving:
    """The use case, made into messages."""

    tell = staticmethod(outcomes.of_resolution)

    def __init__(self, store: Path, size: int) -> None:
        self._loop = uvloop.new_event_loop()
        self._path, self._data = store, _data(store)
        self._device = seeds.device_of(size)
        self._batches = questions.batches(size)
        self._held = WhatsmeowStore(self._data)

    @property
    def jobs(self) -> Mapping[str, Job]:
        """So many batches, each on a connection that was not open, or all on one that stays.

        "statement" is what no answer on a fresh connection gets below.
        """
        return {
            "statement": self._statements,
            "fresh": lambda: self._loop.run_until_complete(self._answer_all(is_fresh=True)),
            "held": lambda: self._loop.run_until_complete(self._answer_all(is_fresh=False)),
        }

    def _statements(self) -> list[bytes]:
        for batch in self._batches:
            with closing(connect(self._path)) as connection:
                wanted = Wanted.of(jid for jid in map(parse, batch) if isinstance(jid, Jid))
                people.ask_knowledge(connection, wanted.pns, wanted.lids)
        return []

    async def _answer_all(self, *, is_fresh: bool) -> list[bytes]:
        answer = self._answer_freshly if is_fresh else self._answer
        return [await answer(batch) for batch in self._batches]

    async def _answer_freshly(self, batch: Sequence[str]) -> bytes:
        store = WhatsmeowStore(self._data)
        try:
            return await self._answer(batch, store)
        finally:
            store.close()

    async def _answer(self, batch: Sequence[str], store: WhatsmeowStore | None = None) -> bytes:
        found = await resolve_identifiers(
            self._device,
            batch,
            group_jid="",
            lookup=Lookup.LOCAL_ONLY,
            dry_run=False,
            explained=False,
            store=store or self._held,
            enquiries=_NothingHeard(),  # type: ignore[arg-type] # the part of it that is used
        )
        return identity_messages.resolution(batch, found, full=False).SerializeToString()


class _Connected:
    """A device that is connected."""

    async def require_connected(self, device: DeviceId) -> None:
        """Returns."""


class _NothingHeard:
    """Has heard nothing of any number, as a device that asks WhatsApp nothing."""

    async def recall_numbers(
        self, device: DeviceId, numbers: Collection[str]
    ) -> Mapping[str, Heard[NumberCheck]]:
        """Gives nothing."""
        return {}


def connect(store: Path) -> apsw.Connection:
    """Opens a store as the service does, but for the thread."""
    flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_NOMUTEX
    connection = apsw.Connection(str(store), flags=flags)
    connection.pragma("cache_size", -Limits().cache_kib)
    return connection


def _data(store: Path) -> Path:
    return store.parents[2]


def _pass() -> None:
    """Takes no note: that is what a caller's answer does not wait for."""


VARIANTS = {"lists": Lists, "pages": SinglePages, "resolving": Resolving}
