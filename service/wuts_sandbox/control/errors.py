"""Lists what a command can fail with."""

from __future__ import annotations

from enum import Enum


class Refusal(Enum):
    """Every refusal: its name is the code for machines, its value the text for people."""

    BAD_COMMAND = "the command is malformed"
    BAD_JID = "an address looks like 5511999999999@s.whatsapp.net"
    BAD_QR = "the text is no QR code of WhatsApp linking"
    BAD_WORLD = "the world document would be malformed"
    ACCOUNT_NOT_CHOSEN = "there are several accounts: name one"
    ALL_LINKED = "every account has a linked device: name one"
    NO_SUCH_ACCOUNT = "no account has this number"
    NO_SUCH_JID = "nobody in this world has this address"
    NOT_LINKED = "no device is linked to this account"
    LINKING_FAILED = "the device could not be linked"
    NO_PREKEYS = "the device has no prekeys left"


class CommandError(Exception):
    """The emulator did not do as told."""

    def __init__(self, refusal: Refusal, text: str = "") -> None:
        super().__init__(text or refusal.value)
        self.refusal = refusal
