"""Answers the port Revisions: watches stores, and compares lists when they were written to."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import Context
from typing import TYPE_CHECKING

import structlog

from wuts.adapters.revisions import record
from wuts.adapters.revisions.comparing import Comparer
from wuts.adapters.revisions.known import Known
from wuts.adapters.revisions.limits import Limits
from wuts.adapters.revisions.reading import Reading
from wuts.domain.errors import DomainError
from wuts.domain.revision import Revision
from wuts.instruments import SILENT, Instruments

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path

    from wuts.adapters.revisions.comparing import StampedStore
    from wuts.domain.caller import DeviceId

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class ListRevisions:
    """Knows the lists of the devices that someone asks about. Belongs to one event loop.

    Memory and disk hold only fingerprints. `current` never waits for a
    comparison: what is not known now is None, and the caller reads the list.
    """

    def __init__(
        self,
        store: StampedStore,
        devices_directory: Path,
        *,
        limits: Limits | None = None,
        instruments: Instruments = SILENT,
    ) -> None:
        self._store = store
        self._directory = devices_directory
        self._limits = limits or Limits()
        self._instruments = instruments
        self._comparer = Comparer(store, self._limits)
        self._known: OrderedDict[DeviceId, Known] = OrderedDict()
        # Apart from everyone else's threads: a slow disk holds up the numbers only.
        self._disk = ThreadPoolExecutor(max_workers=1, thread_name_prefix="revisions")

    async def current(self, device: DeviceId) -> Revision | None:
        """Gives what the list is known to have been at most `stale_seconds` ago."""
        known = self._of(device)
        self._watch(device, known)
        if self._is_stale(known) and known.stamp is not None:
            with suppress(DomainError, TimeoutError):
                async with asyncio.timeout(self._limits.look_seconds):
                    await self._look(device, known)
        if self._is_stale(known):
            return None
        return Revision(known.content, max(0.0, _now() - known.held_at))

    def reading(self, device: DeviceId) -> Reading:
        """Begins a walk through the list."""
        known = self._of(device)
        return Reading(
            self._store,
            known,
            _now(),
            on_whole=lambda: self._on_learnt(device, known),
            on_unknown=lambda: self._compare_soon(device, known),
        )

    async def forget(self, device: DeviceId) -> None:
        """Stops watching a device that is removed; returns when nothing is written any more."""
        known = self._known.pop(device, None)
        if known is not None:
            await self._end(known)

    async def close(self) -> None:
        """Ends everything."""
        await self._end(*self._known.values())
        self._known.clear()
        self._disk.shutdown(wait=False)

    async def _end(self, *ending: Known) -> None:
        """Ends the watching; a write to disk cannot be ended, only waited for."""
        for known in ending:
            _cancel(known)
        tasks = {task for known in ending for task in (known.task, known.recording) if task}
        if tasks:
            await asyncio.wait(tasks, timeout=self._limits.forget_seconds)

    def _of(self, device: DeviceId) -> Known:
        known = self._known.get(device)
        if known is None:
            known = self._known[device] = Known()
            self._make_room()
        self._known.move_to_end(device)
        return known

    def _make_room(self) -> None:
        """Forgets those that were asked about longest ago."""
        while len(self._known) > self._limits.known:
            _, oldest = self._known.popitem(last=False)
            _cancel(oldest)

    def _is_stale(self, known: Known) -> bool:
        return _now() - known.held_at > self._limits.stale_seconds

    # Watching.

    def _watch(self, device: DeviceId, known: Known) -> None:
        known.watch_until = _now() + self._limits.watch_seconds
        if known.is_busy:
            return
        watched = [other for other in self._known.values() if other.is_busy]
        if len(watched) >= self._limits.watched:
            _cancel(min(watched, key=lambda other: other.watch_until))
        known.task = _begin(self._keep_watching(device, known))

    async def _keep_watching(self, device: DeviceId, known: Known) -> None:
        pause = self._limits.poll_seconds
        while _now() < known.watch_until:
            await asyncio.sleep(pause)
            try:
                if not await self._look(device, known) and self._is_due(known):
                    await self._compare(device, known)
                pause = self._limits.poll_seconds
            except DomainError:
                # It cannot be read now; what was known of it ages by itself.
                pause = min(2 * pause, self._limits.longest_pause_seconds)

    async def _look(self, device: DeviceId, known: Known) -> bool:
        """Looks whether the store was written to; tells whether it was not."""
        begun = _now()
        return known.confirm(await self._store.stamp(device), begun)

    def _is_due(self, known: Known) -> bool:
        moved_at = _now() if known.moved_at is None else known.moved_at
        return _now() >= max(moved_at + self._limits.settle_seconds, known.rest_until)

    def _compare_soon(self, device: DeviceId, known: Known) -> None:
        """Compares once, for callers of single pages; a watched device is compared anyway."""
        rested = max(known.rest_until, known.begun + self._limits.first_look_seconds)
        if not known.is_busy and _now() >= rested:
            known.task = _begin(self._compare_once(device, known))

    async def _compare_once(self, device: DeviceId, known: Known) -> None:
        with suppress(DomainError):
            await self._compare(device, known)
        if _now() < known.watch_until:  # asked for while this was going on
            await self._keep_watching(device, known)

    async def _compare(self, device: DeviceId, known: Known) -> None:
        compared, before, outcome = await self._comparer.begin(), known.content, "failed"
        try:
            await self._comparer.read(device, compared)
            outcome = "same" if compared.content == before else "changed"
            known.learn(compared.content, compared.stamps, compared.begun)
            self._on_learnt(device, known)
        finally:
            known.rest_until = _now() + compared.worked * self._limits.rest_factor
            self._instruments.metrics.compared(outcome, _now() - compared.begun)

    # The number on disk.

    def _on_learnt(self, device: DeviceId, known: Known) -> None:
        is_recording = known.recording is not None and not known.recording.done()
        if known.content != known.recorded and not is_recording:
            known.recording = _begin(self._record(device, known))

    async def _record(self, device: DeviceId, known: Known) -> None:
        """Writes the content down; again when it has changed meanwhile."""
        loop, directory = asyncio.get_running_loop(), self._directory / device
        while known.content != known.recorded:
            content = known.content
            try:
                number, is_new = await loop.run_in_executor(
                    self._disk, record.renew, directory, content
                )
            except FileNotFoundError:
                return  # the device was removed
            except OSError as error:
                # Told once: the next attempt comes with the next change of the list.
                _log.warning("revision_not_written", device=device, error=type(error).__name__)
                known.recorded = content
                continue
            known.recorded = content
            if is_new:
                _log.info("contacts_changed", device=device, revision=number)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _begin(work: Coroutine[object, object, None]) -> asyncio.Task[None]:
    """Begins work that belongs to no call: nothing of the caller's context goes along."""
    return asyncio.get_running_loop().create_task(work, context=Context())


def _cancel(known: Known) -> None:
    if known.task is not None:
        known.task.cancel()
