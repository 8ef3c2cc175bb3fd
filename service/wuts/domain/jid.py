"""The JID: how WhatsApp names an account or a group.

A person may have two: a PN JID (`<phone number>@s.whatsapp.net`) and a LID JID
(`<number that hides the phone>@lid`). This module parses and prints them and
does nothing else.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple


class Server(StrEnum):
    """The part behind the at-sign."""

    PN = "s.whatsapp.net"
    LID = "lid"
    GROUP = "g.us"


class JidError(ValueError):
    """A text is no identifier; the message says what would be one."""


class UnsupportedIdentifier(JidError):
    """A text is an identifier of a kind that the engine cannot resolve."""


# [0-9], not \d: digits of other scripts are no phone number.
_USER = re.compile(r"([0-9]{5,20})(?::[0-9]{1,5})?@(s\.whatsapp\.net|c\.us|lid)")
_GROUP = re.compile(r"([0-9]{5,25}(?:-[0-9]{5,15})?)@g\.us")
_PHONE = re.compile(r"[0-9]{10,15}")
_USERNAME = re.compile(r"@[A-Za-z0-9_.]{3,35}")
_SERVERS_ALONE = {"@lid", "@c.us", "@g.us", "@s.whatsapp.net", "@newsletter", "@broadcast"}
_BSUID = re.compile(r"[A-Z]{2}(?:\.ENT)?\.[0-9]+")
_PHONE_PUNCTUATION = str.maketrans("", "", " -()")

_USER_HELP = (
    "write a phone number of 10 to 15 digits, or 5 to 20 digits followed by @s.whatsapp.net or @lid"
)
_PHONE_HELP = "write a phone number of 10 to 15 digits in international form"
_CHAT_HELP = "write the JID of a contact (@s.whatsapp.net, @lid) or of a group (@g.us)"
_USERNAME_HELP = f"usernames cannot be resolved yet; {_USER_HELP}"
_BSUID_HELP = f"business-scoped user ids cannot be resolved; {_USER_HELP}"
_GROUP_HELP = "write the JID of a group: 5 to 25 digits followed by @g.us"


class Jid(NamedTuple):
    """An account or a group, without device part.

    `user` holds digits only (old groups: digits, dash, digits). A tuple, because a call
    makes hundreds.
    """

    user: str
    server: Server

    def __str__(self) -> str:
        """Prints the JID as WhatsApp writes it."""
        return f"{self.user}@{self.server}"


def pn_jid(user: str) -> Jid:
    """Names the account of a phone number, given as digits."""
    return Jid(user, Server.PN)


def lid_jid(user: str) -> Jid:
    """Names the account behind the digits of a LID."""
    return Jid(user, Server.LID)


def parse_phone(text: str) -> Jid:
    """Reads a bare phone number as a PN JID.

    Spaces, dashes, parentheses and a leading plus sign are dropped. Raises
    JidError when what is left is not 10 to 15 digits.
    """
    digits = text.translate(_PHONE_PUNCTUATION).removeprefix("+")
    if not _PHONE.fullmatch(digits):
        raise JidError(_PHONE_HELP)
    return pn_jid(digits)


def parse_user(text: str) -> Jid:
    """Reads a bare phone number, a PN JID or a LID JID.

    A bare number always is a phone, even when it looks like a LID; "@c.us" is
    the old spelling of a PN JID; a device part is dropped. Raises JidError, for
    usernames ("@name") and business-scoped user ids ("BR.1502576394655843")
    UnsupportedIdentifier.
    """
    if "@" not in text:
        return _parse_bare(text)
    match = _USER.fullmatch(text)
    if match is None:
        is_name = _USERNAME.fullmatch(text) and text not in _SERVERS_ALONE
        raise UnsupportedIdentifier(_USERNAME_HELP) if is_name else JidError(_USER_HELP)
    server = Server.LID if match[2] == Server.LID else Server.PN
    return Jid(match[1], server)


def parse_group(text: str) -> Jid:
    """Reads the JID of a group. Raises JidError."""
    match = _GROUP.fullmatch(text)
    if match is None:
        raise JidError(_GROUP_HELP)
    return Jid(match[1], Server.GROUP)


def parse_chat(text: str) -> Jid:
    """Reads whatever may have a picture: a contact or a group. Raises as parse_user."""
    if text.endswith("@g.us"):
        return parse_group(text)
    try:
        return parse_user(text)
    except UnsupportedIdentifier:
        raise
    except JidError:
        raise JidError(_CHAT_HELP) from None


def _parse_bare(text: str) -> Jid:
    try:
        return parse_phone(text)
    except JidError:
        if _BSUID.fullmatch(text):
            raise UnsupportedIdentifier(_BSUID_HELP) from None
        raise JidError(_USER_HELP) from None
