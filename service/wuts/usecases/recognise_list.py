"""Tells whether a caller's copy of the contact list is still good, without reading the list."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from wuts.domain.caller import DeviceId
    from wuts.domain.revision import Revision
    from wuts.ports import Revisions
    from wuts.usecases.list_contacts import ConnectionGate


async def recognise_list(
    device: DeviceId,
    is_held: Callable[[str], bool],
    *,
    sessions: ConnectionGate,
    revisions: Revisions,
) -> Revision | None:
    """Gives the revision that the caller holds and the list is known to have.

    None when the list must be read: it is another one, or it is not known.
    `is_held` tells of a content whether the caller holds it. Raises
    DeviceNotReady as reading the list would.
    """
    await sessions.require_connected(device)
    revision = await revisions.current(device)
    return revision if revision is not None and is_held(revision.content) else None
