"""The three calls as services answer them, over HTTP by everybody and natively by ours."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING

from google.protobuf.empty_pb2 import Empty

from benchmarks import outcomes, questions
from benchmarks.figures import Case, Sample
from benchmarks.hearing import hear
from benchmarks.load import Question, ask, framed
from benchmarks.parts import lists
from benchmarks.peers.serving import fastapi, fastify
from benchmarks.rounds import require_same, turns
from benchmarks.seeds import PICTURED, short
from benchmarks.stage import NATIVE, VIA_ENVOY
from wuts.contacts.v1 import contacts_service_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.hearing import Heard
    from benchmarks.load import Door
    from benchmarks.parts.run import Run
    from benchmarks.stage import Service

PICTURE, ONE, BATCH, LIST, ECHO = "picture", "one identifier", "160 identifiers", "list", "echo"
SOME, MANY = 8, 32
"""How many callers ask at a time."""

_PICTURE_PATH = f"/contacts/profile-picture?number={PICTURED}"
_CONTACTS = "/wuts.contacts.v1.ContactsService"
_ECHO_QUESTION = Question("/wuts.gateway.v1.TokenService/CheckToken", framed(Empty()))
# What the gateway asks before it refuses: an empty message, through the same guard.

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
            answers = [hear(door, question) for door in doors]
            for callers in (SOME, MANY):
                run.say(f"{job}, {callers} callers, over HTTP")
                _take_turns(run, job, size, callers, answers)
    _measure_natively(run, service, size)


def measure_lists(run: Run, service: Service) -> None:
    """Lists what everybody lists in one answer; and the longest list, which ours streams."""
    *sizes, huge = run.effort.sizes
    for size in sizes:
        run.say(f"list of {short(size)} over HTTP")
        with ExitStack() as open_things:
            doors = _doors(run, service, size, open_things)
            _take_turns(run, LIST, size, 1, [hear(door, Question("/contacts")) for door in doors])
    if huge in run.effort.list_sizes:
        run.say(f"list of {short(huge)} over HTTP")
        _take_turns(run, LIST, huge, 1, [hear(service.door(huge), Question("/contacts/stream"))])


def _doors(run: Run, service: Service, size: int, open_things: ExitStack) -> list[Door]:
    ours = service.door(size)
    (told,) = hear(ours, Question(_PICTURE_PATH)).parts
    picture = json.loads(told)["data"]
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


def _native_questions(size: int) -> dict[str, Question]:
    batch, one = questions.batches(size)[0], questions.one(size)
    picture, resolve = f"{_CONTACTS}/GetProfilePicture", f"{_CONTACTS}/ResolveIdentifiers"
    return {
        PICTURE: Question(picture, framed(pb.GetProfilePictureRequest(number=PICTURED))),
        ONE: Question(resolve, framed(pb.ResolveIdentifiersRequest(jids=one))),
        BATCH: Question(resolve, framed(pb.ResolveIdentifiersRequest(jids=batch))),
    }


def _measure_natively(run: Run, service: Service, size: int) -> None:
    door = service.native_door(size)
    answers = {job: hear(door, asked) for job, asked in _native_questions(size).items()}
    over_http = http_questions(size)
    for job, heard in answers.items():
        told = _outcome(job, hear(service.door(size), over_http[job]))
        require_same(job, {VIA_ENVOY: told, NATIVE: _native_outcome(job, heard)})
    answers[ECHO] = hear(door, _ECHO_QUESTION)
    run.say("small calls natively")
    for job in turns((ECHO, PICTURE, ONE), run.effort.rounds):
        _sample(run, Case(job, size, MANY, NATIVE), answers[job])
    run.say("batches natively")
    for callers in turns((1, MANY), run.effort.rounds):
        _sample(run, Case(BATCH, size, callers, NATIVE), answers[BATCH])


def _take_turns(run: Run, job: str, size: int, callers: int, answers: Sequence[Heard]) -> None:
    told = {heard.door.variant: _outcome(job, heard) for heard in answers}
    if job == LIST and size in run.lists:
        told[lists.PAGES] = run.lists[size]
    require_same(f"{job} of {short(size)}", told)
    for heard in answers:
        ask(heard, requests=callers, callers=callers)
    for heard in turns(answers, run.effort.rounds):
        _sample(run, Case(job, size, callers, heard.door.variant), heard)


def _sample(run: Run, case: Case, heard: Heard) -> None:
    answered = ask(heard, requests=_requests(run, case), callers=case.callers)
    run.figures.add(case, Sample(answered.cpu, answered.p50, answered.p99))
    if heard.door.variant == VIA_ENVOY:
        # The service's own part, for those that have nothing in front.
        run.figures.add(case._replace(variant=APP), Sample(answered.cpus[0]))


def _requests(run: Run, case: Case) -> int:
    calls = run.effort.calls
    if case.job == BATCH:
        calls //= _SMALL_PER_BATCH
    elif case.job == LIST:
        calls = min(_MOST_LISTS, calls * _CONTACTS_PER_CALL // case.size)
    return max(1, case.callers, calls)


def _outcome(job: str, heard: Heard) -> str:
    told = map(json.loads, heard.parts)
    return outcomes.of_json(told) if job == LIST else outcomes.of_object(next(told))


def _native_outcome(job: str, heard: Heard) -> str:
    (message,) = heard.parts
    kind = pb.GetProfilePictureResponse if job == PICTURE else pb.ResolveIdentifiersResponse
    return outcomes.of_message(kind.FromString(message))
