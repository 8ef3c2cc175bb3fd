"""What ContactsService answers, as frozen dataclasses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003  # read at run time: the fields' types say how to convert
from typing import Any


@dataclass(frozen=True, slots=True)
class Contact:
    """One person of the device's synced contacts. A name is None when none is known."""

    jid: str
    """The PN JID when the phone number is known, else the LID JID."""
    first_name: str | None
    full_name: str | None
    push_name: str | None
    """The name the person chose for themself."""
    business_name: str | None
    lid_jid: str | None
    """The LID JID; told with `full` only."""


@dataclass(frozen=True, slots=True)
class ContactPage:
    """One page of contacts."""

    contacts: tuple[Contact, ...]
    next_page_token: str | None
    """Asks for the next page; None when nothing follows."""
    synced: bool | None
    """Whether the first sync after linking is finished; told with `full` only."""


@dataclass(frozen=True, slots=True)
class ProfilePicture:
    """Where a picture can be fetched, or that it is unchanged."""

    jid: str
    url: str | None
    """Expires after a day or two; None when unchanged."""
    id: str | None
    """Give it back as `existing_id`."""
    type: str | None
    """"preview" or "image"; None when unchanged."""
    direct_path: str | None
    unchanged: bool
    status: str | None
    """"AVAILABLE" or "UNCHANGED"; told, as all that follows, with `full` only."""
    source: str | None
    """"SERVER" (asked just now) or "CACHE"."""
    observed_at: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class ResolvedIdentifier:
    """What is known of the person behind one input."""

    input: str
    """The input, exactly as it was sent."""
    input_jid: str | None
    resolved_jid: str | None
    """The PN JID; None when the phone number is not known."""
    jid: str | None
    """The best-known JID: PN, else LID."""
    phone_number: str | None
    lid_jid: str | None
    full_name: str | None
    push_name: str | None
    first_name: str | None
    business_name: str | None
    status: str | None
    """Why it is less than a full identity, such as "UNKNOWN"; None for a resolved one."""
    detail: str | None
    """What is wrong with an input that could not be parsed."""
    redacted_phone: str | None
    retry_after: int | None
    """In how many seconds another try may succeed."""
    source: str | None
    """"STORE", "LID_MAP", "GROUP", "SERVER" or "CACHE"; told with `full` only."""
    observed_at: datetime | None
    canonical: str | None
    """The proven spelling of a phone number."""
    variants_tried: tuple[str, ...]
    proof: str | None


@dataclass(frozen=True, slots=True)
class DryRun:
    """The questions that a call would put to WhatsApp."""

    numbers: int
    variants: int
    groups: int


@dataclass(frozen=True, slots=True)
class Resolution:
    """One item for each input, in the order of the inputs."""

    items: tuple[ResolvedIdentifier, ...]
    dry_run: DryRun | None
    """What would be asked; None unless asked for."""


@dataclass(frozen=True, slots=True)
class QueryBudget:
    """What is left of one class of questions."""

    query_class: str
    """"NUMBER_CHECK", "USER_INFO", "PICTURE" or "GROUP_INFO"."""
    remaining: int
    burst: int
    """How many may be asked at once after a rest."""
    per_hour: int
    retry_after: int
    """In how many seconds the next question may be asked; 0: now."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How many questions to WhatsApp a device has left."""

    items: tuple[QueryBudget, ...]
    quiet_until: datetime | None
    """Until when it is smaller than usual; None when it is not."""


@dataclass(frozen=True, slots=True)
class ContactProfile:
    """What WhatsApp says of an account."""

    jid: str
    user_info: Any
    """A dict with "Status", "PictureID", "Devices" and "VerifiedName"."""
    business_profile: Any
    """Always None: the engine cannot ask for it."""


@dataclass(frozen=True, slots=True)
class BlockedContact:
    """One entry of the blocklist."""

    jid: str
    """The PN JID when the phone number is known, else the LID JID."""
    phone_number: str | None
    """The digits; None when the number is not known."""


@dataclass(frozen=True, slots=True)
class Blocklist:
    """Whom the account has blocked."""

    items: tuple[BlockedContact, ...]
    dhash: str
    """WhatsApp's own mark of this state of the list."""


@dataclass(frozen=True, slots=True)
class BlockChange:
    """What has become of the blocklist."""

    jid: str
    phone_number: str | None
    action: str
    """"block" or "unblock"."""
    blocked: bool
    count: int
    """How many contacts stand on the list now."""
    dhash: str


@dataclass(frozen=True, slots=True)
class AppStateSync:
    """What was synchronised; no engine of this release can."""

    scopes: tuple[str, ...]
    full_sync: bool
