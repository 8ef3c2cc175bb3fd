"""Brings the world to a newly linked device, in the order that keeps its rows exact."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wuts_sandbox.emulator.phone import business_message, history_chunk, key_share
from wuts_sandbox.emulator.stanzas import new_id, now
from wuts_sandbox.wire.node import Jid, Node, lid_jid, pn_jid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wuts_sandbox.emulator.account import AccountState
    from wuts_sandbox.world.document import Person, Row

CHUNK = 2000
"""Push names or pairs in one message: few enough that the device's write lock is held briefly."""

BUSINESS_BATCH = 200


async def bring_world(account: AccountState) -> None:
    """Sends everything the device is to know by itself; ends when the last message is taken.

    Business names go first: the library copies such a name to the person's other row as soon as
    it knows the pair. Pairs go last, when the app state is written.
    """
    await account.filled.wait()
    for number, message in enumerate(_business_messages(account)):
        account.post(message)
        if number % BUSINESS_BATCH == BUSINESS_BATCH - 1:
            await account.delivered()
    await account.delivered()
    account.post(key_share(account))
    await account.delivered()
    account.key_shared = True
    await account.all_fetched()
    for chunk in history_chunks(account):
        account.post(chunk)
        await account.delivered()
    account.synced = True


def history_chunks(account: AccountState) -> Iterator[Node]:
    """Makes the messages with all push names and mapped pairs."""
    people = account.document.people
    names = [
        (str(jid), row.push_name)
        for person in people
        for jid, row in rows_of(person)
        if row.push_name
    ]
    pairs = [
        (str(lid_jid(person.pair[0])), str(pn_jid(person.pair[1])))
        for person in people
        if person.mapped and person.pair
    ]
    for start in range(0, max(len(names), len(pairs)), CHUNK):
        end = start + CHUNK
        yield history_chunk(account, names[start:end], pairs[start:end])


def sync_notification(account: AccountState, names: list[str]) -> Node:
    """Returns the notice that collections have changed; the device then asks for them."""
    changed: list[Node] = [
        Node("collection", {"name": name, "version": str(account.collections[name].version)})
        for name in names
    ]
    attrs: dict[str, str | Jid] = {
        "from": account.address(device=False),
        "type": "server_sync",
        "id": new_id(),
        "t": now(),
    }
    return Node("notification", attrs, changed)


def rows_of(person: Person) -> Iterator[tuple[Jid, Row]]:
    """Walks over a person's spellings and the names stored under each."""
    if person.pn:
        yield pn_jid(person.pn), person.pn_row
    if person.lid:
        yield lid_jid(person.lid), person.lid_row


def _business_messages(account: AccountState) -> Iterator[Node]:
    for person in account.document.people:
        for jid, row in rows_of(person):
            if row.business_name:
                yield business_message(jid, row.business_name)
