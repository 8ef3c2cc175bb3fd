"""The life of the neonize client: loading, connecting, what it tells, its end.

Together with `questions` the only module that touches neonize. Every hazard of
the library is answered here or there: it is imported late, because the import
starts Go; handlers only note and return, because a blocked one blocks the
client; and nothing that can abort the process is called.
"""

from __future__ import annotations

import importlib.util
import logging
import sys
import types
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from wuts.session import changes, failures
from wuts.session.gate import Admits
from wuts.session.questions import Questions
from wuts.session.v1 import session_pb2 as pb

if TYPE_CHECKING:
    import ctypes
    from collections.abc import Callable

    from wuts.session.gate import Gate

_LOG = logging.getLogger(__name__)

_LOG_FORMAT = "%(levelname)s %(name)s %(message)s"
"""The level comes first: the service counts lines by it."""

_PAIRED_WELL: Final = 2
"""neonize's PairStatus for a pairing that succeeded."""

_REASON_CODES: Final = {
    1: 400,
    2: 401,
    3: 402,
    4: 403,
    5: 406,
    6: 405,
    7: 409,
    8: 500,
    9: 501,
    10: 503,
}
"""WhatsApp's login failure codes by neonize's numbers for them."""

_SILENCE: Final = pb.FAILURE_KIND_TIMED_OUT
"""The cause of a connection that is up and answers no more."""

_FINAL_STATES: Final = frozenset(
    {
        pb.CONNECTION_STATE_LOGGED_OUT,
        pb.CONNECTION_STATE_REPLACED,
        pb.CONNECTION_STATE_BANNED,
        pb.CONNECTION_STATE_OUTDATED,
        pb.CONNECTION_STATE_FAILED,
    }
)
"""The engine makes no further attempt after these, whatever events may follow."""


class EngineFailedError(Exception):
    """The engine gave up connecting, or never could; the process should end."""

    def __init__(self, cause: pb.FailureKind.ValueType) -> None:
        super().__init__(cause)
        self.cause = cause


class Engine:
    """One neonize client on the store in the working directory.

    `tell` gets every event and must not block; `gate` is opened while calls may
    be made. `questions` exist once the engine is loaded.
    """

    questions: Questions

    def __init__(self, store: str, *, tell: Callable[[pb.Event], None], gate: Gate) -> None:
        self._store = store
        self._tell = tell
        self._gate = gate
        self._is_final = False
        self._is_logging_out = False
        self._client: Any = None

    def load(self, prepare: Callable[[ctypes.CDLL], None]) -> str:
        """Imports neonize, lets `prepare` see its library, and gives its version."""
        _refuse_download()
        _stand_in_for_libmagic()
        # Starts the Go run time: not before the lock on the store is held.
        import neonize  # noqa: PLC0415
        from neonize import _binder, client  # noqa: PLC0415
        from neonize.proto.waCompanionReg.WAWebProtobufsCompanionReg_pb2 import (  # noqa: PLC0415
            DeviceProps,
        )

        logging.basicConfig(format=_LOG_FORMAT, level=logging.INFO, force=True)
        prepare(_binder.gocode)
        # Unique: collecting a second client of the same name would stop this one.
        self._client = client.NewClient(
            self._store,
            uuid=uuid.uuid4().hex,
            # What the phone shows in its list of linked devices.
            props=DeviceProps(os="wuts", platformType=DeviceProps.SAFARI),
        )
        self.questions = Questions(self._client, self._gate)
        self._subscribe()
        return f"neonize {neonize.__version__}"

    def connect(self, *, linked: bool, proxy: str | None) -> None:
        """Connects, and returns when `stop` was called; raises EngineFailedError."""
        from neonize._binder import ProxySettings  # noqa: PLC0415 # loaded by now
        from neonize.exc import NeonizeError  # noqa: PLC0415

        first = pb.CONNECTION_STATE_CONNECTING if linked else pb.CONNECTION_STATE_LINKING
        self._enter(first)
        try:
            self._client.connect(None if proxy is None else ProxySettings(proxy))
        except NeonizeError as error:
            raise EngineFailedError(failures.read(error).kind) from None

    def stop(self) -> None:
        """Disconnects; may block for a minute while the engine is dialling."""
        self._client.stop()

    def logout(self) -> pb.Reply:
        """Logs the device out; the engine deletes its keys and tells no event.

        WhatsApp may end the stream as if the phone had removed the device, before
        or after it answers: both are the same log-out.
        """
        from neonize.exc import NeonizeError  # noqa: PLC0415 # loaded by now

        self._is_logging_out = True
        try:
            self._client.logout()
        except NeonizeError as error:
            failure = failures.read(error)
            self._is_logging_out = False
            if not self._is_final:
                return pb.Reply(failure=failure)
        return pb.Reply(logged_out=pb.LoggedOut())

    def note_logged_out(self) -> None:
        """Tells that the device was logged out by request."""
        self._enter(pb.CONNECTION_STATE_LOGGED_OUT, requested=True)

    def _subscribe(self) -> None:
        """Registers all handlers; later ones would never be called.

        Messages are not among them: they are none of this project's business.
        """
        from neonize import events  # noqa: PLC0415 # loaded by now

        on = self._client.event
        reconnecting = pb.CONNECTION_STATE_RECONNECTING
        connected = pb.CONNECTION_STATE_CONNECTED
        # Plain functions: neonize keeps only weak references to bound methods.
        on(events.ConnectedEv)(lambda _, __: self._enter(connected))
        on(events.DisconnectedEv)(lambda _, __: self._enter(reconnecting))
        # The socket is up, and answers no more: calls would only time out.
        on(events.KeepAliveTimeoutEv)(lambda _, __: self._enter(reconnecting, cause=_SILENCE))
        on(events.KeepAliveRestoredEv)(lambda _, __: self._enter(connected))
        on(events.PairStatusEv)(lambda _, told: self._on_pair_status(told.Status))
        on(events.LoggedOutEv)(lambda _, told: self._on_logged_out(told.Reason))
        on(events.StreamReplacedEv)(lambda _, __: self._enter(pb.CONNECTION_STATE_REPLACED))
        on(events.TemporaryBanEv)(lambda _, told: self._on_ban(told.Code, told.Expire))
        on(events.ClientOutdatedEv)(lambda _, __: self._enter(pb.CONNECTION_STATE_OUTDATED, 405))
        on(events.ConnectFailureEv)(lambda _, told: self._on_connect_failure(told.Reason))
        on(events.PictureEv)(lambda _, told: self._note(changes.picture_changed(told.JID)))
        on(events.GroupInfoEv)(lambda _, told: self._note(changes.group_changed(told.JID)))
        on(events.JoinedGroupEv)(
            lambda _, told: self._note(changes.group_changed(told.GroupInfo.JID))
        )
        self._client.qr(lambda _, text: self._on_qr(text.decode()))

    def _note(self, change: pb.Event | None) -> None:
        if change is not None:
            self._tell(change)

    def _on_qr(self, text: str) -> None:
        # The first code is the sign that the connection is up.
        self._gate.admit(Admits.PAIRING)
        self._tell(pb.Event(qr_text=text))

    def _on_pair_status(self, status: int) -> None:
        if status == _PAIRED_WELL:
            self._enter(pb.CONNECTION_STATE_PAIRED)

    def _on_logged_out(self, reason: int) -> None:
        code = _REASON_CODES.get(reason, 0)
        requested = self._is_logging_out
        self._enter(pb.CONNECTION_STATE_LOGGED_OUT, code, requested=requested)

    def _on_ban(self, code: int, seconds: int) -> None:
        self._enter(pb.CONNECTION_STATE_BANNED, code, expires_in=max(0, seconds))

    def _on_connect_failure(self, reason: int) -> None:
        self._enter(pb.CONNECTION_STATE_FAILED, _REASON_CODES.get(reason, 0))

    def _enter(
        self,
        state: pb.ConnectionState.ValueType,
        code: int = 0,
        *,
        expires_in: int = 0,
        cause: pb.FailureKind.ValueType = pb.FAILURE_KIND_UNSPECIFIED,
        requested: bool = False,
    ) -> None:
        if self._is_final:
            return
        self._is_final = state in _FINAL_STATES
        is_connected = state == pb.CONNECTION_STATE_CONNECTED
        self._gate.admit(Admits.CALLS if is_connected else Admits.NOTHING)
        change = pb.StateChange(
            state=state, code=code, expires_in=expires_in, cause=cause, requested=requested
        )
        self._tell(pb.Event(state=change))


def _refuse_download() -> None:
    """Raises EngineFailedError where the import would fetch a library from the network."""
    spec = importlib.util.find_spec("neonize")
    places = (spec.submodule_search_locations if spec else None) or ()
    if not any(True for place in places for _ in Path(place).glob("neonize-*-*.*")):
        _LOG.error("neonize is installed without its library for this platform")
        raise EngineFailedError(pb.FAILURE_KIND_UNSPECIFIED)


def _stand_in_for_libmagic() -> None:
    """Lets the import pass on machines without libmagic, which only media sending needs."""
    try:
        import magic  # noqa: F401, PLC0415 # the attempt is the test
    except ImportError:
        sys.modules["magic"] = types.ModuleType("magic")
