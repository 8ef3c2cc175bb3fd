"""The live session of one device, as callers see it."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

from wuts.adapters.sessions import answers, observed
from wuts.adapters.sessions.codes import Codes
from wuts.adapters.sessions.ends import End, How
from wuts.adapters.sessions.linking import Linking
from wuts.adapters.sessions.standing import HOPEFUL
from wuts.adapters.sessions.supervisor import Supervisor
from wuts.domain.errors import (
    Busy,
    DeviceNotReady,
    DomainError,
    ServiceUnavailable,
    WhatsappTimeout,
)
from wuts.domain.state import SERVING, DeviceState, Reason
from wuts.session.v1 import session_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from wuts.adapters.sessions.attempt import Attempt
    from wuts.adapters.sessions.calls import CallTable
    from wuts.adapters.sessions.life import Life
    from wuts.adapters.sessions.surroundings import Surroundings
    from wuts.domain.caller import DeviceId
    from wuts.domain.device import DeviceStatus, PairCode
    from wuts.domain.jid import Jid
    from wuts.ports import Linked, QrText


class DeviceSession:
    """Asks over the device's session process, whichever that is at the moment."""

    def __init__(self, around: Surroundings, device: DeviceId) -> None:
        self._around = around
        self._linking = Linking(
            around,
            device,
            give_up=self._give_up_linking,
            ask_pair_code=self._ask_pair_code,
        )
        self._supervisor = Supervisor(around, device, self._linking)
        self.codes = Codes(around, self._supervisor, self._linking, self._join)
        self._waiting = 0
        self._is_stopped = False

    @property
    def state(self) -> DeviceState:
        """The state of the device now."""
        return self._supervisor.state

    @property
    def status(self) -> DeviceStatus:
        """The state with its circumstances."""
        return self._supervisor.standing.status

    @property
    def life(self) -> Life | None:
        """The life of its process, if there is one."""
        return self._supervisor.life

    @property
    def waiting(self) -> int:
        """The number of callers that wait for their turn."""
        return self._waiting

    @property
    def calls(self) -> CallTable | None:
        """The calls of its process, if there is one."""
        return self._supervisor.calls

    def watch(self) -> AsyncGenerator[DeviceStatus]:
        """Yields the status now, and after each change."""
        return self._supervisor.standing.watch()

    def recall(self, state: DeviceState, reason: str) -> None:
        """Takes over how the device stood before the service was restarted."""
        self._supervisor.recall(state, reason)

    def start(self) -> None:
        """Connects the device, and keeps it connected from now on."""
        if not self._is_stopped:
            self._supervisor.start()

    def end_streams(self, error: DomainError) -> None:
        """Ends everyone's watching and linking with that error."""
        self._supervisor.standing.close(error)
        self._linking.on_failed(error)

    async def stop(self, error: DomainError | None = None) -> None:
        """Ends the process and refuses everything from now on, with that error."""
        self._is_stopped = True
        error = error or ServiceUnavailable()
        self.end_streams(error)
        await self._linking.stop()
        await self._supervisor.stop()

    async def connect(self) -> DeviceStatus:
        """Connects a linked device, and waits a little for the connection."""
        supervisor = self._supervisor
        if supervisor.is_linked is not False and not self._is_stopped:
            supervisor.start()
            await self._settled(self._around.limits.connect_wait_seconds)
        return self.status

    async def disconnect(self) -> None:
        """Ends the connection, or linking; returns when the process is gone."""
        self._supervisor.disconnect()
        await self._supervisor.quiet()

    async def logout(self) -> None:
        """Ends the link; the device must be connected."""
        was_serving = self.state in SERVING
        try:
            reply = await self.ask(pb.Request(logout=pb.LogoutRequest()))
        except DeviceNotReady as error:
            # WhatsApp may end the stream before it answers.
            if error.reason == Reason.LOGGED_OUT_BY_REQUEST and was_serving:
                return
            raise
        answers.logged_out(reply, slow_down_seconds=self._around.limits.rate_limit_seconds)
        self._supervisor.finish(End(How.LOGGED_OUT, requested=True))

    async def connected(self) -> None:
        """Waits a little for the connection; raises DeviceNotReady without one."""
        with self._place_in_queue():
            await self._connected_calls()

    async def ask(self, request: pb.Request) -> pb.Reply:
        """Asks within the deadline of a call.

        Raises DeviceNotReady, Busy when its turn does not come, and
        WhatsappTimeout when the answer does not.
        """
        with observed.observed(self._around.instruments, request) as question:
            return observed.told(question, request, await self._ask(request))

    async def _ask(self, request: pb.Request) -> pb.Reply:
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

    async def link(self, phone: Jid | None) -> AsyncGenerator[QrText | PairCode | Linked]:
        """Links the device, together with whoever else wants that now."""
        attempt = self._join()
        try:
            if phone is not None:
                self._linking.want_pair_code(attempt, phone)
            async for step in attempt.steps(phone):
                yield step
        finally:
            self._linking.leave(attempt)

    def _join(self) -> Attempt:
        """Joins the attempt to link the device; one that is linked is connected."""
        if self._is_stopped:
            raise ServiceUnavailable
        if self.state == DeviceState.BANNED:
            raise self._supervisor.standing.refusal
        attempt = self._linking.join()
        if self.state in SERVING:
            self._linking.on_connected()
        else:
            self._supervisor.run()
        return attempt

    async def _ask_pair_code(self, phone: Jid) -> str:
        return await self.codes.ask_pair_code(phone)

    def _give_up_linking(self, how: How) -> None:
        self._supervisor.end_linking(how)
        self._linking.on_failed(self._supervisor.refuse())

    async def _connected_calls(self) -> CallTable:
        supervisor = self._supervisor
        await self._settled(self._around.limits.connected_wait_seconds)
        if supervisor.state not in SERVING or supervisor.calls is None:
            raise supervisor.standing.refusal
        return supervisor.calls

    async def _settled(self, seconds: float) -> None:
        """Waits, for a time, until the device is neither connecting nor reconnecting."""
        standing = self._supervisor.standing
        if standing.state not in HOPEFUL:
            return  # as nearly always; a timer costs more than all the rest
        try:
            async with asyncio.timeout(seconds):
                while standing.state in HOPEFUL:
                    await standing.changed.wait()
        except TimeoutError:
            return

    @contextmanager
    def _place_in_queue(self) -> Iterator[None]:
        if self._waiting >= self._around.limits.calls_waiting:
            raise Busy(self._around.limits.busy_retry_seconds)
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1

    def _timed_out(self, *, is_asked: bool) -> DomainError:
        """Tells WhatsApp's silence from our own queue's length."""
        if is_asked:
            return WhatsappTimeout()
        return Busy(self._around.limits.busy_retry_seconds)
