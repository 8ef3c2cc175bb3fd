"""Resolving: what is asked of whom, and what becomes of the answers."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from fakes import allowing, enquiries_over
from fakes_sessions import FakeSessions
from fakes_store import InMemoryContactStore
from wuts.domain import errors
from wuts.domain.caller import DeviceId
from wuts.domain.contact import Names
from wuts.domain.enquiry import Lookup, NumberCheck, QueryClass
from wuts.domain.facts import Source
from wuts.domain.group import Participant, Roster
from wuts.domain.identity import Identity, Status
from wuts.domain.state import DeviceState
from wuts.usecases import resolve_identifiers as module
from wuts.usecases.identifiers import Invalid, Unsupported
from wuts.usecases.number_checks import Plan
from wuts.usecases.resolve_identifiers import Resolution, resolve_identifiers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping

    from wuts.domain.knowledge import Knowledge
    from wuts.ports import Enquiries

DEVICE = DeviceId("device")
GROUP = "120363039000000000@g.us"
ANA, BIA, CID, DAN = "351912345670", "351912345671", "351912345672", "351912345673"
LONG, SHORT = "5511987654321", "551187654321"
LID, OTHER_LID = "112233445566778", "998877665544332"


class CountingStore(InMemoryContactStore):
    """Counts lookups; from the number `fail_from` on they fail."""

    def __init__(self) -> None:
        super().__init__()
        self.lookups = 0
        self.fail_from = 100

    async def lookup(
        self, device: DeviceId, *, pns: Collection[str], lids: Collection[str]
    ) -> Knowledge:
        """Counts, and looks up."""
        self.lookups += 1
        if self.lookups >= self.fail_from:
            raise errors.StoreUnavailable
        return await super().lookup(device, pns=pns, lids=lids)


class World:
    """A connected device that knows Ana by a row and the LID of Bia."""

    def __init__(self, enquiries: Enquiries, sessions: FakeSessions) -> None:
        self.enquiries, self.sessions = enquiries, sessions
        self.store = CountingStore()
        self.store.link(DEVICE, "5511900000000")
        self.store.add_row(DEVICE, f"{ANA}@s.whatsapp.net", Names(full="Ana"))
        self.store.pair(DEVICE, BIA, LID)
        sessions.states[DEVICE] = DeviceState.CONNECTED

    async def resolve(self, *inputs: str, **more: Any) -> Resolution:
        """Resolves these inputs."""
        return await resolve_identifiers(
            DEVICE,
            inputs,
            **{"group_jid": "", "lookup": Lookup.LOCAL_ONLY, "dry_run": False, **more},
            store=self.store,
            enquiries=self.enquiries,
        )

    async def items(self, *inputs: str, **more: Any) -> list[Identity]:
        """Resolves inputs that are identifiers."""
        found = (await self.resolve(*inputs, **more)).items
        return [item for item in found if isinstance(item, Identity)]

    async def statuses(self, *inputs: str, **more: Any) -> list[Status | None]:
        """Tells the status of each input."""
        return [item.status for item in await self.items(*inputs, **more)]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Gives a world whose enquiries remember nothing yet."""
    sessions = FakeSessions()
    async with enquiries_over(sessions) as enquiries:
        yield World(enquiries, sessions)


def someone(number: str, lid: str = "") -> NumberCheck:
    """Says that somebody has this number."""
    return NumberCheck(number, True, number, lid)


ALLOW, FORCE = {"lookup": Lookup.ALLOW_NETWORK}, {"lookup": Lookup.FORCE}


class TestLocalOnly:
    """Lookup LOCAL_ONLY."""

    async def test_asks_nothing(self, world: World) -> None:
        """Whatever the inputs, the store is looked at once and WhatsApp is left alone."""
        inputs = [ANA, BIA, CID, f"{LID}@lid", f"{OTHER_LID}@lid", LONG, "nonsense"]
        await world.resolve(*inputs)
        asked = (world.store.lookups, world.sessions.asked, world.sessions.asked_numbers)
        assert (1, [], []) == asked

    async def test_needs_no_connection(self, world: World) -> None:
        """A device that is logged out resolves as well as it can."""
        world.sessions.states[DEVICE] = DeviceState.LOGGED_OUT
        assert [None, Status.UNKNOWN] == await world.statuses(ANA, CID)

    async def test_remembers(self, world: World) -> None:
        """What WhatsApp said earlier of a number still counts, as said then."""
        world.sessions.registered[DAN] = someone(DAN, OTHER_LID)
        first = await world.items(CID, DAN, **ALLOW)
        again = await world.items(CID, DAN)
        told = [(item.status, item.lid, item.evidence) for item in again]
        expected = [
            (item.status, item.lid, item.evidence and item.evidence._replace(source=Source.CACHE))
            for item in first
        ]
        assert (expected, 1) == (told, len(world.sessions.asked_numbers))

    async def test_remembered_spelling(self, world: World) -> None:
        """A spelling that WhatsApp confirmed once is proven from then on."""
        world.sessions.registered[SHORT] = someone(SHORT)
        await world.resolve(LONG, **ALLOW)
        (item,) = await world.items(LONG)
        assert (f"{SHORT}@s.whatsapp.net", None) == (str(item.pn), item.status)

    async def test_memory_is_for_strangers(self, world: World) -> None:
        """What the store has learnt since counts more than an answer of before."""
        await world.resolve(CID, **ALLOW)
        world.store.add_row(DEVICE, f"{CID}@s.whatsapp.net", Names(full="Cid"))
        (item,) = await world.items(CID)
        assert item.evidence is not None
        assert (None, Source.STORE) == (item.status, item.evidence.source)


class TestAllowNetwork:
    """Lookup ALLOW_NETWORK."""

    async def test_asks_about_strangers(self, world: World) -> None:
        """Only numbers of which nothing is known are asked about, each once, in one query."""
        inputs = [ANA, CID, f"{LID}@lid", BIA, DAN, f"{CID}@c.us", f"+{CID}", "nonsense"]
        world.sessions.registered |= {CID: someone(CID), DAN: someone(DAN)}
        await world.resolve(*inputs, **ALLOW)
        assert [[CID, DAN]] == world.sessions.asked_numbers

    async def test_chunks(self, world: World) -> None:
        """No query has more than 50 numbers."""
        numbers = [f"35191234{n:04}" for n in range(52)]
        await world.resolve(*numbers, **ALLOW)
        assert [50, 2] == [len(query) for query in world.sessions.asked_numbers]

    async def test_asks_once(self, world: World) -> None:
        """What was asked is not asked again, neither yes nor no."""
        world.sessions.registered[DAN] = someone(DAN)
        await world.resolve(CID, DAN, **ALLOW)
        again = await world.items(CID, DAN, **ALLOW)
        sources = [item.evidence and item.evidence.source for item in again]
        assert ([Source.CACHE] * 2, 1) == (sources, len(world.sessions.asked_numbers))

    async def test_joins_by_number(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each answer goes to the number it is about, in whatever order they come."""
        numbers = [CID, DAN, LONG]
        for number, lid in zip(numbers, ("30001", "30002", "30003"), strict=True):
            world.sessions.registered[number] = someone(number, lid)
        reply = world.sessions.check_numbers

        async def backwards(*asked: Any) -> Mapping[str, NumberCheck]:
            return dict(reversed([*(await reply(*asked)).items()]))

        monkeypatch.setattr(world.sessions, "check_numbers", backwards)
        items = await world.items(*numbers, **ALLOW)
        assert ["30001@lid", "30002@lid", "30003@lid"] == [str(item.lid) for item in items]

    async def test_reads_again(self, world: World) -> None:
        """After a question the store is read once more: the engine has learnt the LID."""
        world.store.add_row(DEVICE, f"{OTHER_LID}@lid", Names(push="Cid"))
        world.sessions.registered[CID] = someone(CID, OTHER_LID)
        (item,) = await world.items(CID, **ALLOW)
        assert (2, "Cid") == (world.store.lookups, item.names.push)

    async def test_a_store_that_fails_later(self, world: World) -> None:
        """Answers that were paid for are told although the store cannot be read again."""
        world.store.fail_from = 2
        world.sessions.registered[CID] = someone(CID, OTHER_LID)
        found = await world.items(CID, ANA, **ALLOW)
        assert [f"{OTHER_LID}@lid", "None"] == [str(item.lid) for item in found]

    async def test_twins(self, world: World) -> None:
        """Two spellings of one person are two items with one identity."""
        world.sessions.registered |= {
            SHORT: NumberCheck(SHORT, True, LONG, OTHER_LID),
            LONG: someone(LONG, OTHER_LID),
        }
        inputs = [SHORT, LONG, f"{OTHER_LID}@lid"]
        found = await world.items(*inputs, **ALLOW)
        told = {(str(item.pn), str(item.lid), item.names) for item in found}
        assert (3, {(f"{LONG}@s.whatsapp.net", f"{OTHER_LID}@lid", Names())}) == (len(found), told)

    async def test_evidence(self, world: World) -> None:
        """What WhatsApp has just said is told as its word, at the time it was said."""
        before = datetime.now(UTC)
        (item,) = await world.items(CID, **ALLOW)
        assert item.evidence is not None
        assert item.evidence.source is Source.SERVER
        assert before <= item.evidence.at <= datetime.now(UTC)


class TestForce:
    """Lookup FORCE."""

    async def test_asks_whatever_is_known(self, world: World) -> None:
        """Every number is asked about again; LIDs are not: WhatsApp answers no such question."""
        world.sessions.registered[ANA] = someone(ANA)
        for _ in range(2):
            await world.resolve(ANA, CID, f"{LID}@lid", **FORCE)
        assert [[ANA, CID], [ANA, CID]] == world.sessions.asked_numbers

    async def test_news(self, world: World) -> None:
        """A number that is nobody's any more is told so, with what is known of it."""
        (item,) = await world.items(ANA, **FORCE)
        assert (Status.NOT_ON_WHATSAPP, "Ana") == (item.status, item.names.full)


class TestFailures:
    """What keeps WhatsApp from answering."""

    @pytest.mark.parametrize(
        ("error", "status", "seconds"),
        [
            (errors.RateLimited(60), Status.RATE_LIMITED, 60),
            (errors.WhatsappTimeout(), Status.WHATSAPP_TIMEOUT, 0),
            (errors.WhatsappError(500), Status.WHATSAPP_ERROR, 0),
            (errors.DeviceNotReady(DeviceState.RECONNECTING, retry_after=2),
             Status.DEVICE_NOT_READY, 2),
            (errors.ServiceUnavailable(), Status.SERVICE_UNAVAILABLE, 0),
        ],
    )  # fmt: skip
    async def test_statuses(
        self, world: World, error: errors.DomainError, status: Status, seconds: int
    ) -> None:
        """A question that fails is the status of its items; local ones are resolved."""
        world.sessions.number_errors[CID] = error
        local, failed = await world.items(ANA, CID, **ALLOW)
        assert (None, status, seconds) == (local.status, failed.status, failed.retry_after)

    async def test_one_chunk(self, world: World) -> None:
        """A chunk that fails leaves the others their answers."""
        numbers = [f"35191234{n:04}" for n in range(52)]
        world.sessions.number_errors[numbers[0]] = errors.WhatsappError(500)
        statuses = await world.statuses(*numbers, **ALLOW)
        assert [Status.WHATSAPP_ERROR] * 50 + [Status.NOT_ON_WHATSAPP] * 2 == statuses

    async def test_not_connected(self, world: World) -> None:
        """A device without a connection tells what it knows."""
        world.sessions.states[DEVICE] = DeviceState.DISCONNECTED
        assert [None, Status.DEVICE_NOT_READY] == await world.statuses(ANA, CID, **ALLOW)

    async def test_known_and_forced(self, world: World) -> None:
        """Who wanted fresh news of a known number is told that there are none."""
        world.sessions.number_errors[ANA] = errors.WhatsappTimeout()
        (item,) = await world.items(ANA, **FORCE)
        assert (Status.WHATSAPP_TIMEOUT, "Ana") == (item.status, item.names.full)

    async def test_time(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """A question that takes too long does not hold up what is known."""
        monkeypatch.setattr(module, "_NETWORK_SECONDS", 0.05)
        world.sessions.held = asyncio.Event()
        assert [None, Status.WHATSAPP_TIMEOUT] == await world.statuses(ANA, CID, **ALLOW)

    async def test_time_and_memory(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nor does it take away what WhatsApp said earlier."""
        world.sessions.registered[CID] = someone(CID)
        await world.resolve(CID, LONG, **ALLOW)
        monkeypatch.setattr(module, "_NETWORK_SECONDS", 0.05)
        world.sessions.held = asyncio.Event()
        statuses = await world.statuses(CID, LONG, DAN, **ALLOW)
        assert [None, Status.NOT_ON_WHATSAPP, Status.WHATSAPP_TIMEOUT] == statuses

    async def test_enquiries_fail(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """Even a failure of all enquiries is no failure of the call."""

        async def fail(*_: object, **__: object) -> Any:
            raise errors.ServiceUnavailable

        monkeypatch.setattr(world.enquiries, "check_numbers", fail)
        statuses = await world.statuses(ANA, CID, **ALLOW)
        assert [None, Status.SERVICE_UNAVAILABLE] == statuses


class TestDryRun:
    """A dry run."""

    @pytest.mark.parametrize(
        ("lookup", "expected"),
        [
            (Lookup.LOCAL_ONLY, Plan(0, 0, 1)),
            (Lookup.ALLOW_NETWORK, Plan(2, 1, 1)),
            (Lookup.FORCE, Plan(4, 1, 1)),
        ],
    )
    async def test_counts(self, world: World, lookup: Lookup, expected: Plan) -> None:
        """It counts numbers, their other spellings and the group, and asks nothing."""
        inputs = [ANA, BIA, CID, LONG, LONG, f"{LID}@lid", "nonsense"]
        found = await world.resolve(*inputs, lookup=lookup, dry_run=True, group_jid=GROUP)
        asked = world.sessions.asked + world.sessions.asked_numbers
        assert (expected, 7, []) == (found.plan, len(found.items), asked)

    async def test_memory(self, world: World) -> None:
        """What is remembered would not be asked again."""
        world.sessions.rosters[GROUP] = Roster([Participant(ANA)])
        world.sessions.registered[DAN] = someone(DAN)
        await world.resolve(CID, DAN, **ALLOW, group_jid=GROUP)
        found = await world.resolve(CID, DAN, LONG, **ALLOW, dry_run=True, group_jid=GROUP)
        assert Plan(numbers=1, variants=1, groups=0) == found.plan

    async def test_known_denial(self, world: World) -> None:
        """Of a number that is denied already only the other spelling would be asked."""
        world.sessions.silent.add(SHORT)
        await world.resolve(LONG, **ALLOW)
        found = await world.resolve(LONG, **ALLOW, dry_run=True)
        assert Plan(numbers=0, variants=1) == found.plan

    async def test_both_spellings(self, world: World) -> None:
        """A spelling that is an input itself is counted once."""
        found = await world.resolve(LONG, SHORT, **ALLOW, dry_run=True)
        assert Plan(numbers=2, variants=0) == found.plan

    async def test_items(self, world: World) -> None:
        """The items are what is known without asking."""
        found = await world.resolve(ANA, CID, **FORCE, dry_run=True)
        statuses = [item.status for item in found.items if isinstance(item, Identity)]
        assert [None, Status.UNKNOWN] == statuses

    async def test_tells_the_truth(self, world: World) -> None:
        """The same call asks as many questions as were counted."""
        inputs = [ANA, CID, LONG]
        plan = (await world.resolve(*inputs, **ALLOW, dry_run=True)).plan
        await world.resolve(*inputs, **ALLOW)
        numbers, others = world.sessions.asked_numbers
        assert Plan(len(numbers), len(others)) == plan

    async def test_without(self, world: World) -> None:
        """A call in earnest has no plan."""
        assert (await world.resolve(ANA)).plan is None


class TestGroup:
    """Resolving with a group."""

    async def test_roster_is_remembered(self, world: World) -> None:
        """A second call within minutes uses the same roster, and tells its age."""
        world.sessions.rosters[GROUP] = Roster([Participant(CID, OTHER_LID)])
        first = await world.items(CID, f"{OTHER_LID}@lid", group_jid=GROUP)
        again = await world.items(CID, f"{OTHER_LID}@lid", group_jid=GROUP)
        assert first[0].evidence is not None
        assert Source.GROUP is first[0].evidence.source
        assert (first, [GROUP]) == (again, world.sessions.asked)

    async def test_forced(self, world: World) -> None:
        """Lookup FORCE asks for the roster whatever is known."""
        world.sessions.rosters[GROUP] = Roster([Participant(ANA)])
        for _ in range(2):
            await world.resolve(f"{LID}@lid", group_jid=GROUP, **FORCE)
        assert [GROUP, GROUP] == world.sessions.asked

    async def test_large(self, world: World) -> None:
        """A group of 1,024 takes one question, and 160 of its members one look at the store."""
        members = [Participant(f"35191234{n:04}", f"7700000{n:04}") for n in range(1_024)]
        world.sessions.rosters[GROUP] = Roster(members)
        inputs = [f"{member.lid}@lid" for member in members[-160:]]
        found = await world.items(*inputs, group_jid=GROUP, **ALLOW)
        expected = [member.pn for member in members[-160:]]
        asked = (world.sessions.asked, world.sessions.asked_numbers, world.store.lookups)
        assert ([GROUP], [], 1) == asked
        assert expected == [item.pn.user for item in found if item.pn]

    async def test_found_by_asking(self, world: World) -> None:
        """Who is listed by LID only is found in the group once WhatsApp has told the LID."""
        world.sessions.rosters[GROUP] = Roster([Participant(lid=OTHER_LID)])
        world.sessions.registered[CID] = someone(CID, OTHER_LID)
        before = await world.statuses(CID, group_jid=GROUP)
        after = await world.statuses(CID, group_jid=GROUP, **ALLOW)
        assert ([Status.NOT_IN_GROUP], [None]) == (before, after)

    async def test_exhausted(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without a roster and budget every item says so, with what is known locally."""
        self.exhaust(world, monkeypatch)
        inputs = [ANA, CID, f"{LID}@lid", "nonsense"]
        found = await world.resolve(*inputs, group_jid=GROUP, **ALLOW)
        *items, invalid = found.items
        told = [(i.status, i.retry_after, str(i.pn)) for i in items if isinstance(i, Identity)]
        expected = [f"{number}@s.whatsapp.net" for number in (ANA, CID, BIA)]
        assert [(Status.BUDGET_EXHAUSTED, 17, pn) for pn in expected] == told
        assert isinstance(invalid, Invalid)
        assert [] == world.sessions.asked_numbers

    @pytest.mark.parametrize(
        "error",
        [
            errors.GroupForbidden(),
            errors.GroupNotFound(),
            errors.RateLimited(60),
            errors.DeviceNotReady(DeviceState.RECONNECTING),
            errors.WhatsappTimeout(),
        ],
    )
    async def test_failures(self, world: World, error: errors.DomainError) -> None:
        """Anything else that keeps the roster away fails the call, each reason apart."""
        world.sessions.rosters[GROUP] = error
        with pytest.raises(type(error)):
            await world.resolve(ANA, group_jid=GROUP)

    @staticmethod
    def exhaust(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """Uses up the budget of group questions."""

        async def refuse(*_: object, **__: object) -> Any:
            raise errors.BudgetExhausted(QueryClass.GROUP_INFO, 17)

        monkeypatch.setattr(world.enquiries, "roster", refuse)


class TestBudget:
    """Resolving with little budget."""

    async def test_some(self) -> None:
        """As many as may be asked about are answered, in their order; local answers always come."""
        async with enquiries_over(sessions := FakeSessions(), allowing(2)) as enquiries:
            world = World(enquiries, sessions)
            items = await world.items(CID, ANA, DAN, LONG, f"{LID}@lid", **ALLOW)
        denied, late = Status.NOT_ON_WHATSAPP, Status.BUDGET_EXHAUSTED
        assert [denied, None, denied, late, None] == [item.status for item in items]
        assert ([[CID, DAN]], True) == (sessions.asked_numbers, items[3].retry_after > 0)

    async def test_other_spellings(self) -> None:
        """Nobody is said to be nobody before all spellings were asked."""
        async with enquiries_over(sessions := FakeSessions(), allowing(1)) as enquiries:
            world = World(enquiries, sessions)
            assert [Status.BUDGET_EXHAUSTED] == await world.statuses(LONG, **ALLOW)
        assert [[LONG]] == sessions.asked_numbers

    async def test_groups(self) -> None:
        """A group that may not be asked about any more fails no other one."""
        other = "120363039000000001@g.us"
        async with enquiries_over(sessions := FakeSessions(), allowing(1)) as enquiries:
            world = World(enquiries, sessions)
            sessions.rosters |= dict.fromkeys((GROUP, other), Roster([Participant(ANA)]))
            found = [await world.statuses(ANA, group_jid=group) for group in (GROUP, other, GROUP)]
        assert [[None], [Status.BUDGET_EXHAUSTED], [None]] == found

    async def test_forced_group(self) -> None:
        """Who wants a new roster and has no budget for it gets the one that is known."""
        async with enquiries_over(sessions := FakeSessions(), allowing(1)) as enquiries:
            world = World(enquiries, sessions)
            sessions.rosters[GROUP] = Roster([Participant(BIA, LID)])
            inputs = [f"{LID}@lid"]
            first = await world.items(*inputs, group_jid=GROUP)
            forced = await world.items(*inputs, group_jid=GROUP, **FORCE)
        assert (first, [GROUP]) == (forced, sessions.asked)


class TestInputs:
    """Inputs of every kind."""

    async def test_kinds(self, world: World) -> None:
        """What cannot be resolved keeps its place beside what can."""
        found = await world.resolve("@joao", ANA, "BR.1502576394655843", "joao")
        kinds = [Unsupported, Identity, Unsupported, Invalid]
        assert kinds == [type(item) for item in found.items]

    async def test_same_input(self, world: World) -> None:
        """The same input twice is two items."""
        first, second = await world.items(CID, CID)
        assert first == second

    @pytest.mark.parametrize("number", [0, 161])
    async def test_number_of_inputs(self, world: World, number: int) -> None:
        """None, or more than 160, are refused."""
        with pytest.raises(errors.ValidationFailed):
            await world.resolve(*[ANA] * number)
