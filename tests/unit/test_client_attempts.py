"""What wuts.client does about a failed call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

from wuts.client import errors
from wuts.client.asking import Ask
from wuts.client.attempts import Attempts
from wuts.client.channel import credentials, options
from wuts.client.errors import BY_REASON, Failure, WutsError, error_of
from wuts.contacts.v1 import error_reason_pb2

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.protobuf.message import Message

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE


def asking(*, is_safe: bool = True, timeout: float | None = None) -> Ask[bytes]:
    """A call that is never made."""
    return Ask("/a/b", b"", bytes, timeout, 17.0, is_safe)


def attempts(*, is_safe: bool = True, timeout: float | None = 60, retries: int = 2) -> Attempts:
    """The attempts of such a call."""
    return Attempts(asking(is_safe=is_safe), timeout=timeout, retries=retries)


def failed(
    kind: type[WutsError], code: grpc.StatusCode = UNAVAILABLE, retry_after: float | None = None
) -> WutsError:
    """A failure of a kind."""
    return kind(Failure(code, retry_after=retry_after))


def streaming(*, resumes: bool = True, timeout: float | None = None, retries: int = 2) -> Attempts:
    """The attempts of a stream."""
    rest = (lambda _: b"") if resumes else None
    ask = Ask("/a/b", b"", bytes, None, None, is_safe=True, rest=rest)
    return Attempts(ask, timeout=timeout, retries=retries)


class FailedCall(grpc.RpcError):
    """What a stub raises."""

    def __init__(
        self, code: grpc.StatusCode, details: bytes = b"", trailing: Sequence[tuple[str, str]] = ()
    ) -> None:
        self._code = code
        self._trailing = (("grpc-status-details-bin", details), *trailing)

    def code(self) -> grpc.StatusCode:
        """Gives the status."""
        return self._code

    def details(self) -> str:
        """Gives the text."""
        return "text"

    def trailing_metadata(self) -> Any:
        """Gives the metadata behind the answer."""
        return self._trailing


def status(*details: Message) -> bytes:
    """A serialised status with these details."""
    packed = [any_pb2.Any() for _ in details]
    for into, one in zip(packed, details, strict=True):
        into.Pack(one)
    data: bytes = status_pb2.Status(details=packed).SerializeToString()
    return data


class TestAttempts:
    """Attempts decides whether and when a call is made again."""

    def test_waits_as_long_as_it_is_told(self) -> None:
        """RetryInfo sets the pause; a little is added so that callers spread."""
        pause = attempts().pause_after(failed(errors.DeviceNotReady, retry_after=2))
        assert pause is not None
        assert 2 <= pause <= 2.5

    @pytest.mark.parametrize("kind", [errors.Unreachable, errors.ServiceUnavailable])
    def test_waits_longer_each_time(self, kind: type[WutsError]) -> None:
        """Where nobody says how long, pauses double."""
        trying = attempts(retries=3)
        pauses = [trying.pause_after(failed(kind)) or 0 for _ in range(3)]
        expected = [(0.2, 0.25), (0.4, 0.5), (0.8, 1.0)]
        assert [True] * 3 == [
            low <= pause <= high for pause, (low, high) in zip(pauses, expected, strict=True)
        ]

    def test_is_bounded(self) -> None:
        """After so many retries there are no more."""
        trying = attempts(retries=1)
        assert trying.pause_after(failed(errors.Unreachable)) is not None
        assert trying.pause_after(failed(errors.Unreachable)) is None

    def test_never_repeats_what_has_effects(self) -> None:
        """A call with side effects is made once, whatever the failure says."""
        trying = attempts(is_safe=False)
        assert trying.pause_after(failed(errors.Unreachable, retry_after=1)) is None

    @pytest.mark.parametrize(
        "error",
        [
            failed(errors.RateLimited, grpc.StatusCode.RESOURCE_EXHAUSTED, 1),
            failed(errors.BudgetExhausted, grpc.StatusCode.RESOURCE_EXHAUSTED, 1),
            failed(errors.WhatsappTimeout, grpc.StatusCode.DEADLINE_EXCEEDED),
            failed(errors.InternalError, grpc.StatusCode.INTERNAL),
            failed(errors.DeviceNotReady),
            failed(errors.StoreUnavailable),
            failed(errors.DeviceNotReady, retry_after=60),
        ],
    )
    def test_tells_what_a_pause_cannot_cure(self, error: WutsError) -> None:
        """Other codes, no word about when, and long pauses are the caller's to judge."""
        assert attempts().pause_after(error) is None

    def test_ends_with_the_deadline(self) -> None:
        """No pause outlasts the call."""
        trying = attempts(timeout=0.1)
        assert trying.pause_after(failed(errors.DeviceNotReady, retry_after=1)) is None
        assert (trying.left() or 0) <= 0.1

    @pytest.mark.parametrize(
        ("of_call", "of_client", "expected"), [(None, None, 17), (None, 5, 5), (3, 5, 3)]
    )
    def test_deadline(
        self, of_call: float | None, of_client: float | None, expected: float
    ) -> None:
        """The call's own deadline wins over the client's, and that over the usual one."""
        left = Attempts(asking(timeout=of_call), timeout=of_client, retries=0).left() or 0
        assert expected - 1 < left <= expected


class TestAttemptsOfStreams:
    """Attempts decides whether and when a stream is resumed."""

    @pytest.mark.parametrize(
        "error",
        [
            failed(errors.Unreachable),
            failed(errors.ServiceUnavailable),
            failed(errors.DeviceNotReady, retry_after=1),
            # The service's own limit, and what a gateway makes of a lost service.
            errors.Timeout(Failure(grpc.StatusCode.DEADLINE_EXCEEDED, "TIMEOUT")),
            failed(WutsError, grpc.StatusCode.INTERNAL),
        ],
    )
    def test_resumes(self, error: WutsError) -> None:
        """A stream that was cut off goes on after a pause, though it has no deadline."""
        trying = streaming()
        assert trying.left() is None
        assert trying.pause_after(error) is not None

    @pytest.mark.parametrize(
        "error",
        [
            # The caller's own deadline.
            failed(errors.Timeout, grpc.StatusCode.DEADLINE_EXCEEDED),
            errors.InternalError(Failure(grpc.StatusCode.INTERNAL, "INTERNAL_ERROR")),
            failed(WutsError, grpc.StatusCode.RESOURCE_EXHAUSTED),
            failed(errors.StoreUnavailable),
            failed(errors.DeviceNotReady),
        ],
    )
    def test_tells_what_a_pause_cannot_cure(self, error: WutsError) -> None:
        """What would happen again is the caller's to judge."""
        assert streaming().pause_after(error) is None

    def test_without_a_place_to_go_on(self) -> None:
        """A stream that cannot be resumed is the caller's to open again."""
        assert streaming(resumes=False).pause_after(failed(errors.Unreachable)) is None

    def test_is_bounded(self) -> None:
        """Retries are counted from the last message: a stream may be cut off often."""
        trying, cut = streaming(), failed(errors.Unreachable)
        for _ in range(10):
            assert trying.pause_after(cut) is not None
            trying.advance()
        pauses = [trying.pause_after(cut) for _ in range(6)]
        assert [False] * 5 + [True] == [pause is None for pause in pauses]

    def test_bridges_a_restart(self) -> None:
        """The pauses together are longer than the service is away when it is restarted."""
        trying, cut = streaming(), failed(errors.Unreachable)
        assert sum(trying.pause_after(cut) or 0 for _ in range(5)) > 6

    def test_without_retries(self) -> None:
        """Whoever wants none gets none."""
        assert streaming(retries=0).pause_after(failed(errors.Unreachable)) is None

    def test_ends_with_the_deadline(self) -> None:
        """A deadline, where there is one, covers all attempts."""
        assert streaming(timeout=0.1).pause_after(failed(errors.Unreachable)) is None


class TestErrorOf:
    """error_of reads what a failed call says."""

    def test_every_reason_has_a_class(self) -> None:
        """Reasons of the proto and classes are the same set, each class with one reason."""
        named = set(error_reason_pb2.ErrorReason.keys())
        words = {name.removeprefix("ERROR_REASON_") for name in named} - {"UNSPECIFIED"}
        assert words == set(BY_REASON)
        assert len(words) == len(set(BY_REASON.values()))

    def test_all_details(self) -> None:
        """Reason, facts, fields at fault, pause and request id are told."""
        details = status(
            error_details_pb2.ErrorInfo(
                reason="DEVICE_NOT_READY", metadata={"state": "NEW", "request_id": "r-1"}
            ),
            error_details_pb2.BadRequest(
                field_violations=[
                    error_details_pb2.BadRequest.FieldViolation(field="jid", description="is bad")
                ]
            ),
            error_details_pb2.RetryInfo(retry_delay={"seconds": 1, "nanos": 500_000_000}),
        )
        error = error_of(FailedCall(UNAVAILABLE, details))
        assert isinstance(error, errors.DeviceNotReady)
        assert ({"state": "NEW"}, "r-1", 1.5) == (
            error.metadata,
            error.request_id,
            error.retry_after,
        )
        assert "DEVICE_NOT_READY: text (jid: is bad)" == str(error)

    def test_an_unknown_reason(self) -> None:
        """A reason of a later release is the base class, and the word is there."""
        info = error_details_pb2.ErrorInfo(reason="LATER", domain="wuts")
        error = error_of(FailedCall(grpc.StatusCode.ABORTED, status(info)))
        assert (WutsError, "LATER") == (type(error), error.reason)

    @pytest.mark.parametrize(
        ("code", "kind"),
        [
            (grpc.StatusCode.UNAVAILABLE, errors.Unreachable),
            (grpc.StatusCode.DEADLINE_EXCEEDED, errors.Timeout),
            (grpc.StatusCode.UNIMPLEMENTED, errors.NotImplementedHere),
            (grpc.StatusCode.UNKNOWN, WutsError),
        ],
    )
    def test_without_details(self, code: grpc.StatusCode, kind: type[WutsError]) -> None:
        """What the service did not make itself is told by its code, without a reason."""
        error = error_of(FailedCall(code, trailing=[("x-request-id", "r-2")]))
        assert (kind, "", f"{code.name}: text") == (type(error), error.reason, str(error))
        assert ("r-2", None) == (error.request_id, error.retry_after)

    def test_details_that_are_none(self) -> None:
        """Bytes that are no status count as no details."""
        error = error_of(FailedCall(grpc.StatusCode.INTERNAL, b"\xff\xff"))
        assert (WutsError, "") == (type(error), error.reason)


class TestChannel:
    """TLS or plaintext, and no proxy for what stays on this machine."""

    def test_plaintext_is_a_choice(self) -> None:
        """Only tls=False is plaintext; bytes and True are TLS, credentials are themselves."""
        given = grpc.ssl_channel_credentials()
        made = [credentials(tls) for tls in (False, True, b"PEM", given)]
        assert [True, False, False, False] == [one is None for one in made]
        assert given is made[3]

    @pytest.mark.parametrize(
        ("target", "expected"),
        [
            ("127.0.0.1:1", True),
            ("localhost:1", True),
            ("[::1]:1", True),
            ("wuts.example:1", False),
        ],
    )
    def test_loopback_needs_no_proxy(self, target: str, *, expected: bool) -> None:
        """A proxy of the shell is not told what this machine says to itself."""
        assert expected is (("grpc.enable_http_proxy", 0) in options(target))
