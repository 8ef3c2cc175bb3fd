"""Lists all commands, with those that link devices and count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from wuts_sandbox.control.base import BaseCommand, Result
from wuts_sandbox.control.errors import CommandError, Refusal
from wuts_sandbox.control.fault_commands import (
    Answer,
    Codes,
    Crash,
    Kill,
    LoginFailure,
    Query,
    SetDoor,
    StreamError,
)
from wuts_sandbox.control.world_commands import (
    Message,
    Resync,
    SetBlocklist,
    SetGroup,
    SetPerson,
    SetPicture,
    ShowWorld,
)
from wuts_sandbox.emulator.linking import LinkingError, scan
from wuts_sandbox.emulator.pair_code import enter

if TYPE_CHECKING:
    from wuts_sandbox.emulator.account import AccountState
    from wuts_sandbox.emulator.server import Emulator


class Scan(BaseCommand):
    """Plays the phone that scans a QR code; without an account, the first one not linked."""

    command: Literal["scan"]
    text: str = Field(max_length=2048)
    spoil: Literal["hmac"] | None = None
    """What is wrong with the pairing: its HMAC, which the device then refuses."""

    async def run(self, emulator: Emulator) -> Result:
        """Links the device that shows the code."""
        account = self._account(emulator)
        try:
            await scan(
                self.text,
                account,
                list(emulator.connections),
                spoil_hmac=self.spoil == "hmac",
            )
        except LinkingError as error:
            raise CommandError(Refusal.LINKING_FAILED, str(error)) from error
        return {"account": account.pn, "jid": str(account.address())}

    def _account(self, emulator: Emulator) -> AccountState:
        if self.account is not None:
            return self.only(emulator)
        for account in emulator.accounts:
            if account.device is None:
                return account
        raise CommandError(Refusal.ALL_LINKED)


class EnterCode(BaseCommand):
    """Plays the phone into which a pair code is typed: the account's that asked for it."""

    command: Literal["enter-code"]
    code: str = Field(max_length=64)

    async def run(self, emulator: Emulator) -> Result:
        """Links the device that shows the code."""
        connections = list(emulator.connections)
        numbers = {one.pairing.pn for one in connections if one.pairing is not None}
        waiting = [account for account in self.chosen(emulator) if account.pn in numbers]
        if not waiting:
            message = "no waiting device asked for a code for this number"
            raise CommandError(Refusal.LINKING_FAILED, message)
        if len(waiting) > 1:
            raise CommandError(Refusal.ACCOUNT_NOT_CHOSEN)
        try:
            await enter(self.code, waiting[0], connections)
        except LinkingError as error:
            raise CommandError(Refusal.LINKING_FAILED, str(error)) from error
        return {"account": waiting[0].pn, "jid": str(waiting[0].address())}


class Unlink(BaseCommand):
    """Forgets the linked device without telling it; its next login fails with 401."""

    command: Literal["unlink"]

    async def run(self, emulator: Emulator) -> Result:
        """Forgets it."""
        account = self.only(emulator)
        if account.device is None:
            raise CommandError(Refusal.NOT_LINKED)
        account.unlink()
        return {}


class Accounts(BaseCommand):
    """Lists the accounts: who they are, whether linked, online and synced."""

    command: Literal["accounts"]

    async def run(self, emulator: Emulator) -> Result:
        """Lists them in the world's order."""
        return {"accounts": [_summary(account) for account in self.chosen(emulator)]}


class Count(BaseCommand):
    """Returns how many stanzas of each kind have come in."""

    command: Literal["count"]
    reset: bool = False

    async def run(self, emulator: Emulator) -> Result:
        """Counts since the start or the last reset."""
        if self.account is not None:
            self.only(emulator)
        numbers = emulator.tally.numbers(self.account)
        if self.reset:
            emulator.tally.reset()
        return {"counts": numbers}


Command = Annotated[
    Accounts
    | Answer
    | Codes
    | Count
    | Crash
    | EnterCode
    | Kill
    | LoginFailure
    | Message
    | Query
    | Resync
    | Scan
    | SetBlocklist
    | SetDoor
    | SetGroup
    | SetPerson
    | SetPicture
    | ShowWorld
    | StreamError
    | Unlink,
    Field(discriminator="command"),
]


def _summary(account: AccountState) -> Result:
    return {
        "tenant": account.document.tenant,
        "user": account.document.user,
        "pn": account.pn,
        "lid": account.document.lid,
        "linked": account.device is not None,
        "jid": str(account.address()) if account.device else None,
        "online": account.online,
        "synced": account.synced,
    }
