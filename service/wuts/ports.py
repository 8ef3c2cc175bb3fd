"""What the use cases need from the outside, and adapters provide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Collection

    from wuts.domain.caller import Caller, DeviceId
    from wuts.domain.contact import ContactPage
    from wuts.domain.group import Roster
    from wuts.domain.jid import Jid
    from wuts.domain.knowledge import Knowledge
    from wuts.domain.picture import Picture, Unchanged
    from wuts.domain.state import DeviceState


class ContactStore(Protocol):
    """Reads what whatsmeow has synced for one device.

    Every method takes the device: a query that forgets the tenant cannot be
    written. All raise StoreUnavailable when the store cannot be read in time,
    and DeviceNotReady when the device is not linked.
    """

    async def page(self, device: DeviceId, *, after: str, limit: int) -> ContactPage:
        """Gives at most `limit` contacts behind the cursor `after`.

        An empty cursor means from the beginning. Over an unchanged store the
        pages repeat and skip nobody.
        """
        ...

    async def lookup(
        self, device: DeviceId, *, pns: Collection[str], lids: Collection[str]
    ) -> Knowledge:
        """Gives all rows and pairs about the people behind these digits.

        A row under the person's other JID is found through the LID map.
        """
        ...

    async def account(self, device: DeviceId) -> Jid:
        """Gives the PN JID of the account the device is linked to."""
        ...


class LiveSessions(Protocol):
    """Talks to WhatsApp over the live sessions of linked devices.

    Every call has its own deadline and waits a little while the device is
    reconnecting. All raise DeviceNotReady, RateLimited, WhatsappTimeout and
    WhatsappError.
    """

    def state(self, device: DeviceId) -> DeviceState:
        """Tells the state of the device now."""
        ...

    async def require_connected(self, device: DeviceId) -> None:
        """Returns when the device is connected, else raises DeviceNotReady."""
        ...

    async def picture(
        self, device: DeviceId, chat: Jid, *, preview: bool, existing_id: str
    ) -> Picture | Unchanged:
        """Asks for the picture of a contact or a group.

        Raises PictureHidden and PictureNotSet. `existing_id` may be empty.
        """
        ...

    async def roster(self, device: DeviceId, group: Jid) -> Roster:
        """Asks for a group's participants; raises GroupNotFound, GroupForbidden."""
        ...

    def link(self, device: DeviceId) -> AsyncGenerator[QrText | Linked]:
        """Links the device: yields QR codes and, at last, `Linked`.

        Raises DeviceNotReady with the state it ended in when linking fails.
        """
        ...


@dataclass(frozen=True, slots=True)
class QrText:
    """A new QR code to show; it replaces the one before."""

    text: str


@dataclass(frozen=True, slots=True)
class Linked:
    """The device is linked and connected; the last step of linking."""

    account: Jid


class TokenDirectory(Protocol):
    """Knows the tokens, users and devices of all tenants."""

    def authenticate(self, token: str) -> Caller | None:
        """Tells who holds this token; None for an unknown or revoked one.

        `token` is a lower-case UUID text. Raises ServiceUnavailable when the
        directory cannot be read.
        """
        ...

    def create_device(self, tenant: str, user: str) -> DeviceId:
        """Creates one more device for a user, named by the ids in a Caller."""
        ...

    def record_linked(self, device: DeviceId, account: Jid) -> None:
        """Remembers that a device is linked and should be connected."""
        ...
