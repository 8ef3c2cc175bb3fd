"""Defines the world document: every field, its form, its default; unknown keys are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

if TYPE_CHECKING:
    from collections.abc import Sequence

Digits = Annotated[str, StringConstraints(pattern=r"^[0-9]{5,20}$")]
"""The user part of a PN or LID: 5 to 20 digits."""

GroupJid = Annotated[str, StringConstraints(pattern=r"^[0-9]+(-[0-9]+)?@g\.us$")]
"""A group's address, such as `120363039000000000@g.us`."""

Label = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""The name of a tenant or user: up to 64 letters, digits, dots, dashes, underscores."""

PictureWord = Literal["none", "hidden", "rate_limited", "silent"]
GroupAnswer = Literal["ok", "not_found", "rate_limited", "silent"]


class Strict(BaseModel):
    """Refuses keys it does not know, also when a value is changed later."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)


class PictureSize(Strict):
    """Where one size of a picture is found."""

    url: str = Field(pattern=r"^https://")
    direct_path: str = Field(pattern=r"^/")


class Picture(Strict):
    """A profile picture: its id and both sizes."""

    id: str = Field(min_length=1)
    full: PictureSize
    preview: PictureSize


class Row(Strict):
    """The names a device stores under one spelling of a person; empty ones stay away."""

    first_name: str = ""
    full_name: str = ""
    push_name: str = ""
    business_name: str = ""

    @model_validator(mode="after")
    def _storable(self) -> Row:
        if self.push_name == "-":
            message = "the engine does not store the push name -"
            raise ValueError(message)
        return self

    @property
    def named(self) -> bool:
        """Whether any name is given, that is, whether the device stores a row."""
        return bool(self.first_name or self.full_name or self.push_name or self.business_name)


class Person(Strict):
    """Somebody the account can see; a PN, a LID or both."""

    pn: Digits | None = None
    lid: Digits | None = None
    mapped: bool = True
    """Whether the pair of PN and LID reaches the store by itself; needs both."""
    registered: bool = True
    """Whether a number check finds the person at all."""
    answered: bool = True
    """Whether the answer to a number check says anything of the person."""
    answers_to: list[Digits] = []
    """Other spellings of the number under which a number check finds the person."""
    pn_row: Row = Row()
    lid_row: Row = Row()
    picture: Picture | PictureWord = "none"
    about: str = "Hey there! I am using WhatsApp."
    """What the person tells under "about"."""
    verified_name: str = ""
    """The name in a business' certificate; without one there is no certificate."""

    @model_validator(mode="after")
    def _spelled(self) -> Person:
        if self.pn is None and self.lid is None:
            message = "a person needs pn or lid"
            raise ValueError(message)
        for spelling, row in (("pn", self.pn_row), ("lid", self.lid_row)):
            if row.named and getattr(self, spelling) is None:
                message = f"{spelling}_row holds names, but {spelling} is missing"
                raise ValueError(message)
        return self

    @property
    def pair(self) -> tuple[str, str] | None:
        """LID and PN, when the person has both."""
        return (self.lid, self.pn) if self.lid and self.pn else None


class Participant(Strict):
    """A member of a group's roster."""

    pn: Digits | None = None
    lid: Digits | None = None
    redacted: str = ""
    """The phone number with its middle hidden, such as `+55 11 ****-**12`; excludes pn."""

    @model_validator(mode="after")
    def _spelled(self) -> Participant:
        if self.pn is None and self.lid is None:
            message = "a participant needs pn or lid"
            raise ValueError(message)
        if self.redacted and (self.pn is not None or self.lid is None):
            message = "a redacted participant has a lid and no pn"
            raise ValueError(message)
        return self


BlockedJid = Annotated[str, StringConstraints(pattern=r"^[0-9]{5,20}@(lid|s\.whatsapp\.net)$")]
"""Somebody on the blocklist, such as `112233445566778@lid`; WhatsApp lists most by LID."""


class Group(Strict):
    """A group and how WhatsApp answers questions about it."""

    jid: GroupJid
    subject: str = ""
    addressing: Literal["pn", "lid"] = "lid"
    member: bool = True
    """Whether the account belongs to the group; if so it is on the roster by itself."""
    answer: GroupAnswer = "ok"
    picture: Picture | PictureWord = "none"
    participants: list[Participant] = []


class Account(Strict):
    """One WhatsApp account, to which one device can be linked."""

    tenant: Label
    user: Label
    pn: Digits
    lid: Digits
    """The account's own LID; when absent, `9` and the last 14 digits of the PN."""
    push_name: str = "Sandbox"
    people: list[Person] = []
    groups: list[Group] = []
    blocklist: list[BlockedJid] = []
    """Whom the account has blocked."""

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, data: object) -> object:
        if isinstance(data, dict) and "lid" not in data and isinstance(data.get("pn"), str):
            return {**data, "lid": f"9{data['pn'][-14:]:0>14}"}
        return data

    @model_validator(mode="after")
    def _unique(self) -> Account:
        # The account itself may stand among its people, as on a real phone.
        _refuse_twice("pn", [person.pn for person in self.people])
        _refuse_twice("lid", [person.lid for person in self.people])
        _refuse_twice("group", [group.jid for group in self.groups])
        return self


class World(Strict):
    """The whole document."""

    accounts: list[Account] = Field(min_length=1)

    @model_validator(mode="after")
    def _unique(self) -> World:
        _refuse_twice("account pn", [account.pn for account in self.accounts])
        _refuse_twice("account lid", [account.lid for account in self.accounts])
        # A tenant/user may occur again: that user has several devices.
        return self


def _refuse_twice(what: str, values: Sequence[str | None]) -> None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            message = f"{what} {value} occurs twice"
            raise ValueError(message)
        if value is not None:
            seen.add(value)
