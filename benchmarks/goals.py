"""The twelve goals, and how each is read from what was measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.figures import Case
from benchmarks.parts import calls, company, lists, resolving, streams, unchanged, writers
from benchmarks.peers.serving import FASTAPI, FASTIFY
from benchmarks.seeds import short
from benchmarks.stage import NATIVE, VIA_ENVOY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.effort import Effort
    from benchmarks.figures import Figures

    Measure = Callable[[Figures, Effort], Iterator["Measured"]]


_LEAST = 1e-9


class Measured(NamedTuple):
    """One value beside its limit."""

    what: str
    value: float
    limit: float
    unit: str = "x"
    at_least: bool = False

    @property
    def is_met(self) -> bool:
        """Tells whether the value is within the limit."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    @property
    def room(self) -> float:
        """How many times the value is on the good side of its limit; less than 1: beyond it."""
        return self.value / self.limit if self.at_least else self.limit / max(self.value, _LEAST)


@dataclass(frozen=True)
class Goal:
    """One goal; it is met when all that is measured for it is within its limit."""

    name: str
    text: str
    measure: Measure
    obstacle: str = ""
    """What keeps it from being met where it is not."""


class Verdict(NamedTuple):
    """A goal, and what was measured for it."""

    goal: Goal
    measured: list[Measured]

    @property
    def is_met(self) -> bool:
        """Tells whether everything is within its limit; nothing measured is no success."""
        return bool(self.measured) and all(each.is_met for each in self.measured)


def judge(figures: Figures, effort: Effort) -> list[Verdict]:
    """Holds all goals against what was measured."""
    return [Verdict(goal, list(goal.measure(figures, effort))) for goal in GOALS]


def _cpu(figures: Figures, job: str, size: int, callers: int, variant: str) -> float:
    return figures.cpu(Case(job, size, callers, variant))


def _list_against_neonize(figures: Figures, effort: Effort) -> Iterator[Measured]:
    for size in (effort.small, effort.big):
        neonize = _cpu(figures, lists.LIST, size, 0, lists.NEONIZE)
        ours = _cpu(figures, lists.LIST, size, 0, lists.PAGES)
        yield Measured(short(size), neonize / ours, 3.0, at_least=True)


def _close_to_the_limit(figures: Figures, effort: Effort) -> Iterator[Measured]:
    for size in effort.list_sizes[1:]:
        pages = _cpu(figures, lists.LIST, size, 0, lists.PAGES)
        one_shot = _cpu(figures, lists.LIST, size, 0, lists.ONE_SHOT)
        rows = _cpu(figures, lists.LIST, size, 0, lists.ROWS)
        yield Measured(f"pages {short(size)}", pages / one_shot, 1.25)
        yield Measured(f"one-shot {short(size)}", one_shot / rows, 1.4)


def _flat_pages(figures: Figures, effort: Effort) -> Iterator[Measured]:
    huge = _cpu(figures, lists.PAGE, effort.huge, 0, lists.PAGES)
    small = _cpu(figures, lists.PAGE, effort.small, 0, lists.PAGES)
    yield Measured(f"{short(effort.huge)} / {short(effort.small)}", huge / small, 2.5)


def _resolve_close_to_the_limit(figures: Figures, effort: Effort) -> Iterator[Measured]:
    for job, where in ((resolving.RESOLVE, ""), (resolving.RESOLVE_IN_WAL, " in WAL")):
        ours = _cpu(figures, job, effort.big, 0, resolving.FRESH)
        per_item = _cpu(figures, job, effort.big, 0, resolving.PER_ITEM)
        dictionaries = _cpu(figures, job, effort.big, 0, resolving.DICTIONARIES)
        yield Measured(f"per item{where}", per_item / ours, 3.0, at_least=True)
        yield Measured(f"dictionaries{where}", ours / dictionaries, 2.2)


def _small_calls_against_echo(figures: Figures, effort: Effort) -> Iterator[Measured]:
    echo = _cpu(figures, calls.ECHO, effort.big, calls.MANY, NATIVE)
    for job in (calls.PICTURE, calls.ONE):
        yield Measured(job, _cpu(figures, job, effort.big, calls.MANY, NATIVE) / echo, 1.4)


def _no_convoy(figures: Figures, effort: Effort) -> Iterator[Measured]:
    many = _cpu(figures, calls.BATCH, effort.big, calls.MANY, NATIVE)
    yield Measured("32 / 1", many / _cpu(figures, calls.BATCH, effort.big, 1, NATIVE), 1.2)


def _against_fastapi(figures: Figures, effort: Effort) -> Iterator[Measured]:
    def ratio(job: str, size: int, callers: int) -> float:
        peer = _cpu(figures, job, size, callers, FASTAPI)
        return peer / _cpu(figures, job, size, callers, VIA_ENVOY)

    small = effort.small
    yield Measured(f"list {short(small)}", ratio(calls.LIST, small, 1), 3.5, at_least=True)
    batch = ratio(calls.BATCH, effort.big, calls.SOME)
    yield Measured(f"{calls.BATCH}, {calls.SOME} callers", batch, 6.0, at_least=True)
    for job in (calls.PICTURE, calls.ONE):
        for callers in (calls.SOME, calls.MANY):
            value = ratio(job, effort.big, callers)
            yield Measured(f"{job}, {callers} callers", value, 1.4, at_least=True)


def _waiting_and_node(figures: Figures, effort: Effort) -> Iterator[Measured]:
    for job in (calls.BATCH, calls.PICTURE, calls.ONE):
        for callers in (calls.SOME, calls.MANY):
            ours = figures.p99(Case(job, effort.big, callers, VIA_ENVOY))
            for peer in (FASTAPI, FASTIFY):
                theirs = figures.p99(Case(job, effort.big, callers, peer))
                what = f"p99 of {job}, {callers} callers, to {peer.split()[0]}"
                yield Measured(what, ours / theirs, 1.0)
    for size, limit in ((effort.small, 1.0), (effort.big, 0.6)):
        ours = _cpu(figures, calls.LIST, size, 1, calls.APP)
        theirs = _cpu(figures, calls.LIST, size, 1, FASTIFY)
        yield Measured(f"list {short(size)} to Fastify", ours / theirs, limit)


def _writers(figures: Figures, _effort: Effort) -> Iterator[Measured]:
    # A session refuses a store that it cannot switch to WAL; the other journal is told beside it.
    yield Measured("WAL", figures.fact(writers.reading(writers.WAL)), 20.0, "ms")


def _streams(figures: Figures, _effort: Effort) -> Iterator[Measured]:
    yield Measured("growth", figures.fact(streams.GROWTH), 80.0, "MB")
    yield Measured("first message", figures.fact(streams.FIRST_MESSAGE), 100.0, "ms")
    yield Measured("first byte via Envoy", figures.fact(streams.FIRST_BYTE), 100.0, "ms")


def _unchanged(figures: Figures, effort: Effort) -> Iterator[Measured]:
    times = {size: figures.fact(unchanged.seconds(size)) for size in effort.sizes}
    for size, took in times.items():
        yield Measured(short(size), took, 1.0, "ms")
    what = f"{short(effort.huge)} / {short(effort.tiny)}"
    yield Measured(what, times[effort.huge] / times[effort.tiny], _INDEPENDENT)


def _company(figures: Figures, effort: Effort) -> Iterator[Measured]:
    for job in (calls.PICTURE, calls.ONE):
        case = Case(job, effort.big, calls.SOME, company.ALONE)
        alone = figures.p99(case)
        beside = figures.p99(case._replace(variant=company.IN_COMPANY))
        yield Measured(job, beside - alone, 15.0, "ms")


_INDEPENDENT = 1.5
# Two measurements of the same short time differ by as much.

GOALS = (
    Goal(
        "B1",
        "list, all pages: >= 3x cheaper than neonize's get_all_contacts and LID look-ups, warm",
        _list_against_neonize,
        "Both are mostly SQLite's work, which a list of joined rows cannot do without (*rows*).",
    ),
    Goal(
        "B2",
        "pages of 1000 <= 1.25x one read of everything, which is <= 1.4x the bare joined rows",
        _close_to_the_limit,
        "One read of everything makes one text of many megabytes, which is in no processor's cache"
        " any more when it is read; how much that costs differs from run to run. Pages have the"
        " cost of a hand-over to the store's thread each, and their text is hashed, so that an"
        " unchanged list costs a 304 the next time.",
    ),
    Goal(
        "B3",
        "a page of 1000 costs <= 2.5x as much in the longest list",
        _flat_pages,
        "The rows of a page are beside each other in no index but the one that is walked: the"
        " longer the list, the more of them are in no processor's cache.",
    ),
    Goal(
        "B4",
        "160 identifiers on a fresh connection: >= 3x cheaper than a look-up at a time,"
        " <= 2.2x dictionaries in memory",
        _resolve_close_to_the_limit,
        "Opening a store and putting the one question to it (*statement alone*) already takes three"
        " times what the dictionaries take for everything: half of it is reading pages that are in"
        " no cache of the connection yet. As much again is Python's: other spellings, proofs and"
        " groups, of which the others know nothing. In the service a store stays open for a minute"
        " after the last call (*open connection*).",
    ),
    Goal(
        "B5",
        "remembered picture, one identifier: <= 1.4x an empty echo, 32 callers",
        _small_calls_against_echo,
        "One identifier is read on the thread of its store, so that a slow disk holds up nobody"
        " else; waking that thread, and the event loop again, takes longer than the reading. To"
        " wait for other callers and to read for all of them at a time was tried: grpc.aio hands"
        " calls on one after another, so that hardly any were found together.",
    ),
    Goal(
        "B6",
        "160 identifiers cost <= 1.2x as much with 32 callers as with one",
        _no_convoy,
        "The thread of the store and the event loop share Python's lock.",
    ),
    Goal(
        "B7",
        "service and Envoy cheaper than FastAPI and neonize: list >= 3.5x, 160 identifiers >= 6x,"
        " small calls >= 1.4x",
        _against_fastapi,
        "An empty call (*echo*) alone costs gRPC in Python more than FastAPI takes for an answer"
        " from memory, and Envoy's part (*wuts via Envoy* less *wuts behind Envoy*) comes on top;"
        " where FastAPI asks the engine, on threads, it costs as much as the service without"
        " Envoy. Of a batch and of a list, Envoy's part is a quarter: it makes the JSON.",
    ),
    Goal(
        "B8",
        "p99 below FastAPI's and Fastify's; lists, service alone, <= 1.0x and 0.6x of Fastify",
        _waiting_and_node,
        "A small call costs Node a tenth of what the empty echo costs gRPC in Python, and so it"
        " waits less where many ask at a time. A list is mostly SQLite's work, the same for both:"
        " the bare *rows* alone come close to 0.6x of Fastify's list.",
    ),
    Goal(
        "B9",
        "longest commit of a writer while the list is read, median of the rounds: <= 20 ms",
        _writers,
        "In WAL, as each session keeps its store, no reader is in a writer's way but for a"
        " processor and the disk.",
    ),
    Goal(
        "B10",
        "longest list: memory grows by <= 80 MB, a stream begins in <= 100 ms",
        _streams,
        "SQLite's cache of pages may grow to 64 MB for each open store.",
    ),
    Goal(
        "B11",
        "unchanged list: service time <= 1 ms, whatever its length",
        _unchanged,
        "Nothing of the store is read, unless somebody has written to it a moment ago.",
    ),
    Goal(
        "B12",
        "p99 of small calls beside a stream of the longest list <= 15 ms more",
        _company,
        "A small call waits for the piece of 500 contacts that is being made into a message, and"
        " for its turn on a processor: the stream takes one of the two, its reader some of the"
        " other.",
    ),
)
