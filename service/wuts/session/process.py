"""The life of the session process, from its lock to its end."""

from __future__ import annotations

import logging
import os
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from wuts.session import store
from wuts.session.calls import Calls
from wuts.session.channel import Channel
from wuts.session.engine import Engine, EngineFailedError
from wuts.session.gate import Gate
from wuts.session.v1 import session_pb2 as pb

if TYPE_CHECKING:
    import ctypes
    from collections.abc import Callable

_LOG = logging.getLogger(__name__)

_LOCK_SECONDS = 5.0
# Together below the two seconds within which the process must be gone.
_DRAIN_SECONDS = 0.6
_STOP_SECONDS = 0.7
_FLUSH_SECONDS = 0.2


class SessionProcess:
    """Serves one device's store over one inherited socket.

    Ends by itself when the service closes its end of the socket.
    """

    def __init__(self, descriptor: int, *, sandbox: bool, proxy: str | None) -> None:
        self._sandbox = sandbox
        self._proxy = proxy
        self._channel = Channel(descriptor, on_stuck=lambda: _exit(os.EX_SOFTWARE))
        self._gate = Gate()
        self._engine = Engine(store.STORE, tell=self._channel.send, gate=self._gate)
        self._calls = Calls(self._engine, self._gate, self._channel.send)
        self._ending = threading.Lock()
        self._is_connecting = False

    def run(self, prepare_engine: Callable[[ctypes.CDLL], None]) -> NoReturn:
        """Serves until told to stop; the working directory must be the device's."""
        try:
            linked = self._take_store()
            engine = self._engine.load(prepare_engine)
        except store.StoreBusyError as error:
            busy = pb.StateChange(state=pb.CONNECTION_STATE_STORE_BUSY, holder=error.holder)
            self._fail(busy, os.EX_TEMPFAIL)
        except store.StoreRefusedError as error:
            refused = pb.CONNECTION_STATE_STORE_REFUSED
            self._fail(pb.StateChange(state=refused, cause=_cause(error)), os.EX_IOERR)
        hello = pb.Hello(engine=engine, sandbox=self._sandbox, linked=linked)
        self._channel.send(pb.Event(hello=hello))
        self._serve(linked=linked)
        self._stop()

    def _take_store(self) -> bool:
        here = Path()
        # The descriptor stays open, and with it the lock held, until the process ends.
        store.lock(here, seconds=_LOCK_SECONDS, give_up=self._channel.is_abandoned)
        return store.prepare(here)

    def _serve(self, *, linked: bool) -> None:
        """Hands requests on until one asks to stop, or the service is gone."""
        for request in self._channel.requests():
            match request.WhichOneof("call"):
                case "stop":
                    return
                case "connect" if not self._is_connecting:
                    self._is_connecting = True
                    self._calls.start()
                    # A second connect() of one client could never be stopped.
                    threading.Thread(target=self._connect, args=(linked,), daemon=True).start()
                case _:
                    self._calls.submit(request)

    def _connect(self, linked: bool) -> None:  # noqa: FBT001 # a thread's argument
        cause = pb.FAILURE_KIND_UNSPECIFIED
        try:
            self._engine.connect(linked=linked, proxy=self._proxy)
        except EngineFailedError as error:
            cause = error.cause
        except Exception:  # noqa: BLE001 # without a connection the process is of no use
            _LOG.exception("engine failed")
        # After a stop the ending is taken, and this thread waits there for the exit.
        self._fail(pb.StateChange(state=pb.CONNECTION_STATE_FAILED, cause=cause), 1)

    def _stop(self) -> NoReturn:
        """Disconnects if no call is inside the engine, waits briefly, and exits."""
        self._ending.acquire()
        if self._gate.close(seconds=_DRAIN_SECONDS) and self._is_connecting:
            # While the engine dials, its stop() waits for as long as that takes.
            stopping = threading.Thread(target=self._engine.stop, daemon=True)
            stopping.start()
            stopping.join(_STOP_SECONDS)
        self._channel.flush(seconds=_FLUSH_SECONDS)
        _exit(os.EX_OK)

    def _fail(self, last: pb.StateChange, code: int) -> NoReturn:
        """Tells the service why the process ends, and exits."""
        self._ending.acquire()
        self._channel.send(pb.Event(state=last))
        self._channel.flush(seconds=_FLUSH_SECONDS)
        _exit(code)


def _cause(error: store.StoreRefusedError) -> pb.FailureKind.ValueType:
    if isinstance(error, store.StoreCorruptError):
        return pb.FAILURE_KIND_STORE_CORRUPT
    if isinstance(error, store.DiskFullError):
        return pb.FAILURE_KIND_DISK_FULL
    return pb.FAILURE_KIND_UNSPECIFIED


def _exit(code: int) -> NoReturn:
    """Ends the process past neonize's threads, which would keep it alive for ever."""
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)
