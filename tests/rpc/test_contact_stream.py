"""StreamContacts through a real channel."""

from __future__ import annotations

import asyncio
import dataclasses
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from structlog.testing import capture_logs

from failing import Failure, failure_of
from fakes import JOAO_LID, OWN, Example
from fakes_crowd import ENDLESS, Crowd
from sandboxes import wait_for
from wuts.contacts.v1 import contacts_service_pb2 as pb
from wuts.contacts.v1 import contacts_service_pb2_grpc as pb_grpc
from wuts.domain import errors
from wuts.domain.state import DeviceState
from wuts.rpc.load import Bounds
from wuts.rpc.streams import Patience

from .conftest import ServerThread

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

Stub = Any  # the plugin's fixture is untyped
Auth = tuple[tuple[str, str], ...]

_LIMIT = 10
_MOST = 512 * 1024
_NARROW = (("grpc.http2.bdp_probe", 0),)
# A channel whose window stays at 64 KiB: a reader who reads nothing is noticed at once.
_HEAD = ("x-envoy-head", "1")


def streamed(stub: Stub, auth: Auth, **fields: Any) -> list[pb.StreamContactsResponse]:
    """Reads a stream to its end."""
    request = pb.StreamContactsRequest(**fields)
    return [*stub.StreamContacts(request, metadata=auth, timeout=_LIMIT)]


def jids(messages: list[pb.StreamContactsResponse]) -> list[str]:
    """Lists the people of all messages."""
    return [contact.jid for message in messages for contact in message.contacts]


class TestMessages:
    """What is streamed."""

    def test_are_the_list(self, grpc_stub: Stub, auth: Auth) -> None:
        """Without a size a short list is one message, the same that ListContacts gives."""
        whole = grpc_stub.ListContacts(pb.ListContactsRequest(), metadata=auth)
        (message,) = streamed(grpc_stub, auth)
        expected = (True, 2, list(whole.contacts), False, False)
        assert expected == (
            message.success,
            message.count,
            list(message.contacts),
            message.HasField("next_page_token"),
            message.HasField("synced"),
        )

    def test_end(self, grpc_stub: Stub, auth: Auth) -> None:
        """Every message but the last one says how to go on behind it."""
        messages = streamed(grpc_stub, auth, page_size=1)
        assert [True, False] == [bool(message.next_page_token) for message in messages]
        assert [1, 1] == [message.count for message in messages]

    @pytest.mark.parametrize(
        ("state", "synced"), [(DeviceState.CONNECTED, True), (DeviceState.SYNCING, False)]
    )
    def test_full(
        self,
        grpc_stub: Stub,
        auth: Auth,
        example: Example,
        monkeypatch: pytest.MonkeyPatch,
        state: DeviceState,
        synced: bool,
    ) -> None:
        """Under view FULL LIDs are told, and each message says whether the list is whole."""
        monkeypatch.setitem(example.sessions.states, example.device, state)
        messages = streamed(grpc_stub, auth, page_size=1, view="FULL")
        assert [synced, synced] == [message.synced for message in messages]
        lids = [contact.lid_jid for message in messages for contact in message.contacts]
        assert ["", f"{JOAO_LID}@lid"] == lids

    @pytest.mark.parametrize("of_list", [True, False], ids=["ListContacts", "StreamContacts"])
    def test_resume(self, grpc_stub: Stub, auth: Auth, of_list: bool) -> None:
        """A token of either call begins behind the page that it came with."""
        first, rest = streamed(grpc_stub, auth, page_size=1)
        token = first.next_page_token
        if of_list:
            request = pb.ListContactsRequest(page_size=1)
            token = grpc_stub.ListContacts(request, metadata=auth).next_page_token
        assert [rest] == streamed(grpc_stub, auth, page_token=token)

    def test_go_on_with_list_contacts(self, grpc_stub: Stub, auth: Auth) -> None:
        """ListContacts takes the tokens of a stream."""
        first, rest = streamed(grpc_stub, auth, page_size=1)
        request = pb.ListContactsRequest(page_token=first.next_page_token)
        page = grpc_stub.ListContacts(request, metadata=auth)
        assert list(rest.contacts) == list(page.contacts)

    def test_of_an_empty_list(self, grpc_stub: Stub, example: Example) -> None:
        """A device without contacts streams one message without any."""
        example.directory.add_user("demo", "lonely")
        device = example.directory.create_device("demo", "lonely")
        example.store.link(device, OWN)
        example.sessions.states[device] = DeviceState.CONNECTED
        auth = (("authorization", example.directory.add_token("demo", "lonely")),)
        assert [pb.StreamContactsResponse(success=True)] == streamed(grpc_stub, auth)

    def test_a_head_request(self, grpc_stub: Stub, auth: Auth) -> None:
        """Whoever wants the headers alone, as the gateway says, costs one message."""
        (message,) = streamed(grpc_stub, (*auth, _HEAD), page_size=1)
        assert 1 == message.count


class TestRefusals:
    """What is refused, before the first message."""

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            *(("page_size", size) for size in (0, -1, 5001)),
            *(("view", word) for word in ("full", "EVERYTHING")),
            ("page_token", "AAAA"),
        ],
    )
    def test_bad_fields(self, grpc_stub: Stub, auth: Auth, field: str, value: object) -> None:
        """A field that breaks a rule is refused by its name."""
        failure = failure_of(lambda: streamed(grpc_stub, auth, **{field: value}))
        assert ("VALIDATION_ERROR", [field]) == (failure.reason, failure.fields)

    def test_a_token_of_another_device(
        self, grpc_server: ServerThread, grpc_stub: Stub, auth: Auth, example: Example
    ) -> None:
        """A page token is good for its device only."""
        other = example.add_user("other", devices=1)
        device = example.directory.devices("demo", "other")[0].id
        example.store.link(device, OWN)
        example.sessions.states[device] = DeviceState.CONNECTED
        token = streamed(grpc_stub, auth, page_size=1)[0].next_page_token
        theirs = (("authorization", other),)
        failure = failure_of(lambda: streamed(grpc_stub, theirs, page_token=token))
        assert ("VALIDATION_ERROR", ["page_token"]) == (failure.reason, failure.fields)

    def test_not_connected(
        self, grpc_stub: Stub, auth: Auth, example: Example, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """While disconnected the stream is refused, with the state."""
        monkeypatch.setitem(example.sessions.states, example.device, DeviceState.RECONNECTING)
        failure = failure_of(lambda: streamed(grpc_stub, auth))
        expected = ("DEVICE_NOT_READY", {"state": "RECONNECTING"})
        assert expected == (failure.reason, failure.metadata)

    def test_no_token(self, grpc_stub: Stub) -> None:
        """Nobody streams without a token."""
        assert "UNAUTHORIZED" == failure_of(lambda: streamed(grpc_stub, ())).reason


class Streaming:
    """A server over a crowd, and its callers."""

    def __init__(self, crowd: Crowd, patience: Patience, example: Example) -> None:
        self.crowd = crowd
        self.auth: Auth = (("authorization", example.token),)
        self.thread = ServerThread(
            example,
            change=lambda ports: dataclasses.replace(ports, store=crowd, patience=patience),
        )
        self._open = ExitStack()

    def stub(self, *options: tuple[str, int]) -> pb_grpc.ContactsServiceStub:
        """Opens a channel."""
        address = f"127.0.0.1:{self.thread.server.port}"
        channel = self._open.enter_context(grpc.insecure_channel(address, options))
        return pb_grpc.ContactsServiceStub(channel)

    def begin(self, *options: tuple[str, int], **fields: Any) -> Any:
        """Begins a stream."""
        request = pb.StreamContactsRequest(**fields)
        return self.stub(*options).StreamContacts(request, metadata=self.auth, timeout=_LIMIT)

    def read(self, **fields: Any) -> list[pb.StreamContactsResponse]:
        """Reads a stream to its end."""
        return streamed(self.stub(), self.auth, **fields)

    def refuses(self) -> bool:
        """Tells whether new calls are refused."""
        request = pb.ListContactsRequest(page_size=1)
        try:
            self.stub().ListContacts(request, metadata=self.auth, timeout=_LIMIT)
        except grpc.RpcError:
            return True
        return False

    def wait_until_over(self) -> None:
        """Waits until no stream is under way."""
        wait_for(lambda: not self.thread.server.load()["streams"], _LIMIT, "the end of the stream")

    def close(self) -> None:
        """Ends everything."""
        self._open.close()
        self.thread.close()


@contextmanager
def streaming(
    count: int = ENDLESS,
    name: Callable[[int], str] = lambda _: "Maria Silva",
    before: Callable[[int], Awaitable[None]] | None = None,
    patience: Patience | None = None,
    example: Example | None = None,
) -> Iterator[Streaming]:
    """Serves a crowd; an example that was served before keeps its device."""
    crowd = Crowd(count, name)
    if before:
        crowd.before = before
    served = Streaming(crowd, patience or Patience(), example or Example())
    try:
        yield served
    finally:
        served.close()


class TestSize:
    """How much one message holds."""

    def test_contacts(self) -> None:
        """No message has more than page_size contacts, or a thousand, and none is left out."""
        with streaming(count=6500) as served:
            usual, large = served.read(), served.read(page_size=5000)
        everybody = [served.crowd.person(number).jid for number in range(6500)]
        assert [1000] * 6 + [500] == [message.count for message in usual]
        assert [5000, 1500] == [message.count for message in large]
        assert [everybody, everybody] == [jids(usual), jids(large)]

    def test_bytes(self) -> None:
        """With very long names messages hold fewer, and stay within 512 KiB."""
        with streaming(count=3000, name=lambda _: "ç" * 600) as served:
            messages = served.read(page_size=5000, view="FULL")
        sizes = [message.ByteSize() for message in messages]
        assert max(sizes) <= _MOST
        # Halved once, and so more than half full.
        assert min(sizes[:-1]) > _MOST / 4
        assert [served.crowd.person(number).jid for number in range(3000)] == jids(messages)
        assert all(message.count == len(message.contacts) for message in messages)

    def test_the_last_byte(self) -> None:
        """The token is counted: nothing around the contacts takes a message over the limit."""
        with streaming(count=40, name=lambda _: "x" * 13_050) as served:
            assert max(message.ByteSize() for message in served.read(page_size=40)) <= _MOST

    def test_one_large_contact(self) -> None:
        """A contact that is larger than a message may be comes alone, and whole."""
        with streaming(count=3, name=lambda n: "x" * 600_000 if n == 1 else "Maria") as served:
            messages = served.read()
        assert [1, 1, 1] == [message.count for message in messages]
        assert 600_000 == len(messages[1].contacts[0].full_name)


class TestReader:
    """What becomes of a stream by what its reader does."""

    def test_leaves(self) -> None:
        """Once the reader has gone nothing is read any more, and nobody is at fault."""
        with streaming() as served, capture_logs() as logged:
            stream = served.begin(*_NARROW)
            next(stream)
            stream.cancel()
            served.wait_until_over()
            reads = len(served.crowd.reads)
            assert "UNAUTHORIZED" == failure_of(lambda: streamed(served.stub(), ())).reason
            assert reads == len(served.crowd.reads)
        assert ["UNAUTHORIZED"] == [line["reason"] for line in logged]

    def test_is_slow(self) -> None:
        """Little is read ahead of a reader who takes his time."""
        with streaming() as served:
            stream = served.begin(*_NARROW)
            for _ in range(3):
                next(stream)
            # The window takes some messages, and gRPC one more.
            assert len(served.crowd.reads) < 12

    def test_stops_reading(self) -> None:
        """Who takes nothing loses the stream, and learns it behind what was under way."""
        with streaming(patience=Patience(stalled=0.3)) as served, capture_logs() as logged:
            stream = served.begin(*_NARROW)
            next(stream)
            served.wait_until_over()
            reads = len(served.crowd.reads)
            taken, failure = _broken(stream)
            again = served.begin(page_token=taken[-1].next_page_token)
            assert 500 * reads == _number(again)
            again.cancel()
        assert ("TIMEOUT", grpc.StatusCode.DEADLINE_EXCEEDED) == (failure.reason, failure.code)
        assert reads == 2 * (1 + len(taken))
        assert "TIMEOUT" in [line.get("reason") for line in logged]

    def test_never_begins_to_read(self) -> None:
        """So does who takes not even the first message, which is larger than what fits between."""
        with streaming(patience=Patience(stalled=0.3)) as served:
            stream = served.begin(*_NARROW, page_size=5000)
            wait_for(lambda: served.crowd.reads, _LIMIT, "the first message")
            served.wait_until_over()
            taken, failure = _broken(stream)
        assert (1, "TIMEOUT") == (len(taken), failure.reason)

    def test_reads_for_too_long(self) -> None:
        """However fast it is read, a stream ends, and can be resumed."""
        with streaming(patience=Patience(whole=0.3)) as served:
            taken, failure = _broken(served.begin())
            again = served.begin(page_token=taken[-1].next_page_token)
            assert 1000 * len(taken) == _number(again)
        assert "TIMEOUT" == failure.reason


def _broken(stream: Any) -> tuple[list[pb.StreamContactsResponse], Failure]:
    """Reads a stream that fails; gives what comes before."""
    taken: list[pb.StreamContactsResponse] = []

    def read() -> None:
        for message in stream:
            taken.append(message)  # noqa: PERF402  # what came before the failure is wanted, too

    failure = failure_of(read)
    return taken, failure


def _number(stream: Any) -> int:
    """Tells who is the first of a stream."""
    return int(next(stream).contacts[0].jid.partition("@")[0].removeprefix("55119"))


class TestFailures:
    """What goes wrong behind the first message."""

    @pytest.mark.parametrize(
        ("error", "reason"),
        [
            (errors.StoreUnavailable(), "STORE_UNAVAILABLE"),
            (errors.DeviceNotReady(DeviceState.LOGGED_OUT), "DEVICE_NOT_READY"),
            (RuntimeError("5511999999999"), "INTERNAL_ERROR"),
        ],
    )
    def test_are_told(self, error: Exception, reason: str) -> None:
        """The stream ends with the status of the failure, and no word of its text."""

        async def fail(number: int) -> None:
            if number >= 2:
                raise error

        with streaming(before=fail) as served:
            taken, failure = _broken(served.begin(page_size=1))
        assert (2, reason) == (len(taken), failure.reason)
        assert "5511" not in f"{failure.message}{failure.trailing}"


class TestLoad:
    """Streams are bounded."""

    def test_counts(self) -> None:
        """A stream has the place of a stream, from its beginning to its end."""
        with streaming() as served:
            stream = served.begin(*_NARROW)
            next(stream)
            assert {"calls": 0, "streams": 1} == served.thread.server.load()
            stream.cancel()
            served.wait_until_over()

    def test_too_many(self) -> None:
        """Beyond the tenant's share a stream is refused; calls go on."""
        with streaming() as served:
            held = [served.begin(*_NARROW) for _ in range(Bounds().streams_of_tenant)]
            for stream in held:
                next(stream)
            failure = failure_of(served.read)
            assert not served.refuses()
            for stream in held:
                stream.cancel()
        assert "RATE_LIMITED" == failure.reason


class TestStop:
    """A service that stops."""

    def test_waits(self) -> None:
        """A stream that comes to its end in time is not cut."""
        gate = asyncio.Event()

        async def hold(number: int) -> None:
            if number:
                await gate.wait()

        with streaming(count=2, before=hold) as served:
            stream = served.begin(page_size=1)
            next(stream)
            stopping = served.thread.begin(served.thread.server.stop(_LIMIT))
            wait_for(served.refuses, _LIMIT, "draining")
            served.thread.run(_open(gate))
            assert [1] == [message.count for message in stream]
            assert stopping.result(_LIMIT) is None

    def test_cuts(self) -> None:
        """A longer one ends by name; its last token is good at the next service."""
        example = Example()
        with streaming(example=example) as served:
            stream = served.begin()
            next(stream)
            stopping = served.thread.begin(served.thread.server.stop(0.2))
            taken, failure = _broken(stream)
            stopping.result(_LIMIT)
        with streaming(example=example) as served:
            again = served.begin(page_token=taken[-1].next_page_token)
            assert 1000 * (1 + len(taken)) == _number(again)
        assert "SERVICE_UNAVAILABLE" == failure.reason


async def _open(gate: asyncio.Event) -> None:
    gate.set()
