"""Ids, log lines, measurements and spans of calls over a real channel."""

from __future__ import annotations

import dataclasses
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest import mock

import grpc
import pytest
import structlog

from failing import failure_of
from fakes import MARIA, Example
from fakes_crowd import ENDLESS, Crowd
from sandboxes import wait_for
from wuts.contacts.v1 import contacts_service_pb2 as pb
from wuts.contacts.v1 import contacts_service_pb2_grpc as pb_grpc
from wuts.devices.v1 import devices_service_pb2 as devices_pb
from wuts.devices.v1 import devices_service_pb2_grpc as devices_grpc
from wuts.instruments import Instruments, NoMetrics, NoTracer

from .conftest import ServerThread

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping

    from wuts.instruments import Span

ID = "0af76519-16cd-43dd-8448-eb211c80319c"
UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
_LIMIT = 10


class Noted(NoMetrics, NoTracer):
    """Notes what is told, and is its own only span."""

    traceparent = ""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, str, bool]] = []
        self.lists: list[str] = []
        self.served: list[tuple[str, str]] = []
        self.facts: dict[str, Any] = {}

    def call_ended(self, rpc: str, code: str, reason: str, seconds: float | None) -> None:
        """Notes a call, and whether it was measured."""
        self.calls.append((rpc, code, reason, seconds is not None and seconds > 0))

    def list_answered(self, answer: str) -> None:
        """Notes a list."""
        self.lists.append(answer)

    @contextmanager
    def serve(self, rpc: str, traceparent: str) -> Iterator[Span]:  # type: ignore[override]
        """Notes a span of a call."""
        self.served.append((rpc, traceparent))
        yield self

    def note(self, name: str, value: str | int) -> None:
        """Notes a fact."""
        self.facts[name] = value

    def end_with(self, outcome: str, *, failed: bool) -> None:
        """Notes the end."""
        self.facts["end"] = (outcome, failed)

    def child(self, name: str, begun: int, ended: int, queued: int) -> None:
        """Nothing asks another process here."""


class Caller:
    """A caller of a server that is observed."""

    def __init__(self) -> None:
        self.example = Example()
        self.noted = Noted()
        instruments = Instruments(metrics=self.noted, tracer=self.noted)
        self.thread = ServerThread(
            self.example, change=lambda ports: dataclasses.replace(ports, instruments=instruments)
        )
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.thread.server.port}")
        self.contacts = pb_grpc.ContactsServiceStub(self.channel)
        self.devices = devices_grpc.DevicesServiceStub(self.channel)

    def ask(self, *more: tuple[str, str], **parameters: Any) -> Any:
        """Lists; gives the call."""
        request = pb.ListContactsRequest(**parameters)
        _, call = self.contacts.ListContacts.with_call(
            request, metadata=self.metadata(*more), timeout=_LIMIT
        )
        return call

    def metadata(self, *more: tuple[str, str]) -> tuple[tuple[str, str], ...]:
        """The caller's token, and more."""
        return (("authorization", self.example.token), *more)

    def observed(self) -> list[tuple[str, str, str, bool]]:
        """The calls that have ended, once there is one: its caller hears of it first."""
        wait_for(lambda: self.noted.calls, _LIMIT, "the end of a call")
        return self.noted.calls

    def close(self) -> None:
        """Ends it."""
        self.channel.close()
        self.thread.close()


@pytest.fixture
def caller() -> Iterator[Caller]:
    """A caller of a server of its own."""
    made = Caller()
    yield made
    made.close()


@pytest.fixture
def lines() -> Iterator[list[MutableMapping[str, Any]]]:
    """The log lines, with what is bound to the call."""
    merge = structlog.contextvars.merge_contextvars
    with structlog.testing.capture_logs(processors=[merge]) as captured:
        yield captured


class TestRequestId:
    """x-request-id."""

    def test_made(self, caller: Caller) -> None:
        """A caller without an id gets one."""
        told = dict(caller.ask().trailing_metadata())
        assert UUID.fullmatch(str(told["x-request-id"]))

    def test_own(self, caller: Caller) -> None:
        """A caller's own id is not sent back: the gateway has told it already."""
        assert () == caller.ask(("x-request-id", ID)).trailing_metadata()

    @pytest.mark.parametrize("given", ["5511999999999", "", f"{ID} ", ID.replace("-", "")])
    def test_no_uuid(self, caller: Caller, given: str) -> None:
        """What is no UUID may be a number, and is replaced."""
        told = dict(caller.ask(("x-request-id", given)).trailing_metadata())
        assert given != told["x-request-id"]

    @pytest.mark.parametrize("given", [ID, ID.upper()])
    def test_in_errors(self, caller: Caller, given: str) -> None:
        """An error holds the id."""
        failure = failure_of(lambda: caller.ask(("x-request-id", given), view="x"))
        assert ID == failure.request_id
        assert "x-request-id" not in failure.trailing

    def test_made_for_an_error(self, caller: Caller) -> None:
        """A made id is in the error, and behind it."""
        failure = failure_of(lambda: caller.ask(view="x"))
        assert failure.request_id == failure.trailing["x-request-id"]

    def test_in_streams(self, caller: Caller) -> None:
        """Streams have ids, too."""
        request = devices_pb.WatchDeviceRequest(device_id="other")
        metadata = caller.metadata(("x-request-id", ID))
        stream = caller.devices.WatchDevice(request, metadata=metadata, timeout=_LIMIT)
        assert ID == failure_of(lambda: next(stream)).request_id


class TestLog:
    """Log lines of failed calls."""

    def test_failure(self, caller: Caller, lines: list[MutableMapping[str, Any]]) -> None:
        """A failed call is one line with its id, and nothing of the caller's."""
        failure_of(lambda: caller.ask(("x-request-id", ID), page_token="secret"))
        [line] = lines
        assert isinstance(line.pop("ms"), float)
        expected = {
            "event": "call_failed",
            "log_level": "info",
            "rpc": "ContactsService/ListContacts",
            "reason": "VALIDATION_ERROR",
            "request_id": ID,
        }
        assert expected == line

    def test_fault_of_ours(
        self,
        caller: Caller,
        lines: list[MutableMapping[str, Any]],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """So is one by a fault of ours, with its place and without its text."""
        broken = mock.AsyncMock(side_effect=RuntimeError(MARIA))
        monkeypatch.setattr(caller.example.sessions, "require_connected", broken)
        failure_of(lambda: caller.ask(("x-request-id", ID)))
        [line] = lines
        assert ("error", "RuntimeError", ID) == (
            line["log_level"],
            line["fault"],
            line["request_id"],
        )
        assert MARIA not in str(line)

    def test_success(self, caller: Caller, lines: list[MutableMapping[str, Any]]) -> None:
        """A call that goes well says nothing."""
        caller.ask()
        assert [] == lines

    def test_unknown_method(self, caller: Caller, lines: list[MutableMapping[str, Any]]) -> None:
        """The name of a method that is none is the caller's, and is not repeated."""
        call: Any = caller.channel.unary_unary(f"/wuts.contacts.v1.ContactsService/{MARIA}")
        failure_of(lambda: call(b"", metadata=caller.metadata(), timeout=_LIMIT))
        assert ["unknown"] == [line["rpc"] for line in lines]
        assert [("unknown", "UNIMPLEMENTED", "NOT_IMPLEMENTED", True)] == caller.observed()


class TestMetrics:
    """Measured calls."""

    def test_success(self, caller: Caller) -> None:
        """A call is told with its rpc and its code."""
        caller.ask()
        assert [("ContactsService/ListContacts", "OK", "", True)] == caller.observed()
        assert ["read"] == caller.noted.lists

    def test_failure(self, caller: Caller) -> None:
        """A failed call is told with its reason."""
        failure_of(lambda: caller.ask(view="x"))
        expected = ("ContactsService/ListContacts", "INVALID_ARGUMENT", "VALIDATION_ERROR", True)
        assert [expected] == caller.observed()

    def test_refused(self, caller: Caller) -> None:
        """So is one whose token is no good."""
        request = pb.ListContactsRequest()
        failure_of(lambda: caller.contacts.ListContacts(request, timeout=_LIMIT))
        expected = ("ContactsService/ListContacts", "UNAUTHENTICATED", "UNAUTHORIZED", True)
        assert [expected] == caller.observed()

    def test_stream(self, caller: Caller) -> None:
        """A stream that its caller leaves is told without a time."""
        request = devices_pb.WatchDeviceRequest()
        stream = caller.devices.WatchDevice(request, metadata=caller.metadata(), timeout=_LIMIT)
        next(stream)
        assert {"calls": 0, "streams": 1} == caller.thread.server.load()
        stream.cancel()
        caller.thread.run(caller.thread.server.stop(_LIMIT))
        assert [("DevicesService/WatchDevice", "CANCELLED", "", False)] == caller.observed()

    def test_stream_of_contacts(self, caller: Caller) -> None:
        """A stream that comes to its end is one that went well."""
        request = pb.StreamContactsRequest(page_size=1)
        metadata = caller.metadata()
        messages = list(caller.contacts.StreamContacts(request, metadata=metadata, timeout=_LIMIT))
        assert 2 == len(messages)
        assert [("ContactsService/StreamContacts", "OK", "", False)] == caller.observed()

    def test_reader_who_leaves(self, caller: Caller) -> None:
        """One that is left while a message waits for its reader was given up by its caller."""
        caller.example.store.page = Crowd(ENDLESS).page  # type: ignore[method-assign]  # a fake of a fake
        request = pb.StreamContactsRequest(page_size=5000)
        metadata = caller.metadata()
        stream = caller.contacts.StreamContacts(request, metadata=metadata, timeout=_LIMIT)
        next(stream)
        stream.cancel()
        assert [("ContactsService/StreamContacts", "CANCELLED", "", False)] == caller.observed()


class TestTraces:
    """Spans of calls."""

    def test_continues(self, caller: Caller) -> None:
        """The caller's span is handed on, and the span holds the id of the request."""
        caller.ask(("traceparent", TRACEPARENT), ("x-request-id", ID))
        caller.observed()
        assert [("ContactsService/ListContacts", TRACEPARENT)] == caller.noted.served
        expected = {
            "rpc.response.status_code": "OK",
            "wuts.request_id": ID,
            "end": ("OK", False),
        }
        assert expected == caller.noted.facts

    @pytest.mark.parametrize(
        ("parameters", "connected", "end"),
        [
            ({"view": "x"}, True, ("VALIDATION_ERROR", False)),
            ({}, False, ("DEVICE_NOT_READY", True)),
        ],
    )
    def test_failures(
        self, caller: Caller, parameters: dict[str, str], connected: bool, end: tuple[str, bool]
    ) -> None:
        """A caller's mistake is no failure of the service."""
        if not connected:
            caller.example.sessions.states.clear()
        failure_of(lambda: caller.ask(**parameters))
        caller.observed()
        assert end == caller.noted.facts["end"]
