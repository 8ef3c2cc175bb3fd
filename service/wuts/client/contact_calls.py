"""The calls of ContactsService: what each takes, and what it gives.

Each is a method of `Client` and of `AsyncClient`. `timeout` is in seconds and covers the
whole call, retries included; without it the client's own applies, else what suits the call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from wuts.client.asking import LONG, Ask, ask
from wuts.client.contact_values import (
    AppStateSync,
    BlockChange,
    Blocklist,
    Budget,
    ContactPage,
    ContactProfile,
    ProfilePicture,
    Resolution,
)
from wuts.client.reading import value_of
from wuts.contacts.v1 import contacts_service_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Iterable

Lookup = Literal["LOCAL_ONLY", "ALLOW_NETWORK", "FORCE"]


def list_contacts(
    *,
    full: bool = False,
    page_size: int | None = None,
    page_token: str | None = None,
    timeout: float | None = None,
) -> Ask[ContactPage]:
    """Lists contacts: a page of 1 to 5000, or, without `page_size`, all in one answer.

    `full` adds `lid_jid` and `synced`. Needs a connected device. `contacts` goes
    through the pages by itself, and `stream_contacts` gets them all in one call.

    >>> page = client.list_contacts(page_size=1)
    >>> [contact.full_name for contact in page.contacts]
    ['Maria Silva']
    >>> page = client.list_contacts(page_size=1, page_token=page.next_page_token)
    >>> [contact.full_name for contact in page.contacts], page.next_page_token
    (['Joao Pereira'], None)
    """
    request = pb.ListContactsRequest(view=_view(full), page_size=page_size, page_token=page_token)
    return ask(
        request,
        pb.ListContactsResponse,
        lambda answer: value_of(ContactPage, answer),
        timeout=timeout,
        usual_timeout=LONG,
    )


def stream_contacts(
    *,
    full: bool = False,
    page_size: int | None = None,
    page_token: str | None = None,
    timeout: float | None = None,
) -> Ask[ContactPage]:
    """Gives the whole list as a stream of pages, however long it is; at least one page.

    A page holds at most `page_size` contacts (1 to 5000, by default 1000), fewer where names
    are long. A stream that is cut off is resumed behind its last page by itself. To go on in
    another process, keep the `next_page_token` of the last page you are done with, and give it
    as `page_token`. `full` adds `lid_jid` and `synced`. Needs a connected device.

    >>> for page in client.stream_contacts(page_size=1):
    ...     print([contact.full_name for contact in page.contacts], page.next_page_token is None)
    ['Maria Silva'] False
    ['Joao Pereira'] True
    """

    def beginning_at(token: str | None) -> pb.StreamContactsRequest:
        return pb.StreamContactsRequest(view=_view(full), page_size=page_size, page_token=token)

    return ask(
        beginning_at(page_token),
        pb.StreamContactsResponse,
        lambda answer: value_of(ContactPage, answer),
        timeout=timeout,
        usual_timeout=None,
        rest=lambda page: beginning_at(page.next_page_token) if page.next_page_token else None,
    )


def picture(
    jid: str | None = None,
    *,
    number: str | None = None,
    preview: bool = True,
    existing_id: str | None = None,
    refresh: bool = False,
    full: bool = False,
    timeout: float | None = None,
) -> Ask[ProfilePicture]:
    """Asks for the profile picture of a contact or a group, named by JID or phone number.

    With the `existing_id` of a picture you hold, the answer may be `unchanged`. `refresh`
    asks WhatsApp even though an earlier answer is still good. Raises PictureHidden and
    PictureNotSet.

    >>> found = client.picture(number="5511999999999", preview=False)
    >>> found.type, found.url
    ('image', 'https://pps.whatsapp.net/v/t61.24694-24/abc123.jpg')
    >>> client.picture("5511999999999@s.whatsapp.net", existing_id=found.id).unchanged
    True
    """
    request = pb.GetProfilePictureRequest(
        jid=jid,
        number=number,
        preview=preview,
        existing_id=existing_id,
        refresh=refresh or None,
        view=_view(full),
    )
    return ask(
        request,
        pb.GetProfilePictureResponse,
        lambda answer: value_of(ProfilePicture, answer.data),
        timeout=timeout,
    )


def resolve(
    jids: Iterable[str],
    *,
    group_jid: str | None = None,
    full: bool = False,
    lookup: Lookup | None = None,
    dry_run: bool = False,
    timeout: float | None = None,
) -> Ask[Resolution]:
    """Resolves 1 to 160 phone numbers, PN JIDs and LID JIDs; one item each, in their order.

    WhatsApp is asked about numbers only when `lookup` allows it. With `dry_run` it is left
    alone, and the answer tells what would be asked.

    >>> for item in client.resolve(["112233445566778@lid", "5511777777777"]).items:
    ...     print(item.phone_number, item.full_name, item.status)
    5511888888888 Joao Pereira None
    5511777777777 None UNKNOWN
    """
    request = pb.ResolveIdentifiersRequest(
        jids=jids,
        group_jid=group_jid,
        view=_view(full),
        lookup=lookup,
        dry_run=dry_run or None,
    )
    return ask(
        request,
        pb.ResolveIdentifiersResponse,
        lambda answer: value_of(Resolution, answer),
        timeout=timeout,
    )


def budget(*, timeout: float | None = None) -> Ask[Budget]:
    """Tells how many questions to WhatsApp the device has left.

    >>> [item.query_class for item in client.budget().items]
    ['NUMBER_CHECK', 'USER_INFO', 'PICTURE', 'GROUP_INFO']
    """
    return ask(
        pb.GetBudgetRequest(),
        pb.GetBudgetResponse,
        lambda answer: value_of(Budget, answer.data),
        timeout=timeout,
    )


def profile(
    jid: str | None = None, *, number: str | None = None, timeout: float | None = None
) -> Ask[ContactProfile]:
    """Asks what WhatsApp says of a contact, named by JID or phone number.

    Costs budget each time. Needs a connected device. Raises NotOnWhatsapp when nobody is
    there.

    >>> client.profile("5511999999999@s.whatsapp.net").user_info["Status"]
    'Hey there! I am using WhatsApp.'
    """
    return ask(
        pb.GetContactProfileRequest(jid=jid, number=number),
        pb.GetContactProfileResponse,
        lambda answer: value_of(ContactProfile, answer.data),
        timeout=timeout,
    )


def blocklist(*, timeout: float | None = None) -> Ask[Blocklist]:
    """Asks WhatsApp whom the account has blocked. Needs a connected device.

    >>> client.block("112233445566778@lid").count
    1
    >>> [blocked.jid for blocked in client.blocklist().items]
    ['5511888888888@s.whatsapp.net']
    """
    return ask(
        pb.GetBlocklistRequest(),
        pb.GetBlocklistResponse,
        lambda answer: value_of(Blocklist, answer.data),
        timeout=timeout,
    )


def block(
    jid: str | None = None, *, number: str | None = None, timeout: float | None = None
) -> Ask[BlockChange]:
    """Blocks a contact, named by JID or phone number; never sent twice by itself.

    Needs a connected device, and costs budget when the LID is not known yet. Blocking who is
    blocked changes nothing. Raises NotOnWhatsapp for a phone number that nobody has.

    >>> client.block("5511999999999@s.whatsapp.net").blocked
    True
    """
    return ask(
        pb.BlockContactRequest(jid=jid, number=number),
        pb.BlockContactResponse,
        lambda answer: value_of(BlockChange, answer.data),
        timeout=timeout,
    )


def unblock(
    jid: str | None = None, *, number: str | None = None, timeout: float | None = None
) -> Ask[BlockChange]:
    """Unblocks a contact, named by JID or phone number; never sent twice by itself.

    All that is said of `block` holds.

    >>> client.unblock("5511999999999@s.whatsapp.net").blocked
    False
    """
    return ask(
        pb.UnblockContactRequest(jid=jid, number=number),
        pb.UnblockContactResponse,
        lambda answer: value_of(BlockChange, answer.data),
        timeout=timeout,
    )


def check(numbers: Iterable[str], *, timeout: float | None = None) -> Ask[dict[str, bool]]:
    """Asks WhatsApp which of 1 to 160 phone numbers it knows, by their digits.

    Costs budget for each number of which no remembered answer is good. A number on which
    WhatsApp says nothing is left out; when one cannot be asked about, the call fails.

    >>> client.check(["+55 11 77777-7777"])
    {'5511777777777': False}
    """
    return ask(
        pb.CheckContactsRequest(numbers=numbers),
        pb.CheckContactsResponse,
        lambda answer: dict(answer.data),
        timeout=timeout,
    )


def sync_app_state(
    scopes: Iterable[str] = (), *, full: bool = False, timeout: float | None = None
) -> Ask[AppStateSync]:
    """Asks for a synchronisation; raises NotImplementedHere: the engine cannot.

    `scopes` are any of "contacts", "chats", "settings", "pins" and "critical".

    >>> try:
    ...     client.sync_app_state(["contacts"])
    ... except WutsError as error:
    ...     print(error.reason, error.metadata["why"])
    NOT_IMPLEMENTED ENGINE_CANNOT
    """
    return ask(
        pb.SyncAppStateRequest(scopes=scopes, full=full or None),
        pb.SyncAppStateResponse,
        lambda answer: value_of(AppStateSync, answer),
        timeout=timeout,
    )


def _view(full: bool) -> str | None:  # noqa: FBT001  # its only parameter
    return "FULL" if full else None
