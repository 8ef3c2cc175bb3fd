"""Lists that have not changed since their callers read them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import httpx

from benchmarks.figures import Case, Sample
from benchmarks.hearing import hear
from benchmarks.load import LoadFailed, Question, ask, framed
from benchmarks.rounds import turns
from benchmarks.seeds import short
from wuts.contacts.v1 import contacts_service_pb2 as pb

if TYPE_CHECKING:
    from benchmarks.hearing import Heard
    from benchmarks.load import Door
    from benchmarks.parts.run import Run
    from benchmarks.stage import Service

UNCHANGED = "unchanged list"
_PAGE_SIZE = 1000
_KNOWN_SECONDS, _PAUSE = 120.0, 0.5
_SUM = 'wuts_call_seconds_sum{rpc="ContactsService/ListContacts"}'
_COUNT = 'wuts_call_seconds_count{rpc="ContactsService/ListContacts"}'


_UNCHANGED = 'wuts_lists_total{answer="unchanged"}'


def seconds(size: int) -> str:
    """Names the time that the service takes for an unchanged list of that size, in ms."""
    return f"service time of an unchanged list of {short(size)} (ms)"


def measure(run: Run, service: Service) -> None:
    """Asks for a page with the tag that it has."""
    asked = {}
    for size in run.effort.sizes:
        run.say(f"an unchanged list of {short(size)}")
        tag = _tag(service.door(size))
        message = framed(pb.ListContactsRequest(page_size=_PAGE_SIZE))
        path = "/wuts.contacts.v1.ContactsService/ListContacts"
        asked[size] = Question(path, message, (f"if-none-match: {tag}",))
    for size in turns([*asked], run.effort.rounds):
        # A list that nobody asks about for a moment has to be looked at again first.
        heard = hear(service.native_door(size), asked[size])
        if heard.parts != (b"",):
            changed = f"the list of {short(size)} has changed"
            raise LoadFailed(changed)
        _sample(run, service, size, heard)


def _sample(run: Run, service: Service, size: int, heard: Heard) -> None:
    before, requests = service.metrics(), max(1, run.effort.calls // 4)
    answered = ask(heard, requests=requests, callers=1)
    after = service.metrics()
    if after[_UNCHANGED] - before[_UNCHANGED] != requests:
        message = f"the list of {short(size)} was read"
        raise LoadFailed(message)
    took = (after[_SUM] - before[_SUM]) / (after[_COUNT] - before[_COUNT])
    run.figures.note(seconds(size), took * 1000)
    sample = Sample(answered.cpu, answered.p50, answered.p99)
    run.figures.add(Case(UNCHANGED, size, 1, heard.door.variant), sample)


def _tag(door: Door) -> str:
    """Reads the first page until the service knows the list that it is from."""
    end = time.monotonic() + _KNOWN_SECONDS
    headers = {"authorization": f"Bearer {door.token}"}
    while time.monotonic() < end:
        address = f"{door.url}/contacts?page_size={_PAGE_SIZE}"
        answer = httpx.get(address, headers=headers, trust_env=False, timeout=60)
        answer.raise_for_status()
        if "etag" in answer.headers:
            return answer.headers["etag"]
        time.sleep(_PAUSE)
    message = f"no list of {door.url} is known within {_KNOWN_SECONDS:.0f} s"
    raise LoadFailed(message)
