"""Contacts and identities straight from neonize, one call a look-up, as its examples do it.

The engine's client answers from its store without a connection; that it cannot have one is seen
to by its environment (see `environment`).
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from neonize.client import NewClient

Person = tuple[str, str, str, str]
"""First, full, push and business name; an empty text means none."""

Item = dict[str, str]
"""What is known of one identifier, by the names of the documented fields."""

_NOBODY: Person = ("", "", "", "")
_TESTS = Path(__file__).resolve().parents[2] / "tests"
# Where the helpers are that tests and benchmarks share.
_CLOSED = "http://127.0.0.1:1"
# A proxy that nobody answers as: whatever the engine tries, it gets nowhere.


def environment() -> dict[str, str]:
    """Gives the environment that a process with the engine is started with.

    Go reads it at the start of the process, so setting it later would be too late.
    """
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return kept | {"HTTPS_PROXY": _CLOSED, "https_proxy": _CLOSED, "PYTHONPATH": str(_TESTS)}


class Book(Protocol):
    """Whatever answers look-ups of digits and JIDs; an empty text is a miss."""

    def pn_of(self, lid: str) -> str:
        """Finds the phone number of a LID."""
        ...

    def lid_of(self, pn: str) -> str:
        """Finds the LID of a phone number."""
        ...

    def person(self, jid: str) -> Person | None:
        """Finds the names under a JID."""
        ...


class Engine:
    """A neonize client that is not connected, on a store of its own; answers `Book`."""

    def __init__(self, store: Path) -> None:
        if os.environ.get("HTTPS_PROXY") != _CLOSED or "NO_PROXY" in os.environ:
            message = "the engine may only run where it can reach nothing"
            raise RuntimeError(message)
        self._client = _offline_client(store)
        from neonize.utils.jid import build_jid  # noqa: PLC0415 # see _offline_client

        self._jid = build_jid

    def contacts(self) -> list[tuple[str, Person]]:
        """Lists everybody with a name, a LID merged into the phone number it belongs to."""
        merged: dict[str, Person] = {}
        for row in sorted(self._client.contact.get_all_contacts(), key=_is_lid):
            info = row.Info
            person = (info.FirstName, info.FullName, info.PushName, info.BusinessName)
            jid = f"{row.JID.User}@{row.JID.Server}"
            if row.JID.Server == "lid":
                found = self._client.get_pn_from_lid(row.JID)
                jid = jid if found.IsEmpty else f"{found.User}@{found.Server}"
            merged[jid] = filled(merged[jid], person) if jid in merged else person
        return [(jid, person) for jid, person in merged.items() if any(person)]

    def pn_of(self, lid: str) -> str:
        """Finds the phone number of a LID."""
        return str(self._client.get_pn_from_lid(self._jid(lid, "lid")).User)

    def lid_of(self, pn: str) -> str:
        """Finds the LID of a phone number."""
        return str(self._client.get_lid_from_pn(self._jid(pn, "s.whatsapp.net")).User)

    def person(self, jid: str) -> Person | None:
        """Finds the names under a JID."""
        user, _, server = jid.partition("@")
        info = self._client.contact.get_contact(self._jid(user, server))
        names = (info.FirstName, info.FullName, info.PushName, info.BusinessName)
        return names if info.Found else None


def resolve(text: str, book: Book) -> Item:
    """Resolves one identifier with as many look-ups as it takes."""
    user, _, server = text.partition("@")
    pn, lid = (book.pn_of(user), user) if server == "lid" else (user, book.lid_of(user))
    pn_jid, lid_jid = f"{pn}@s.whatsapp.net", f"{lid}@lid"
    pn_row = book.person(pn_jid) if pn else None
    lid_row = book.person(lid_jid) if lid else None
    _, full, push, _ = names = filled(pn_row or _NOBODY, lid_row or _NOBODY)
    item = {
        "input": text,
        "input_jid": lid_jid if server == "lid" else pn_jid,
        "resolved_jid": pn_jid if pn else "",
        "jid": pn_jid if pn else lid_jid,
        "phone_number": pn,
        "lid_jid": lid_jid if lid else "",
        "full_name": full,
        "push_name": push,
    }
    if pn_row is None and not (pn and lid):
        item["status"] = "PHONE_HIDDEN" if not pn and any(names) else "UNKNOWN"
    return {field: value for field, value in item.items() if value}


def filled(names: Person, other: Person) -> Person:
    """Fills what is missing from another row; first and full name come from one row."""
    saved = names if names[0] or names[1] else other
    return saved[0], saved[1], names[2] or other[2], names[3] or other[3]


def _is_lid(row: object) -> bool:
    return bool(row.JID.Server == "lid")  # type: ignore[attr-defined] # the engine's untyped message


def _offline_client(store: Path) -> NewClient:
    """Opens a client whose attempt to connect fails at once; its store answers from then on."""
    from neonize.client import NewClient  # noqa: PLC0415 # loads 19 MB, and wants its environment
    from neonize.exc import NeonizeError  # noqa: PLC0415 # as above

    import no_libmagic  # noqa: F401, PLC0415 # before the engine, which else needs a library

    # It warns of a program that only the sending of media needs.
    logging.getLogger("neonize.utils.ffmpeg").setLevel(logging.ERROR)

    client = NewClient(str(store))
    try:
        client.connect()
    except NeonizeError:
        return client
    message = "the engine has connected to something"
    raise RuntimeError(message)
