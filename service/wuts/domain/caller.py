"""Who is calling, and for which device."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

from wuts.domain.errors import DeviceNotChosen, DeviceNotReady
from wuts.domain.state import DeviceState

DeviceId = NewType("DeviceId", str)
"""Names one linked device of one user; an opaque text, by our own hand a UUID."""


class Role(StrEnum):
    """What a user may do."""

    ADMIN = "admin"
    MANAGER = "manager"
    USER = "user"


@dataclass(frozen=True, slots=True)
class Caller:
    """The user behind a token.

    `bound_device` is the device the token is bound to, if any; `devices` are
    all devices of the user.
    """

    tenant: str
    user: str
    role: Role
    bound_device: DeviceId | None
    devices: tuple[DeviceId, ...]

    def device(self) -> DeviceId:
        """Chooses the device the call is about.

        Raises DeviceNotReady when there is none and DeviceNotChosen when there
        are several and the token is bound to none of them.
        """
        if self.bound_device is not None:
            return self.bound_device
        if not self.devices:
            raise DeviceNotReady(DeviceState.NEW)
        if len(self.devices) > 1:
            raise DeviceNotChosen
        return self.devices[0]
