"""The calls that a run prints to be pasted."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wuts_sandbox.world.document import Account

_RESOLVE = "wuts.contacts.v1.ContactsService/ResolveIdentifiers"


def ready_to_paste(http: str, token: str, account: Account, grpcurl: str) -> list[str]:
    """Writes three curl lines and one grpcurl line about people of the account."""
    bearer = shlex.quote(f"Authorization: Bearer {token}")
    body = json.dumps(_question(account))
    picture = f"{http}/contacts/profile-picture?number={_pictured(account)}&preview=false"
    native = f"{http.removeprefix('http://')} {_RESOLVE}"
    return [
        f"curl -s -H {bearer} {http}/contacts",
        f"curl -s -H {bearer} {shlex.quote(picture)}",
        f"curl -s -H {bearer} -d {shlex.quote(body)} {http}/contacts/resolve",
        f"{grpcurl} -plaintext -H {bearer} -d {shlex.quote(body)} {native}",
    ]


def _question(account: Account) -> dict[str, object]:
    """Asks about the first people: by number, by PN JID and by LID JID."""
    pns = [person.pn for person in account.people if person.pn]
    lids = [person.lid for person in account.people if person.lid]
    jids = [*pns[:1], *(f"{pn}@s.whatsapp.net" for pn in pns[1:2]), *(f"{x}@lid" for x in lids[:1])]
    question: dict[str, object] = {"jids": jids or [account.pn]}
    if account.groups:
        question["group_jid"] = account.groups[0].jid
    return question


def _pictured(account: Account) -> str:
    """Picks somebody with a picture, else anybody with a number."""
    numbers = [p.pn for p in account.people if p.pn and not isinstance(p.picture, str)]
    return next(iter([*numbers, *(p.pn for p in account.people if p.pn), account.pn]))
