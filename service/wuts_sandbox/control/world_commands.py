"""Defines the commands that show the world or change it while the emulator runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, ValidationError

from wuts_sandbox.control.base import BaseCommand, Result
from wuts_sandbox.control.errors import CommandError, Refusal
from wuts_sandbox.emulator.blocklist import mark
from wuts_sandbox.emulator.collection import contact_entry
from wuts_sandbox.emulator.initial_sync import history_chunks, sync_notification
from wuts_sandbox.emulator.notices import group_notices, picture_notices
from wuts_sandbox.emulator.phone import business_message, key_share, text_message
from wuts_sandbox.wire.node import GROUP_SERVER, LID_SERVER, PN_SERVER, Jid
from wuts_sandbox.world.document import Group, Person, Picture, PictureWord, Row
from wuts_sandbox.world.load import first_fault

if TYPE_CHECKING:
    from wuts_sandbox.emulator.account import AccountState
    from wuts_sandbox.emulator.server import Emulator

CONTACTS = "critical_unblock_low"


class ShowWorld(BaseCommand):
    """Returns the world as it is now."""

    command: Literal["world"]

    async def run(self, emulator: Emulator) -> Result:
        """Prints it as a world document."""
        documents = [account.document for account in self.chosen(emulator)]
        return {"accounts": [document.model_dump(mode="json") for document in documents]}


class SetPicture(BaseCommand):
    """Gives a person or group another picture."""

    command: Literal["set-picture"]
    jid: str
    picture: Picture | PictureWord
    quiet: bool = False
    """Whether the linked device is not told."""

    async def run(self, emulator: Emulator) -> Result:
        """Changes it; the linked device hears of a picture that was set or removed."""
        account = self.only(emulator)
        jid = parse_jid(self.jid)
        holder = account.directory.group(jid) or account.directory.person(jid)
        if holder is None:
            raise CommandError(Refusal.NO_SUCH_JID)
        former, holder.picture = holder.picture, self.picture
        if not self.quiet:
            account.tell(picture_notices(jid, former, self.picture))
        return {}


class SetGroup(BaseCommand):
    """Changes fields of a group, or adds a group."""

    command: Literal["set-group"]
    jid: str
    fields: dict[str, Any]
    quiet: bool = False
    """Whether the linked device is not told."""

    async def run(self, emulator: Emulator) -> Result:
        """Changes it; the linked device hears of members, the subject and the picture."""
        account = self.only(emulator)
        groups = {group.jid: group for group in account.document.groups}
        former = groups.get(self.jid)
        known = former.model_dump() if former else {}
        group = groups[self.jid] = _checked(Group, {**known, **self.fields, "jid": self.jid})
        account.document.groups = list(groups.values())
        account.directory.refresh()
        if not self.quiet:
            account.tell(group_notices(account, former, group))
        return {"added": former is None}


class SetPerson(BaseCommand):
    """Changes what is known of a person, or adds one; the linked device hears of new names."""

    command: Literal["set-person"]
    fields: dict[str, Any]

    async def run(self, emulator: Emulator) -> Result:
        """Changes the person with that PN or LID."""
        account = self.only(emulator)
        jid = _spelling(self.fields)
        former = account.directory.person(jid)
        known = former.model_dump() if former else {}
        person = _checked(Person, {**known, **self.fields})
        others = [one for one in account.document.people if one is not former]
        account.document.people = [*others, person]
        account.directory.refresh()
        await _announce(account, person)
        return {"added": former is None}


class SetBlocklist(BaseCommand):
    """Sets whom the account has blocked; the linked device is not told."""

    command: Literal["set-blocklist"]
    jids: list[str]

    async def run(self, emulator: Emulator) -> Result:
        """Replaces the list, and returns its mark."""
        document = self.only(emulator).document
        try:
            document.blocklist = self.jids
        except ValidationError as error:
            raise CommandError(Refusal.BAD_WORLD, first_fault(error)) from error
        return {"dhash": mark(self.jids)}


class Message(BaseCommand):
    """Sends the linked device a text message, with a push name and perhaps a business name."""

    command: Literal["message"]
    sender: str
    text: str = Field(default="Hello", max_length=4096)
    push_name: str = ""
    business_name: str = ""
    alias: str | None = None
    """The sender's other spelling; it teaches the device the pair."""

    async def run(self, emulator: Emulator) -> Result:
        """Sends it; an offline device gets it at its next login."""
        account = self.only(emulator)
        if account.device is None:
            raise CommandError(Refusal.NOT_LINKED)
        sender = parse_jid(self.sender)
        alias = parse_jid(self.alias) if self.alias else None
        if self.business_name:
            account.post(business_message(sender, self.business_name))
        node = text_message(account, sender, self.text, push_name=self.push_name, alias=alias)
        account.post(node)
        return {"online": account.online}


class Resync(BaseCommand):
    """Sends the key, all push names and pairs again; the device fetches what it has not got."""

    command: Literal["resync"]

    async def run(self, emulator: Emulator) -> Result:
        """Sends them to the linked devices it concerns."""
        linked = [account for account in self.chosen(emulator) if account.device is not None]
        for account in linked:
            account.post(key_share(account))
            for chunk in history_chunks(account):
                account.post(chunk)
        return {"devices": len(linked)}


def parse_jid(text: str) -> Jid:
    """Reads an address of a person or group; raises CommandError."""
    user, _, server = text.partition("@")
    numeric = user.replace("-", "").isdecimal()
    if not numeric or server not in {PN_SERVER, LID_SERVER, GROUP_SERVER}:
        raise CommandError(Refusal.BAD_JID)
    return Jid(user, server)


def _spelling(fields: dict[str, Any]) -> Jid:
    if fields.get("pn"):
        return Jid(str(fields["pn"]), PN_SERVER)
    return Jid(str(fields.get("lid", "")), LID_SERVER)


def _checked(model: Any, fields: dict[str, Any]) -> Any:  # noqa: ANN401  # any model of the document
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise CommandError(Refusal.BAD_WORLD, first_fault(error)) from error


async def _announce(account: AccountState, person: Person) -> None:
    rows: list[tuple[Jid, Row]] = []
    if person.pn:
        rows.append((Jid(person.pn, PN_SERVER), person.pn_row))
    if person.lid:
        rows.append((Jid(person.lid, LID_SERVER), person.lid_row))
    entries = [
        contact_entry(str(jid), full_name=row.full_name, first_name=row.first_name)
        for jid, row in rows
        if row.full_name or row.first_name
    ]
    if not entries:
        return
    await account.filled.wait()
    account.collections[CONTACTS].change(entries)
    if account.device is not None:
        account.post(sync_notification(account, [CONTACTS]))
