"""In-memory stand-ins for the contact store and the registry."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from wuts.domain.caller import Caller, DeviceId, Role
from wuts.domain.contact import Contact, ContactPage, Names
from wuts.domain.device import DeviceRecord
from wuts.domain.errors import DeviceNotReady, NotFound
from wuts.domain.jid import Jid, Server, parse_user
from wuts.domain.knowledge import Knowledge, Row
from wuts.domain.state import DeviceState

if TYPE_CHECKING:
    from collections.abc import Collection


def page_of(contacts: list[Contact], cursor: str = "") -> ContactPage:
    """Makes a page with the text that belongs to it."""
    return ContactPage(contacts, cursor, json.dumps(contacts, separators=(",", ":")).encode())


@dataclass
class _Device:
    own_pn: str
    own_lid: str
    rows: dict[str, Row] = field(default_factory=dict)
    pn_of_lid: dict[str, str] = field(default_factory=dict)

    def people(self) -> list[tuple[str, Contact]]:
        """Merges the rows: each person with the JID that its place in the list follows."""
        lid_of_pn = {pn: lid for lid, pn in self.pn_of_lid.items()}
        people: dict[str, Contact] = {}
        for key in self.rows:
            user, _, server = key.rpartition("@")
            if server == Server.PN:
                pn, lid = user, lid_of_pn.get(user, "")
            elif server == Server.LID:
                pn, lid = self.pn_of_lid.get(user, ""), user
            else:
                continue
            if pn == self.own_pn or (lid and lid == self.own_lid):
                continue
            self._add_person(people, pn, lid)
        return sorted(people.items(), reverse=True)

    def _add_person(self, people: dict[str, Contact], pn: str, lid: str) -> None:
        pn_jid = f"{pn}@s.whatsapp.net" if pn else ""
        lid_jid = f"{lid}@lid" if lid else ""
        nothing = Row(Names())
        names = self.rows.get(pn_jid, nothing).names
        names = names.filled_from(self.rows.get(lid_jid, nothing).names)
        if names:
            place = pn_jid if pn_jid in self.rows else lid_jid
            people[place] = Contact(pn_jid or lid_jid, lid_jid, *names)


class InMemoryContactStore:
    """A ContactStore over dictionaries; fill it with link(), add_row() and pair()."""

    def __init__(self) -> None:
        self._devices: dict[DeviceId, _Device] = {}
        self._writes = 0

    def link(self, device: DeviceId, pn: str, lid: str = "") -> None:
        """Links a device to the account of these digits."""
        self._devices[device] = _Device(pn, lid)
        self.touch()

    def unlink(self, device: DeviceId) -> None:
        """Forgets the link, and all that was stored for it."""
        del self._devices[device]
        self.touch()

    def add_row(
        self, device: DeviceId, their_jid: str, names: Names, redacted_phone: str = ""
    ) -> None:
        """Stores a row under a JID."""
        self._devices[device].rows[their_jid] = Row(names, redacted_phone)
        self.touch()

    def remove_rows(self, device: DeviceId, their_jids: Collection[str]) -> None:
        """Forgets rows."""
        for jid in their_jids:
            del self._devices[device].rows[jid]
        self.touch()

    def pair(self, device: DeviceId, pn: str, lid: str) -> None:
        """Stores that these digits are the PN and the LID of one person."""
        self._devices[device].pn_of_lid[lid] = pn
        self.touch()

    def touch(self) -> None:
        """Writes something that is no contact."""
        self._writes += 1

    async def stamp(self, device: DeviceId) -> tuple[int, int]:
        """Names the state of the store: the number of writes."""
        self._linked(device)
        return 0, self._writes

    async def stamped_page(
        self, device: DeviceId, *, after: str, limit: int
    ) -> tuple[tuple[int, int], ContactPage]:
        """Gives a page with the state it is from."""
        return await self.stamp(device), await self.page(device, after=after, limit=limit)

    async def page(self, device: DeviceId, *, after: str, limit: int) -> ContactPage:
        """Gives a page; the cursor is the place of its last person."""
        behind = [one for one in self._linked(device).people() if not after or one[0] < after]
        page = [contact for _, contact in behind[:limit]]
        return page_of(page, behind[limit - 1][0] if len(behind) > limit else "")

    async def lookup(
        self, device: DeviceId, *, pns: Collection[str], lids: Collection[str]
    ) -> Knowledge:
        """Gives rows and pairs of these people."""
        store = self._linked(device)
        pairs = {
            lid: pn for lid, pn in store.pn_of_lid.items() if lid in set(lids) or pn in set(pns)
        }
        all_pns, all_lids = {*pns, *pairs.values()}, {*lids, *pairs}
        return Knowledge(
            pn_rows=self._rows(store, all_pns, Server.PN),
            lid_rows=self._rows(store, all_lids, Server.LID),
            lid_of_pn={pn: lid for lid, pn in pairs.items()},
            pn_of_lid=pairs,
        )

    async def account(self, device: DeviceId) -> Jid:
        """Gives the PN JID of the account."""
        return parse_user(f"{self._linked(device).own_pn}@{Server.PN}")

    def forget(self, device: DeviceId) -> None:
        """Holds nothing but what was stored, which stays."""

    def _linked(self, device: DeviceId) -> _Device:
        if device not in self._devices:
            raise DeviceNotReady(DeviceState.NEW)
        return self._devices[device]

    @staticmethod
    def _rows(store: _Device, users: set[str], server: Server) -> dict[str, Row]:
        keys = {user: str(Jid(user, server)) for user in users}
        return {user: store.rows[key] for user, key in keys.items() if key in store.rows}


@dataclass
class _Token:
    tenant: str
    user: str
    device: DeviceId | None


class InMemoryTokenDirectory:
    """A TokenDirectory and Devices over dictionaries; fill it with add_user() and add_token()."""

    def __init__(self) -> None:
        self._users: dict[tuple[str, str], Role] = {}
        self._devices: dict[DeviceId, DeviceRecord] = {}
        self._tokens: dict[str, _Token] = {}
        self.should_connect: set[DeviceId] = set()

    def add_user(self, tenant: str, user: str, role: Role = Role.USER) -> None:
        """Adds a user, and the tenant when it is new."""
        self._users[tenant, user] = role

    def add_token(
        self, tenant: str, user: str, device: DeviceId | None = None, *, token: str = ""
    ) -> str:
        """Makes a token for a user, a random one unless it is given, and gives it."""
        token = token or str(uuid.uuid4())
        self._tokens[token] = _Token(tenant, user, device)
        return token

    def revoke_token(self, token: str) -> None:
        """Revokes a token."""
        del self._tokens[token]

    def authenticate(self, token: str) -> Caller | None:
        """Tells who holds the token."""
        found = self._tokens.get(token)
        if found is None:
            return None
        role = self._users[found.tenant, found.user]
        devices = tuple(device.id for device in self.devices(found.tenant, found.user))
        return Caller(found.tenant, found.user, role, found.device, devices)

    def devices(self, tenant: str, user: str | None = None) -> list[DeviceRecord]:
        """Lists devices, oldest first."""
        return [
            device
            for device in self._devices.values()
            if device.tenant == tenant and user in {None, device.user}
        ]

    def device(self, tenant: str, device: str) -> DeviceRecord:
        """Finds a device of the tenant."""
        found = self._devices.get(DeviceId(device))
        if found is None or found.tenant != tenant:
            raise NotFound(what="device")
        return found

    def create_device(
        self, tenant: str, user: str, *, name: str | None = None, device_id: str | None = None
    ) -> DeviceId:
        """Creates a device, of a random id unless one is given."""
        if (tenant, user) not in self._users:
            raise NotFound(what="user")
        device = DeviceId(device_id or str(uuid.uuid4()))
        times = (CREATED, CREATED)
        self._devices[device] = DeviceRecord(device, tenant, user, name or "", None, *times)
        return device

    def remove_device(self, device: DeviceId) -> None:
        """Forgets a device and the tokens bound to it."""
        self._known(device)
        del self._devices[device]
        self.should_connect.discard(device)
        bound = [token for token, found in self._tokens.items() if found.device == device]
        for token in bound:
            del self._tokens[token]

    def set_should_connect(self, device: DeviceId, *, should_connect: bool) -> None:
        """Remembers the wish."""
        change = self.should_connect.add if should_connect else self.should_connect.discard
        change(self._known(device).id)

    def record_linked(self, device: DeviceId, account: Jid) -> None:
        """Remembers the account of a device."""
        self._devices[device] = replace(self._known(device), account=account)
        self.should_connect.add(device)

    def _known(self, device: DeviceId) -> DeviceRecord:
        if device not in self._devices:
            raise NotFound(what="device")
        return self._devices[device]


CREATED = datetime(2026, 6, 15, 13, 45, 2, tzinfo=UTC)
"""When every device was created."""
