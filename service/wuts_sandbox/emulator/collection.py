"""Keeps one collection of app state: its entries, version, hash, snapshot and later patches."""

from __future__ import annotations

import asyncio
import hmac
import time
from typing import TYPE_CHECKING, Any

from wuts_sandbox.emulator.mutations import RunningHash, seal
from wuts_sandbox.wire import protos
from wuts_sandbox.wire.node import Node

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wuts_sandbox.emulator.media import MediaStore
    from wuts_sandbox.emulator.mutations import AppStateKey, Sealed

NAMES = ("critical_block", "critical_unblock_low", "regular_high", "regular", "regular_low")
PAUSE_EVERY = 500

Entry = tuple[list[str], Any]
"""An index and its SyncActionValue."""


class Collection:
    """One named collection, sealed with one key."""

    def __init__(self, name: str, key: AppStateKey, media: MediaStore) -> None:
        self.name = name
        self.version = 0
        self._key = key
        self._media = media
        self._sealed: dict[bytes, Sealed] = {}
        self._hash = RunningHash()
        self._patches: dict[int, bytes] = {}
        self._snapshot: tuple[int, bytes] | None = None

    async def fill(self, entries: Iterable[Entry]) -> None:
        """Puts in the first entries as version 1; lets other work go on in between."""
        for number, (index, value) in enumerate(entries):
            self._put(seal(self._key, index, value))
            if number % PAUSE_EVERY == 0:
                await asyncio.sleep(0)
        self.version = 1 if self._sealed else 0

    def change(self, entries: Iterable[Entry]) -> None:
        """Adds or replaces entries as one new patch."""
        sealed = [seal(self._key, index, value) for index, value in entries]
        for item in sealed:
            self._put(item)
        self.version += 1
        self._patches[self.version] = self._patch(sealed)

    def answer(self, asked: Node) -> Node:
        """Returns the collection as a client asked for it: as a snapshot, or later patches."""
        attrs: dict[str, Any] = {"name": self.name, "version": str(self.version)}
        if asked.text("return_snapshot") == "true" and self.version:
            return Node("collection", attrs, [Node("snapshot", {}, self._reference())])
        have = int(asked.text("version") or 0)
        newer = [Node("patch", {}, patch) for at, patch in self._patches.items() if at > have]
        return Node("collection", attrs, [Node("patches", {}, newer)] if newer else None)

    def _put(self, item: Sealed) -> None:
        former = self._sealed.get(item.index_mac)
        if former is not None:
            self._hash.subtract(former.value_mac)
        self._hash.add(item.value_mac)
        self._sealed[item.index_mac] = item

    def _reference(self) -> bytes:
        # A snapshot holds the present state and no patch on top: the library keeps the first of
        # two entries under one index in the same answer.
        if self._snapshot is None or self._snapshot[0] != self.version:
            self._snapshot = (self.version, self._media.publish(self._snapshot_message()))
        return self._snapshot[1]

    def _snapshot_message(self) -> bytes:
        sync = protos.server_sync
        key_id = self._key.key_id
        message: bytes = sync.SyncdSnapshot(
            version=sync.SyncdVersion(version=self.version),
            records=[item.record(key_id) for item in self._sealed.values()],
            mac=self._state_mac(),
            keyID=sync.KeyId(ID=key_id),
        ).SerializeToString()
        return message

    def _patch(self, sealed: list[Sealed]) -> bytes:
        sync = protos.server_sync
        key_id = self._key.key_id
        state_mac = self._state_mac()
        covered = state_mac + b"".join(item.value_mac for item in sealed) + self._place()
        message: bytes = sync.SyncdPatch(
            version=sync.SyncdVersion(version=self.version),
            mutations=[
                sync.SyncdMutation(operation=sync.SyncdMutation.SET, record=item.record(key_id))
                for item in sealed
            ],
            snapshotMAC=state_mac,
            patchMAC=hmac.digest(self._key.patch_mac, covered, "sha256"),
            keyID=sync.KeyId(ID=key_id),
        ).SerializeToString()
        return message

    def _state_mac(self) -> bytes:
        return hmac.digest(self._key.snapshot_mac, self._hash.digest() + self._place(), "sha256")

    def _place(self) -> bytes:
        return self.version.to_bytes(8, "big") + self.name.encode()


def contact_entry(jid: str, *, full_name: str, first_name: str) -> Entry:
    """Returns the entry that names a contact."""
    action = protos.sync_action.ContactAction(
        fullName=full_name, firstName=first_name, saveOnPrimaryAddressbook=True
    )
    value = protos.sync_action.SyncActionValue(timestamp=_now_ms(), contactAction=action)
    return ["contact", jid], value


def own_name_entry(push_name: str) -> Entry:
    """Returns the entry that tells a device its account's own push name."""
    action = protos.sync_action.PushNameSetting(name=push_name)
    value = protos.sync_action.SyncActionValue(timestamp=_now_ms(), pushNameSetting=action)
    return ["setting_pushName"], value


def _now_ms() -> int:
    return int(time.time() * 1000)
