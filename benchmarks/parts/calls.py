"""The three calls as services answer them, over HTTP by everybody and natively by ours."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING

import httpx
from google.protobuf.empty_pb2 import Empty

from benchmarks import outcomes, questions
from benchmarks.figures import Case, Sample
from benchmarks.load import Question, ask, framed
from benchmarks.peers.serving import fastapi, fastify
from benchmarks.rounds import require_same, turns
from benchmarks.seeds import PICTURED, short
from benchmarks.stage import NATIVE, VIA_ENVOY
from wuts.contacts.v1 import contacts_service_pb2 as pb

if TYPE_CHECKING:
    from benchmarks.load import Door
    from benchmarks.parts.run import Run
    from benchmarks.stage import Service

PICTURE, ONE, BATCH, LIST, ECHO = "picture", "one identifier", "160 identifiers", "list", "echo"
SOME, MANY = 8, 32
"""How many callers ask at a time."""

_PICTURE_PATH = f"/contacts/profile-picture?number={PICTURED}"
_CONTACTS = "/wuts.contacts.v1.ContactsService"
APP = "wuts behind Envoy"
"""The service's own part of what it and Envoy take."""

_SMALL_PER_BATCH = 10
_CONTACTS_PER_CALL = 50
_MOST_LISTS = 100


def measure(run: Run, service: Service) -> None:
    """Asks everybody for everything."""
    size = run.effort.big
    with ExitStack() as open_things:
        doors = _doors(run, service, size, open_things)
        for job, question in http_questions(size).items():
            for callers in (SOME, MANY):
                run.say(f"{job}, {callers} callers, over HTTP")
                _take_turns(run, job, size, callers, dict.fromkeys(doors, question))
    _measure_natively(run, service, size)


def measure_lists(run: Run, service: Service) -> None:
    """Lists what everybody lists in one answer; and the longest list, which ours streams."""
    *sizes, huge = run.effort.sizes
    for size in sizes:
        run.say(f"list of {short(size)} over HTTP")
        with ExitStack() as open_things:
            doors = _doors(run, service, size, open_things)
            _take_turns(run, LIST, size, 1, dict.fromkeys(doors, Question("/contacts")))
    if huge in run.effort.list_sizes:
        run.say(f"list of {short(huge)} over HTTP")
        streamed = {service.door(huge): Question("/contacts/stream")}
        _take_turns(run, LIST, huge, 1, streamed)


def _doors(run: Run, service: Service, size: int, open_things: ExitStack) -> list[Door]:
    ours = service.door(size)
    picture = json.loads(_get(ours, Question(_PICTURE_PATH)))["data"]
    store, copy = run.stores.original(size), run.stores.copy(size, "fastapi")
    peers = [fastapi(copy, picture), fastify(store, picture)]
    return [ours, *(open_things.enter_context(peer) for peer in peers)]


def http_questions(size: int) -> dict[str, Question]:
    """Gives what is asked over HTTP, by job."""
    batch, one = questions.batches(size)[0], questions.one(size)
    return {
        PICTURE: Question(_PICTURE_PATH),
        ONE: Question("/contacts/resolve", json.dumps({"jids": one}).encode()),
        BATCH: Question("/contacts/resolve", json.dumps({"jids": batch}).encode()),
    }


def _measure_natively(run: Run, service: Service, size: int) -> None:
    batch, one = questions.batches(size)[0], questions.one(size)
    resolve = f"{_CONTACTS}/ResolveIdentifiers"
    small = {
        # What the gateway asks before it refuses: an empty message, through the same guard.
        ECHO: Question("/wuts.gateway.v1.TokenService/CheckToken", framed(Empty())),
        PICTURE: Question(
            f"{_CONTACTS}/GetProfilePicture", framed(pb.GetProfilePictureRequest(number=PICTURED))
        ),
        ONE: Question(resolve, framed(pb.ResolveIdentifiersRequest(jids=one))),
    }
    many = Question(resolve, framed(pb.ResolveIdentifiersRequest(jids=batch)))
    door = service.native_door(size)
    run.say("small calls natively")
    for job in turns([*small], run.effort.rounds):
        _sample(run, Case(job, size, MANY, NATIVE), small[job], door)
    run.say("batches natively")
    for callers in turns((1, MANY), run.effort.rounds):
        _sample(run, Case(BATCH, size, callers, NATIVE), many, door)


def _take_turns(run: Run, job: str, size: int, callers: int, asked: dict[Door, Question]) -> None:
    require_same(job, {door.variant: _outcome(job, door, asked[door]) for door in asked})
    for door, question in asked.items():
        ask(door, question, requests=callers, callers=callers)
    for door in turns([*asked], run.effort.rounds):
        _sample(run, Case(job, size, callers, door.variant), asked[door], door)


def _sample(run: Run, case: Case, question: Question, door: Door) -> None:
    answered = ask(door, question, requests=_requests(run, case), callers=case.callers)
    run.figures.add(case, Sample(answered.cpu, answered.p50, answered.p99))
    if door.variant == VIA_ENVOY:
        # The service's own part, for those that have nothing in front.
        run.figures.add(case._replace(variant=APP), Sample(answered.cpus[0]))


def _requests(run: Run, case: Case) -> int:
    calls = run.effort.calls
    if case.job == BATCH:
        calls //= _SMALL_PER_BATCH
    elif case.job == LIST:
        calls = min(_MOST_LISTS, calls * _CONTACTS_PER_CALL // case.size)
    return max(1, case.callers, calls)


def _outcome(job: str, door: Door, question: Question) -> str:
    told = _get(door, question)
    if job == LIST:
        return outcomes.of_json(map(json.loads, told.splitlines()))
    return json.dumps(json.loads(told), sort_keys=True)


def _get(door: Door, question: Question) -> str:
    answer = httpx.request(
        "POST" if question.body else "GET",
        f"{door.url}{question.path}",
        content=question.body,
        headers={"authorization": f"Bearer {door.token}", "content-type": "application/json"},
        timeout=60,
        trust_env=False,
    )
    answer.raise_for_status()
    return answer.text
