"""The live session of one device, as callers see it."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

from wuts.adapters.sessions.linking import Linking
from wuts.adapters.sessions.supervisor import HOPEFUL, Supervisor
from wuts.domain.errors import (
    DeviceNotReady,
    DomainError,
    RateLimited,
    ServiceUnavailable,
    WhatsappTimeout,
)
from wuts.domain.state import DeviceState

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from wuts.adapters.sessions.calls import CallTable
    from wuts.adapters.sessions.surroundings import Surroundings
    from wuts.domain.caller import DeviceId
    from wuts.ports import Linked, QrText
    from wuts.session.v1 import session_pb2 as pb


class DeviceSession:
    """Asks over the device's session process, whichever that is at the moment."""

    def __init__(self, around: Surroundings, device: DeviceId) -> None:
        self._around = around
        self._linking = Linking(around, device, give_up=self._give_up_linking)
        self._supervisor = Supervisor(around, device, self._linking)
        self._waiting = 0
        self._is_stopped = False

    @property
    def state(self) -> DeviceState:
        """The state of the device now."""
        return self._supervisor.state

    @property
    def pid(self) -> int | None:
        """The id of its process, if there is one."""
        return self._supervisor.pid

    @property
    def waiting(self) -> int:
        """The number of callers that wait for their turn."""
        return self._waiting

    @property
    def calls(self) -> CallTable | None:
        """The calls of its process, if there is one."""
        return self._supervisor.calls

    def start(self) -> None:
        """Connects the device, and keeps it connected from now on."""
        if not self._is_stopped:
            self._supervisor.start()

    async def stop(self) -> None:
        """Ends the process and refuses everything from now on."""
        self._is_stopped = True
        await self._linking.stop()
        await self._supervisor.stop()

    async def connected(self) -> None:
        """Waits a little for the connection; raises DeviceNotReady without one."""
        with self._place_in_queue():
            await self._connected_calls()

    async def ask(self, request: pb.Request) -> pb.Reply:
        """Asks within the deadline of a call.

        Raises DeviceNotReady, RateLimited when its turn does not come, and
        WhatsappTimeout when the answer does not.
        """
        is_asked = False
        try:
            async with asyncio.timeout(self._around.limits.call_seconds):
                with self._place_in_queue():
                    calls = await self._connected_calls()
                    await calls.reserve()
                is_asked = True
                return await calls.ask(request)
        except TimeoutError:
            raise self._timed_out(is_asked=is_asked) from None

    async def link(self) -> AsyncGenerator[QrText | Linked]:
        """Links the device, together with whoever else wants that now."""
        if self._is_stopped:
            raise ServiceUnavailable
        if self.state == DeviceState.BANNED:
            raise DeviceNotReady(self.state)
        attempt = self._linking.join()
        try:
            if self.state == DeviceState.CONNECTED:
                self._linking.on_connected()
            else:
                self._supervisor.run()
            async for step in attempt.steps():
                yield step
        finally:
            self._linking.leave(attempt)

    def _give_up_linking(self) -> None:
        self._supervisor.end_linking()
        self._linking.on_failed(self.state)

    async def _connected_calls(self) -> CallTable:
        supervisor = self._supervisor
        try:
            async with asyncio.timeout(self._around.limits.connected_wait_seconds):
                while supervisor.state in HOPEFUL:
                    await supervisor.changed.wait()
        except TimeoutError:
            raise DeviceNotReady(supervisor.state) from None
        if supervisor.state != DeviceState.CONNECTED or supervisor.calls is None:
            raise DeviceNotReady(supervisor.state)
        return supervisor.calls

    @contextmanager
    def _place_in_queue(self) -> Iterator[None]:
        if self._waiting >= self._around.limits.calls_waiting:
            raise RateLimited(self._around.limits.busy_retry_seconds)
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1

    def _timed_out(self, *, is_asked: bool) -> DomainError:
        """Tells WhatsApp's silence from our own queue's length."""
        if is_asked:
            return WhatsappTimeout()
        return RateLimited(self._around.limits.busy_retry_seconds)
