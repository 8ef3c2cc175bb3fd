"""Tests of what is asked of the engine, with an engine that tells what a test wants."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass, field
from enum import StrEnum
from types import ModuleType

import pytest

from fakes_engine import Row, Spelled, jid
from wuts.session import questions
from wuts.session.gate import Admits, Gate
from wuts.session.questions import Questions
from wuts.session.v1 import session_pb2 as pb

LID = "123456"


class EngineFault(Exception):
    """Stands for the engine's own errors."""


@pytest.fixture(autouse=True)
def _stand_in_for_neonize(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the imports of the engine pass without loading it."""
    exc, jids = ModuleType("neonize.exc"), ModuleType("neonize.utils.jid")
    vars(exc)["NeonizeError"] = EngineFault
    vars(jids)["build_jid"] = jid2
    enum = ModuleType("neonize.utils.enum")
    vars(enum)["BlocklistAction"] = StrEnum("BlocklistAction", ["BLOCK", "UNBLOCK"])
    for module in (ModuleType("neonize"), ModuleType("neonize.utils"), exc, jids, enum):
        monkeypatch.setitem(sys.modules, module.__name__, module)


def jid2(user: str, server: str) -> Spelled:
    """Makes a JID as the engine's own helper does."""
    return jid(f"{user}@{server}")


class Client:
    """An engine that knows one person by LID, whose connection may end at any answer."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.rows: list[Row] | str = [Row("5511", jid2(LID, "lid"))]
        self.pn: Spelled | str = jid2("55119", "s.whatsapp.net")
        self.is_lost_after_answer = False
        self.asked: list[tuple[str, ...]] = []

    def is_on_whatsapp(self, *numbers: str) -> list[Row]:
        """Answers on numbers."""
        self.asked.append(numbers)
        if self.is_lost_after_answer:
            self.gate.admit(Admits.NOTHING)
        if isinstance(self.rows, str):
            raise EngineFault(self.rows)
        return self.rows

    def get_pn_from_lid(self, lid: Spelled) -> Spelled:
        """Reads the LID map."""
        assert (lid.User, lid.Server) == (LID, "lid")
        if isinstance(self.pn, str):
            raise EngineFault(self.pn)
        return self.pn


@pytest.fixture
def client() -> Client:
    """Makes an engine that is connected."""
    gate = Gate()
    gate.admit(Admits.CALLS)
    return Client(gate)


def ask(client: Client, *numbers: str) -> pb.Reply:
    """Asks about numbers."""
    return Questions(client, client.gate).numbers(pb.NumbersRequest(numbers=numbers))


def found(pn: str) -> pb.Reply:
    """Says that the person has the number."""
    check = pb.NumberCheck(asked="5511", registered=True, pn=pn, lid=LID)
    return pb.Reply(numbers=pb.NumberChecks(checks=[check]))


class TestNumbers:
    """Asking about phone numbers."""

    def test_canonical(self, client: Client) -> None:
        """The phone number is the one that the LID map holds after the answer."""
        assert ask(client, "5511") == found("55119")

    def test_once(self, client: Client) -> None:
        """A number that is named twice is asked once, and all of them in one query."""
        ask(client, "5512", "5511", "5512")
        assert client.asked == [("5511", "5512")]

    @pytest.mark.parametrize("pn", [Spelled(), "database is locked", jid("99@lid")])
    def test_map_tells_nothing(self, client: Client, pn: Spelled | str) -> None:
        """What the LID map does not tell is left empty; the answer stands."""
        client.pn = pn
        assert ask(client, "5511") == found("")

    def test_connection_lost(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        """The LID map of an engine that admits no calls any more is not read."""
        monkeypatch.setattr(questions, "_BACK_SECONDS", 0.01)
        client.is_lost_after_answer = True
        assert ask(client, "5511") == found("")

    def test_connection_back(self, client: Client) -> None:
        """A connection that is back in a moment is waited for."""
        client.is_lost_after_answer = True
        threading.Timer(0.05, client.gate.admit, [Admits.CALLS]).start()
        assert ask(client, "5511") == found("55119")

    def test_nothing_said(self, client: Client) -> None:
        """An answer in which nobody stands is an answer."""
        client.rows = "Function returned nothing."
        assert ask(client, "5511") == pb.Reply(numbers=pb.NumberChecks())

    def test_refused(self, client: Client) -> None:
        """A refusal keeps its meaning."""
        client.rows = "failed to send usync query: info query returned status 429: rate-overlimit"
        failure = pb.Failure(kind=pb.FAILURE_KIND_RATE_LIMITED, code=429)
        assert ask(client, "5511") == pb.Reply(failure=failure)

    @pytest.mark.parametrize("number", ["5511 5512", "+5511", "", "5" * 21])
    def test_no_number(self, client: Client, number: str) -> None:
        """What is no number is never asked."""
        failure = pb.Failure(kind=pb.FAILURE_KIND_WRONG_JID)
        assert ask(client, "5511", number) == pb.Reply(failure=failure)
        assert client.asked == []


@dataclass
class Blocked:
    """A blocklist as the engine gives it."""

    DHash: str = ""
    JIDs: list[Spelled] = field(default_factory=list)


class Blocker:
    """An engine that answers changes with the list, or only with its mark."""

    def __init__(self, *, is_brief: bool) -> None:
        self.is_brief = is_brief
        self.asked: list[str] = []

    def update_blocklist(self, person: Spelled, action: str) -> Blocked:
        """Takes a change."""
        self.asked.append(f"{action} {person.User}")
        return Blocked("2:b", [] if self.is_brief else [person])

    def get_blocklist(self) -> Blocked:
        """Gives the list."""
        self.asked.append("list")
        return Blocked("2:b", [jid2(LID, "lid")])


class TestBlock:
    """Changing the blocklist."""

    @pytest.mark.parametrize(
        ("is_brief", "asked"), [(False, ["block 123456"]), (True, ["block 123456", "list"])]
    )
    def test_list_after_it(self, is_brief: bool, asked: list[str]) -> None:
        """The list is asked for when the answer to the change does not hold it."""
        engine, request = Blocker(is_brief=is_brief), pb.BlockRequest(user=LID, server="lid")
        request.blocked = True
        told = Questions(engine, Gate()).block(request)
        people = [pb.BlockedPerson(user=LID, server="lid")]
        assert told == pb.Reply(blocklist=pb.Blocklist(people=people, dhash="2:b"))
        assert engine.asked == asked
