"""The contact store: one whatsmeow file for each device, read side by side with its writer."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import structlog

from wuts.adapters import whatsmeow_people as people
from wuts.adapters import whatsmeow_tables as tables
from wuts.adapters.sqlite import Limits, Reader, in_snapshot
from wuts.domain.errors import DeviceNotReady, StoreUnavailable
from wuts.domain.jid import Jid, pn_jid
from wuts.domain.state import DeviceState
from wuts.instruments import SILENT, Instruments

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from apsw import Connection

    from wuts.adapters.sqlite import Stamp
    from wuts.domain.caller import DeviceId
    from wuts.domain.contact import ContactPage
    from wuts.domain.knowledge import Knowledge

T = TypeVar("T")

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class Verdict(StrEnum):
    """What a look at a device's store says before its session starts."""

    LINKED = "linked"
    NEW = "new"
    """No file, or no device in it."""
    REFUSED = "refused"
    """A schema this release does not know."""
    UNREADABLE = "unreadable"
    """Corrupt, locked or too slow."""


@dataclass(slots=True)
class _Open:
    reader: Reader
    used: float
    """Monotonic seconds."""


class WhatsmeowStore:
    """Reads `<data>/devices/<device>/store.db` of every device.

    Each device has its own connection and thread, so that the slow disk of one
    tenant holds up nobody else. Belongs to one event loop.
    """

    def __init__(
        self,
        data: Path,
        *,
        limits: Limits | None = None,
        open_files: int = 64,
        idle_seconds: float = 60.0,
        instruments: Instruments = SILENT,
    ) -> None:
        """Takes the data directory, and how many files stay open for how long unused."""
        self._devices = data / "devices"
        self._limits = limits or Limits()
        self._open_files = open_files
        self._idle_seconds = idle_seconds
        self._instruments = instruments
        self._open: dict[DeviceId, _Open] = {}

    async def page(self, device: DeviceId, *, after: str, limit: int) -> ContactPage:
        """Gives at most `limit` contacts, at least 1, behind the cursor `after`."""
        job = in_snapshot(partial(people.ask_page, after=after, limit=limit))
        return people.read_page(await self._run("page", device, job))

    async def stamped_page(
        self, device: DeviceId, *, after: str, limit: int
    ) -> tuple[Stamp, ContactPage]:
        """Gives a page together with the state of the store that it is from."""
        reader = self._reader(device)
        ask = partial(people.ask_page, after=after, limit=limit)
        job = in_snapshot(lambda store: (reader.stamp(store), ask(store)))
        stamp, told = await self._run("page", device, job)
        return stamp, people.read_page(told)

    async def stamp(self, device: DeviceId) -> Stamp:
        """Names the state of the store; equal stamps mean that nothing was written between."""
        return await self._run("stamp", device, self._reader(device).stamp)

    async def lookup(
        self, device: DeviceId, *, pns: Collection[str], lids: Collection[str]
    ) -> Knowledge:
        """Gives all rows and pairs about the people behind these digits."""
        job = partial(people.ask_knowledge, pns=pns, lids=lids)
        return people.read_knowledge(await self._run("lookup", device, job))

    async def account(self, device: DeviceId) -> Jid:
        """Gives the PN JID of the account the device is linked to."""
        own = await self._run("account", device, tables.read_own)
        return pn_jid(own.pn)

    async def synced(self, device: DeviceId) -> bool:
        """Tells whether the contacts' app state of a linked device has arrived."""
        return await self._run("synced", device, in_snapshot(tables.read_synced))

    def forget(self, device: DeviceId) -> None:
        """Closes the file of a device that is removed, as soon as its running job is done."""
        entry = self._open.pop(device, None)
        if entry is not None:
            entry.reader.close()

    async def check(self, device: DeviceId) -> Verdict:
        """Tells whether a store can be read at all; logs the reason when not."""
        try:
            await self._read(device, tables.read_own)
        except DeviceNotReady:
            return Verdict.NEW
        except tables.SchemaRefused:
            return Verdict.REFUSED
        except StoreUnavailable:
            return Verdict.UNREADABLE
        return Verdict.LINKED

    def close(self) -> None:
        """Closes all files, each as soon as its running job is done."""
        while self._open:
            self._open.popitem()[1].reader.close()

    async def _run(self, name: str, device: DeviceId, job: Callable[[Connection], T]) -> T:
        with self._instruments.store_read(name):
            try:
                return await self._read(device, job)
            except tables.SchemaRefused:
                raise StoreUnavailable from None

    async def _read(self, device: DeviceId, job: Callable[[Connection], T]) -> T:
        reader = self._reader(device)
        try:
            return await reader.run(job)
        except FileNotFoundError:
            raise DeviceNotReady(DeviceState.NEW) from None
        except tables.SchemaRefused as refused:
            _log.error(
                "store_schema_refused",
                device=device,
                version=refused.version,
                oldest_known=tables.OLDEST_SCHEMA,
                newest_known=tables.NEWEST_SCHEMA,
            )
            raise

    def _reader(self, device: DeviceId) -> Reader:
        now = time.monotonic()
        entry = self._open.pop(device, None)
        self._retire(now)
        if entry is None:
            path = self._devices / device / "store.db"
            entry = _Open(Reader(path, self._limits, tables.require_known_schema, device), now)
        entry.used = now
        # A dictionary keeps its order: the last is the one used last.
        self._open[device] = entry
        return entry.reader

    def _retire(self, now: float) -> None:
        """Closes files long unused, and the longest unused one to make room for one more."""
        surplus = len(self._open) + 1 - self._open_files
        for device, entry in list(self._open.items()):
            if surplus <= 0 and now - entry.used < self._idle_seconds:
                break
            if entry.reader.idle:
                del self._open[device]
                entry.reader.close()
                surplus -= 1
        if surplus > 0:
            _log.warning("stores_all_busy", open_files=self._open_files)
            raise StoreUnavailable
