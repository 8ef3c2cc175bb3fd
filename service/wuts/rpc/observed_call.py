"""One served call as others see it: its id, its measurements, its span and its log lines."""

from __future__ import annotations

import re
import time
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

from wuts.instruments import CANCELLED, OK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wuts.instruments import Instruments

REQUEST_ID = "x-request-id"
UNKNOWN_RPC = "unknown"
"""Stands for methods that do not exist: their names come from callers."""

_OURS = {"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"}
# gRPC's codes that OpenTelemetry counts as failures of a server.
_TRACEPARENT = "traceparent"
_UUID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)


class ObservedCall:
    """One call. `request_id` is the caller's own, where that is a UUID, else a new one."""

    def __init__(self, rpc: str, metadata: Iterable[tuple[str, str | bytes]] | None) -> None:
        self.rpc = rpc
        sent = {key: value for key, value in metadata or () if key in {REQUEST_ID, _TRACEPARENT}}
        given = str(sent.get(REQUEST_ID, ""))
        # Any other text might be a number, and would come back in logs.
        self.is_named_by_caller = _UUID.fullmatch(given) is not None
        self.request_id = given.lower() if self.is_named_by_caller else str(uuid.uuid4())
        self.traceparent = str(sent.get(_TRACEPARENT, ""))
        self.code, self.reason = CANCELLED, ""
        self._begun = time.perf_counter()

    @property
    def seconds(self) -> float:
        """How long it has been going on."""
        return time.perf_counter() - self._begun

    @property
    def trailing(self) -> tuple[tuple[str, str], ...]:
        """What the caller is told behind the answer: the id, unless it is the caller's."""
        return () if self.is_named_by_caller else ((REQUEST_ID, self.request_id),)

    def succeed(self) -> None:
        """Notes that it was answered."""
        self.code = OK

    def fail(self, code: str, reason: str) -> None:
        """Notes gRPC's code and our reason."""
        self.code, self.reason = code, reason


@contextmanager
def observed(call: ObservedCall, instruments: Instruments, *, is_stream: bool) -> Iterator[None]:
    """Observes a call from here to its end; log lines on the way carry its id.

    A call that ends without a word was given up by its caller.
    """
    structlog.contextvars.bind_contextvars(request_id=call.request_id)
    with instruments.tracer.serve(call.rpc, call.traceparent) as span:
        try:
            yield
        finally:
            span.note("rpc.response.status_code", call.code)
            span.note("wuts.request_id", call.request_id)
            span.end_with(call.reason or call.code, failed=call.code in _OURS)
            seconds = None if is_stream else call.seconds
            instruments.metrics.call_ended(call.rpc, call.code, call.reason, seconds)


def rpc_name(method: str) -> str:
    """Shortens `/wuts.contacts.v1.ContactsService/ListContacts` to the last two names."""
    service, _, name = method.rpartition("/")
    return f"{service.rpartition('.')[2]}/{name}"
