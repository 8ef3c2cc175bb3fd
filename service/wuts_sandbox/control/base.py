"""Holds what all commands share: the account they concern, and refusing unknown keys."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from wuts_sandbox.control.errors import CommandError, Refusal

if TYPE_CHECKING:
    from wuts_sandbox.emulator.account import AccountState
    from wuts_sandbox.emulator.connection import Connection
    from wuts_sandbox.emulator.server import Emulator

Result = dict[str, Any]


class BaseCommand(BaseModel):
    """One command; its fields are the keys of the JSON object."""

    model_config = ConfigDict(extra="forbid")

    account: str | None = None
    """PN of the account it concerns; absent is all of them, or the only one."""

    @abstractmethod
    async def run(self, emulator: Emulator) -> Result:
        """Does it; raises CommandError."""

    def chosen(self, emulator: Emulator) -> list[AccountState]:
        """Returns the accounts it concerns."""
        return emulator.accounts if self.account is None else [self.only(emulator)]

    def only(self, emulator: Emulator) -> AccountState:
        """Returns the one account it concerns."""
        if self.account is None:
            if len(emulator.accounts) == 1:
                return emulator.accounts[0]
            raise CommandError(Refusal.ACCOUNT_NOT_CHOSEN)
        account = emulator.account(self.account)
        if account is None:
            raise CommandError(Refusal.NO_SUCH_ACCOUNT)
        return account

    def connections(self, emulator: Emulator) -> list[Connection]:
        """Returns the live connections it concerns; without an account, also unlinked ones."""
        if self.account is None:
            return list(emulator.connections)
        account = self.only(emulator)
        return [one for one in emulator.connections if one.account is account]
