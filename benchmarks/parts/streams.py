"""The longest list as a stream: what it takes of memory, and how soon it begins."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import grpc
import httpx

from benchmarks import processor
from benchmarks.hearing import hear
from benchmarks.load import Question, ask, framed
from benchmarks.seeds import short
from wuts.contacts.v1 import contacts_service_pb2 as pb
from wuts.contacts.v1 import contacts_service_pb2_grpc as pb_grpc

if TYPE_CHECKING:
    from benchmarks.parts.run import Run
    from benchmarks.stage import Service

GROWTH = "growth of the service's memory while the longest list is streamed (MB)"
FIRST_MESSAGE = "first message of a stream, natively (ms)"
FIRST_BYTE = "first byte of a stream, via Envoy (ms)"

STREAM = Question(
    "/wuts.contacts.v1.ContactsService/StreamContacts", framed(pb.StreamContactsRequest())
)
_SECONDS = 60


def measure(run: Run, service: Service) -> None:
    """Streams the longest list, from services that were just started."""
    size = run.effort.huge
    stream = hear(service.native_door(size), STREAM)
    for number in range(run.effort.restarts):
        run.say(f"memory for a stream of {short(size)}, start {number + 1}")
        service.restart()
        before = processor.memory(service.pid)
        processor.forget_peak(service.pid)
        # Started anew, it is another process.
        ask(stream._replace(door=service.native_door(size)), requests=1, callers=1)
        run.figures.note(GROWTH, processor.peak(service.pid) - before)
    run.say(f"how soon a stream of {short(size)} begins")
    for _ in range(run.effort.rounds):
        run.figures.note(FIRST_MESSAGE, _first_message(service, size))
        run.figures.note(FIRST_BYTE, _first_byte(service, size))


def _first_message(service: Service, size: int) -> float:
    door = service.native_door(size)
    metadata = (("authorization", f"Bearer {door.token}"),)
    with grpc.insecure_channel(service.grpc()) as channel:
        grpc.channel_ready_future(channel).result(_SECONDS)
        stub = pb_grpc.ContactsServiceStub(channel)
        begun = time.perf_counter()
        call = stub.StreamContacts(pb.StreamContactsRequest(), metadata=metadata, timeout=_SECONDS)
        next(call)
        took = time.perf_counter() - begun
        call.cancel()
    return took * 1000


def _first_byte(service: Service, size: int) -> float:
    door = service.door(size)
    headers = {"authorization": f"Bearer {door.token}", "accept-encoding": "identity"}
    with httpx.Client(trust_env=False, timeout=_SECONDS) as client:
        begun = time.perf_counter()
        with client.stream("GET", f"{door.url}/contacts/stream", headers=headers) as answer:
            answer.raise_for_status()
            next(answer.iter_raw())
            return (time.perf_counter() - begun) * 1000
