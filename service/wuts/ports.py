"""What the use cases need from the outside, and adapters provide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence

    from wuts.domain.blocklist import Blocklist
    from wuts.domain.caller import Caller, DeviceId
    from wuts.domain.contact import ContactPage
    from wuts.domain.device import DeviceRecord, DeviceStatus, PairCode, QrCode
    from wuts.domain.enquiry import Budget, Change, Heard, NumberCheck
    from wuts.domain.errors import DomainError
    from wuts.domain.group import Roster
    from wuts.domain.jid import Jid
    from wuts.domain.knowledge import Knowledge
    from wuts.domain.picture import Picture, Unchanged
    from wuts.domain.profile import UserInfo
    from wuts.domain.revision import Revision
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

    def forget(self, device: DeviceId) -> None:
        """Lets go of whatever is held for a device that is removed."""
        ...


class ListReading(Protocol):
    """One caller's walk through a device's contacts, of which note is taken."""

    async def page(self, device: DeviceId, *, after: str, limit: int) -> ContactPage:
        """Reads a page as ContactStore.page does."""
        ...

    def content(self) -> str:
        """Names the content of the whole list that the pages read so far are from.

        Empty when it is not known; it always is when these pages are the whole
        list. Called once, after the last page.
        """
        ...


class Revisions(Protocol):
    """Knows whether the contact list of a device is what it was, without reading it."""

    async def current(self, device: DeviceId) -> Revision | None:
        """Gives what the list is known to have been at most five seconds ago.

        None when that is not known now: the list must be read. Whoever asks has
        the device watched for some minutes.
        """
        ...

    def reading(self, device: DeviceId) -> ListReading:
        """Begins a walk through the list."""
        ...

    async def forget(self, device: DeviceId) -> None:
        """Lets go of whatever is known of a device that is removed."""
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

    async def check_numbers(
        self, device: DeviceId, numbers: Sequence[str]
    ) -> Mapping[str, NumberCheck]:
        """Asks in one query which phone numbers, at most 50, are on WhatsApp.

        `numbers` are digits, each once; so are the keys of the answer. A number
        on which WhatsApp says nothing is missing from it.
        """
        ...

    async def user_info(self, device: DeviceId, person: Jid) -> UserInfo:
        """Asks what a person tells of themselves; raises NotOnWhatsapp.

        Teaches the store the person's LID.
        """
        ...

    async def blocklist(self, device: DeviceId) -> Blocklist:
        """Asks whom the account has blocked."""
        ...

    async def set_blocked(self, device: DeviceId, person: Jid, *, blocked: bool) -> Blocklist:
        """Has WhatsApp block or unblock a person; gives the list as it is then.

        A person named by phone number must have a LID in the store. Doing it
        twice changes nothing.
        """
        ...

    def listen(self, on_change: Callable[[DeviceId, Change], None]) -> None:
        """Has `on_change` called whenever WhatsApp says that something changed.

        It is called on the event loop and must not block. There is one listener.
        """
        ...

    def link(
        self, device: DeviceId, *, phone: Jid | None = None
    ) -> AsyncGenerator[QrText | PairCode | Linked]:
        """Links the device: yields codes and, at last, `Linked`.

        With `phone` one pair code is yielded instead of QR codes. Raises
        DeviceNotReady with the state it ended in when linking fails.
        """
        ...

    def status(self, device: DeviceId) -> DeviceStatus:
        """Tells the state of the device with its circumstances."""
        ...

    def watch(self, device: DeviceId) -> AsyncGenerator[DeviceStatus]:
        """Yields the status now, and again after each change; never ends by itself.

        A slow reader misses intermediate states, never the last one.
        """
        ...

    async def qr_code(self, device: DeviceId, *, reuse: bool, refresh: bool) -> QrCode:
        """Gives a QR code; starts linking if need be.

        `reuse` allows the code that is being shown already, `refresh` starts
        linking anew. Raises QrTimeout, and AlreadyLinked.
        """
        ...

    def qr_status(self, device: DeviceId) -> QrCode | None:
        """Gives the valid QR code being shown, if any; starts nothing."""
        ...

    async def pair_code(
        self, device: DeviceId, phone: Jid, *, reuse: bool, refresh: bool
    ) -> PairCode:
        """Gives a pair code for a phone number; raises as qr_code does."""
        ...

    async def connect(self, device: DeviceId) -> DeviceStatus:
        """Connects a linked device; returns once connected or after a few seconds.

        A device that is not linked is left as it is: its status says NEW or
        LOGGED_OUT.
        """
        ...

    async def disconnect(self, device: DeviceId) -> None:
        """Ends the connection and keeps the credentials; state DISCONNECTED."""
        ...

    async def logout(self, device: DeviceId) -> None:
        """Logs the device out of WhatsApp: credentials wiped, state LOGGED_OUT.

        Raises DeviceNotReady when it is not connected, WhatsappTimeout and
        WhatsappError.
        """
        ...

    async def forget(self, device: DeviceId) -> None:
        """Ends the process and deletes the device's directory."""
        ...


class Enquiries(Protocol):
    """Asks WhatsApp as seldom as possible.

    Remembers answers, lets callers with the same question share one, and keeps
    each device within its budget. Every question that is really asked raises
    what LiveSessions raises, and BudgetExhausted before it is asked.
    """

    async def recall_numbers(
        self, device: DeviceId, numbers: Collection[str]
    ) -> Mapping[str, Heard[NumberCheck]]:
        """Gives what WhatsApp said earlier of these numbers; asks nothing."""
        ...

    async def check_numbers(
        self, device: DeviceId, numbers: Collection[str], *, fresh: bool
    ) -> Mapping[str, Heard[NumberCheck] | DomainError]:
        """Asks about phone numbers, in as many queries as it takes.

        Each number has an answer, or the error that kept it from one; a number
        on which WhatsApp says nothing is missing. `fresh` asks about
        remembered numbers too.
        """
        ...

    def recall_roster(self, device: DeviceId, group: Jid) -> Heard[Roster] | None:
        """Gives the roster of a group if it is known and still good; asks nothing."""
        ...

    async def roster(self, device: DeviceId, group: Jid, *, fresh: bool) -> Heard[Roster]:
        """Gives the roster of a group; `fresh` asks even when it is known."""
        ...

    def recall_picture(
        self, device: DeviceId, chat: Jid, *, preview: bool, existing_id: str
    ) -> Heard[Picture | Unchanged] | None:
        """Gives what WhatsApp has shown of this chat, if it is still good; asks nothing.

        None also where it was not proven who that is, or where there was no picture to
        see: by now another JID may be known.
        """
        ...

    async def picture(
        self,
        device: DeviceId,
        chat: Jid,
        *,
        person: Jid,
        is_proven: bool,
        preview: bool,
        existing_id: str,
        refresh: bool,
    ) -> Heard[Picture | Unchanged]:
        """Gives the picture of a chat.

        Answers are remembered under `person`, which is the same for the LID and
        the PN of one person; for a group it is the group. What is_proven, that
        `chat` is this person's, is good for `recall_picture`. `refresh` asks
        whatever is known. Raises PictureHidden and PictureNotSet, remembered
        ones too.
        """
        ...

    async def user_info(self, device: DeviceId, person: Jid) -> UserInfo:
        """Gives what a person tells of themselves, always asked for.

        Raises NotOnWhatsapp.
        """
        ...

    async def budget(self, device: DeviceId) -> Budget:
        """Tells what the device may still ask."""
        ...

    async def forget(self, device: DeviceId) -> None:
        """Lets go of whatever is remembered for a device that is removed."""
        ...


@dataclass(frozen=True, slots=True)
class QrText:
    """A new QR code to show; it replaces the one before. `ttl` is in seconds."""

    text: str
    ttl: int = 20


@dataclass(frozen=True, slots=True)
class Linked:
    """The device is linked and connected; the last step of linking."""

    account: Jid


class Devices(Protocol):
    """Keeps the devices of all tenants."""

    def devices(self, tenant: str, user: str | None = None) -> list[DeviceRecord]:
        """Lists the devices of a tenant, or of one of its users, oldest first."""
        ...

    def device(self, tenant: str, device: str) -> DeviceRecord:
        """Finds a device of a tenant; raises NotFound."""
        ...

    def create_device(self, tenant: str, user: str, *, name: str | None = None) -> DeviceId:
        """Creates one more device for a user, named by the ids in a Caller."""
        ...

    def record_linked(self, device: DeviceId, account: Jid) -> None:
        """Remembers that a device is linked and should be connected; raises NotFound."""
        ...

    def set_should_connect(self, device: DeviceId, *, should_connect: bool) -> None:
        """Remembers whether a restarted service connects the device."""
        ...

    def remove_device(self, device: DeviceId) -> None:
        """Removes a device and the tokens bound to it; raises NotFound."""
        ...


class TokenDirectory(Protocol):
    """Knows the tokens, users and devices of all tenants."""

    def authenticate(self, token: str) -> Caller | None:
        """Tells who holds this token; None for an unknown or revoked one.

        `token` is a lower-case UUID text. Raises ServiceUnavailable when the
        directory cannot be read.
        """
        ...
