"""Holds the running state of one account: its phone, its linked device, what is under way to it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wuts_sandbox.emulator.collection import NAMES, Collection, contact_entry, own_name_entry
from wuts_sandbox.emulator.directory import Directory
from wuts_sandbox.emulator.mutations import AppStateKey
from wuts_sandbox.emulator.signal_session import Bundle, PreKey, SignalSession
from wuts_sandbox.wire.keys import CurveKey
from wuts_sandbox.wire.node import Jid, Node, lid_jid, pn_jid

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wuts_sandbox.emulator.collection import Entry
    from wuts_sandbox.emulator.connection import Connection
    from wuts_sandbox.emulator.media import MediaStore
    from wuts_sandbox.world.document import Account

FIRST_DEVICE = 7
MAX_DEVICE = 99


class NoPreKeysError(RuntimeError):
    """The linked device has uploaded no prekeys yet, or all are used up."""


@dataclass
class LinkedDevice:
    """The one device of an account: how it is recognised, and its prekeys."""

    number: int
    noise_key: bytes
    identity: bytes
    signed: PreKey | None = None
    one_time: list[PreKey] = field(default_factory=list)
    sessions: dict[str, SignalSession] = field(default_factory=dict)

    def bundle(self) -> Bundle:
        """Takes one one-time prekey out; raises NoPreKeysError."""
        if self.signed is None or not self.one_time:
            message = "the device has no prekeys left"
            raise NoPreKeysError(message)
        return Bundle(self.identity, self.signed, self.one_time.pop(0))


class AccountState:
    """One account while the emulator runs."""

    def __init__(self, account: Account, media: MediaStore) -> None:
        self.document = account
        self.directory = Directory(account)
        self.identity = CurveKey.generate()
        self.key = AppStateKey.generate()
        self.collections = {name: Collection(name, self.key, media) for name in NAMES}
        self.device: LinkedDevice | None = None
        self.connection: Connection | None = None
        self.filled = asyncio.Event()
        self.fetched: set[str] = set()
        self.key_shared = False
        self.synced = False
        self.sync_task: asyncio.Task[None] | None = None
        self._next_device = FIRST_DEVICE
        self._outbox: dict[str, Node] = {}
        self._changed = asyncio.Condition()

    @property
    def pn(self) -> str:
        """The account's phone number, by which commands name it."""
        return self.document.pn

    @property
    def online(self) -> bool:
        """Whether the linked device is logged in and takes messages now."""
        return self.connection is not None and self.connection.ready

    def address(self, *, lid: bool = False, device: bool = True) -> Jid:
        """Returns the account's own address, of its linked device or of the phone."""
        number = self.device.number if device and self.device else 0
        return lid_jid(self.document.lid, number) if lid else pn_jid(self.pn, number)

    async def fill_collections(self) -> None:
        """Seals the contacts; for many of them this takes seconds, with pauses for others."""
        await self.collections["critical_block"].fill([own_name_entry(self.document.push_name)])
        await self.collections["critical_unblock_low"].fill(self._contacts())
        self.filled.set()

    def link(self, *, noise_key: bytes, identity: bytes) -> LinkedDevice:
        """Makes a device the account's linked one; whatever was linked before is forgotten."""
        self.unlink()
        self.device = LinkedDevice(self._next_device, noise_key, identity)
        self._next_device = FIRST_DEVICE + (self._next_device + 1 - FIRST_DEVICE) % MAX_DEVICE
        return self.device

    def unlink(self) -> None:
        """Forgets the linked device and everything under way to it."""
        if self.sync_task is not None:
            self.sync_task.cancel()
        self.device = self.sync_task = None
        self.key_shared = self.synced = False
        self.fetched.clear()
        self._outbox.clear()

    def post(self, message: Node) -> None:
        """Puts a message on its way; it is sent again at each login until it is acknowledged."""
        self._outbox[message.text("id")] = message
        if self.online and self.connection is not None:
            self.connection.send(message)

    def tell(self, notices: Iterable[Node]) -> None:
        """Posts notices to the linked device, if there is one; another hears of nothing past."""
        if self.device is not None:
            for notice in notices:
                self.post(notice)

    def resend(self) -> None:
        """Sends everything that is not acknowledged yet."""
        if self.connection is not None:
            for message in list(self._outbox.values()):
                self.connection.send(message)

    async def acknowledge(self, message_id: str) -> None:
        """Notes that the device has taken a message."""
        if self._outbox.pop(message_id, None) is not None:
            await self._notify()

    async def note_fetched(self, name: str) -> None:
        """Notes that the device has asked for a collection."""
        self.fetched.add(name)
        await self._notify()

    async def delivered(self) -> None:
        """Waits until the device has acknowledged everything."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._outbox)

    async def all_fetched(self) -> None:
        """Waits until the device has asked for every collection."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.fetched.issuperset(NAMES))

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def _contacts(self) -> Iterator[Entry]:
        for person in self.document.people:
            for jid, row in (
                (pn_jid(person.pn or ""), person.pn_row),
                (lid_jid(person.lid or ""), person.lid_row),
            ):
                if row.full_name or row.first_name:
                    yield contact_entry(
                        str(jid), full_name=row.full_name, first_name=row.first_name
                    )
