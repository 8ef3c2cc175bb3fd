"""How the devices stood when the service was stopped, or killed: read back at its start."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from wuts.adapters.whatsmeow_store import Verdict
from wuts.domain.errors import DomainError
from wuts.domain.state import DeviceState, Reason

if TYPE_CHECKING:
    from wuts.adapters.registry import Registry
    from wuts.adapters.sessions.sessions import Sessions
    from wuts.adapters.whatsmeow_store import WhatsmeowStore
    from wuts.domain.caller import DeviceId
    from wuts.domain.device import DeviceRecord

_CHECKS_AT_ONCE = 16
# Fewer than the files that the store keeps open.

_log = structlog.get_logger()


async def restore(registry: Registry, store: WhatsmeowStore, sessions: Sessions) -> list[DeviceId]:
    """Lists the devices to connect, and tells the sessions how the others stand.

    The stores have the last word on who is linked: a link that the registry
    missed, as the service was killed just then, is recorded; so is one whose
    store is gone. A store that this release must not open is left alone; one
    that cannot be read now is for its session to judge.
    """
    verdicts = await _verdicts(registry, store)
    for device in registry.devices():
        if verdicts.get(device.id) is _CONTRADICTION[device.account is not None]:
            await _correct(device, registry, store)
    wanted, logged_out = registry.devices_to_connect(), registry.devices_logged_out()
    for device in registry.devices():
        if verdicts.get(device.id) is Verdict.REFUSED:
            sessions.recall(device.id, DeviceState.STORE_REFUSED, Reason.STORE_REFUSED)
        elif device.id in logged_out:
            sessions.recall(device.id, DeviceState.LOGGED_OUT)
        elif device.account is not None and device.id not in wanted:
            sessions.recall(device.id, DeviceState.DISCONNECTED, Reason.DISCONNECTED_BY_REQUEST)
    return [device for device in wanted if verdicts.get(device) is not Verdict.REFUSED]


async def _verdicts(registry: Registry, store: WhatsmeowStore) -> dict[DeviceId, Verdict]:
    """Looks at every store, several at a time: one may be slow or locked."""
    turn = asyncio.Semaphore(_CHECKS_AT_ONCE)

    async def verdict(device: DeviceId) -> tuple[DeviceId, Verdict]:
        async with turn:
            return device, await store.check(device)

    return dict(await asyncio.gather(*(verdict(device.id) for device in registry.devices())))


_CONTRADICTION = {True: Verdict.NEW, False: Verdict.LINKED}
# What a store says when the registry thinks that the device is linked, or not.


async def _correct(device: DeviceRecord, registry: Registry, store: WhatsmeowStore) -> None:
    """Records who is linked, as the store says."""
    try:
        if device.account is None:
            registry.record_linked(device.id, await store.account(device.id))
        else:
            registry.record_unlinked(device.id)
    except DomainError as error:
        # The next start tries again; connecting does not depend on it.
        _log.warning("registry_not_corrected", device=device.id, error=type(error).__name__)
    else:
        _log.warning("registry_corrected", device=device.id)
