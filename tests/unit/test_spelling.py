"""Spellings of numbers: candidates by country, the right one by proof."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import enquiries_over
from fakes_sessions import FakeSessions
from fakes_store import InMemoryContactStore
from wuts.domain.caller import DeviceId
from wuts.domain.contact import Names
from wuts.domain.enquiry import Heard, Lookup, NumberCheck
from wuts.domain.errors import RateLimited, WhatsappTimeout
from wuts.domain.group import Participant, Roster
from wuts.domain.identity import Identity
from wuts.domain.spelling import Proof, Spelling, Verdict, settle, variants
from wuts.domain.state import DeviceState
from wuts.usecases.resolve_identifiers import resolve_identifiers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DEVICE = DeviceId("device")
GROUP = "120363039000000000@g.us"
LID, OTHER_LID = "112233445566778", "998877665544332"
ANA = Names(full="Ana")

# A mobile in São Paulo, one in Belo Horizonte, and what else is spelled in two ways.
SP, SP_SHORT = "5511987654321", "551187654321"
BH, BH_SHORT = "5531991234567", "553191234567"
MX, MX_1 = "525512345678", "5215512345678"
AR, AR_9 = "541123456789", "5491123456789"


@dataclass(frozen=True)
class Case:
    """What is known of a number, and what must come of it.

    `rows` and `pairs` are in the store, `members` in the roster of a group.
    `server` gives the number and the LID that WhatsApp tells for a number it is
    asked about, or None on which it says nothing; nobody has any other number.
    Without `pn` the number stays as it was asked.
    """

    name: str
    asked: str
    tried: Sequence[str]
    rows: Sequence[str] = ()
    pairs: Mapping[str, str] = field(default_factory=dict)
    members: Sequence[Participant] = ()
    server: Mapping[str, tuple[str, str] | None] = field(default_factory=dict)
    lookup: Lookup = Lookup.LOCAL_ONLY
    pn: str = ""
    proof: str | None = None
    status: str | None = None
    lid: str = ""
    asks: Sequence[Sequence[str]] = ()


def unknown(name: str, asked: str, *tried: str, **more: object) -> Case:
    """Writes the case of a number of which nothing is known."""
    return Case(name, asked, tried or (asked,), status="UNKNOWN", **more)  # type: ignore[arg-type]  # fields of the case


LOCAL = [
    # Brazil, DDD 11 to 28: most accounts have the 9.
    Case("exact", SP, [SP, SP_SHORT], rows=[SP], proof="CONTACT_ROW"),
    Case("DDD 11 asked without 9", SP_SHORT, [SP_SHORT, SP], rows=[SP], pn=SP, proof="CONTACT_ROW"),
    Case("DDD 11 is known without", SP, [SP, SP_SHORT], rows=[SP_SHORT], pn=SP_SHORT,
         proof="CONTACT_ROW"),
    Case("DDD 21 by LID map", "552187654321", ["552187654321", "5521987654321"],
         pairs={"5521987654321": LID}, pn="5521987654321", proof="LID_MAP", lid=LID),
    Case("DDD 24 exact by LID map", "5524998765432", ["5524998765432", "552498765432"],
         pairs={"5524998765432": LID}, proof="LID_MAP", lid=LID),
    Case("DDD 27, row and pair", "552798765432", ["552798765432", "5527998765432"],
         rows=["5527998765432"], pairs={"5527998765432": LID}, pn="5527998765432",
         proof="CONTACT_ROW", lid=LID),
    Case("DDD 28 with punctuation", "+55 (28) 9 9876-5432", ["5528998765432", "552898765432"],
         rows=["552898765432"], pn="552898765432", proof="CONTACT_ROW"),
    unknown("DDD 19, nothing known", "5519987654321", "5519987654321", "551987654321"),
    # DDD 31 and above: most accounts have no 9.
    Case("DDD 31 asked with 9", BH, [BH, BH_SHORT], rows=[BH_SHORT], pn=BH_SHORT,
         proof="CONTACT_ROW"),
    Case("DDD 31 exact without 9", BH_SHORT, [BH_SHORT, BH], rows=[BH_SHORT], proof="CONTACT_ROW"),
    Case("DDD 31 is known with 9", BH_SHORT, [BH_SHORT, BH], rows=[BH], pn=BH,
         proof="CONTACT_ROW"),
    Case("DDD 41 by LID map", "5541998765432", ["5541998765432", "554198765432"],
         pairs={"554198765432": LID}, pn="554198765432", proof="LID_MAP", lid=LID),
    Case("DDD 55, as the country", "5555998765432", ["5555998765432", "555598765432"],
         rows=["555598765432"], pn="555598765432", proof="CONTACT_ROW"),
    unknown("DDD 71, nothing known", "557186543210", "557186543210", "5571986543210"),
    unknown("DDD 85, only a neighbour known", "558598765432", "558598765432", "5585998765432",
            rows=["558598765433", "5585998765433"]),
    Case("PN JID", f"{BH}@s.whatsapp.net", [BH, BH_SHORT], rows=[BH_SHORT], pn=BH_SHORT,
         proof="CONTACT_ROW"),
    Case("old PN JID with a device", f"{SP_SHORT}:3@c.us", [SP_SHORT, SP], rows=[SP], pn=SP,
         proof="CONTACT_ROW"),
    # Both spellings are known: the one that was asked for is the right one.
    Case("both stored, short", SP_SHORT, [SP_SHORT, SP], rows=[SP, SP_SHORT], proof="CONTACT_ROW"),
    Case("both stored, long", SP, [SP, SP_SHORT], rows=[SP_SHORT, SP], proof="CONTACT_ROW"),
    Case("conflicting LIDs, short", BH_SHORT, [BH_SHORT, BH], pairs={BH_SHORT: LID, BH: OTHER_LID},
         proof="LID_MAP", lid=LID),
    Case("conflicting LIDs, long", BH, [BH, BH_SHORT], pairs={BH_SHORT: LID, BH: OTHER_LID},
         proof="LID_MAP", lid=OTHER_LID),
    Case("row of the one, pair of the other", SP_SHORT, [SP_SHORT, SP], rows=[SP_SHORT],
         pairs={SP: LID}, proof="CONTACT_ROW"),
    Case("exact pair before the other's row", SP, [SP, SP_SHORT], rows=[SP_SHORT],
         pairs={SP: LID}, proof="LID_MAP", lid=LID),
    # Landlines and what only looks like a mobile.
    unknown("landline 3", "551133334444", rows=["5511933334444"]),
    unknown("landline 2", "552122223333", rows=["5521922223333"]),
    unknown("landline 5", "556155556666", rows=["5561955556666"]),
    Case("landline 4, exact", "551144445555", ["551144445555"], rows=["551144445555"],
         proof="CONTACT_ROW"),
    unknown("9 before a landline", "5511933334444", rows=["551133334444"]),
    unknown("no 9 in front", "5511887654321", rows=["551187654321"]),
    unknown("DDD with a zero", "5510987654321", rows=["551087654321"]),
    unknown("a digit short", "55119876543", rows=["551198765432"]),
    unknown("a digit long", "55119876543210", rows=[SP]),
    unknown("without the country", "11987654321", rows=[SP, SP_SHORT]),
    # Mexico.
    Case("MX asked without 1", MX, [MX, MX_1], rows=[MX_1], pn=MX_1, proof="CONTACT_ROW"),
    Case("MX asked with 1", MX_1, [MX_1, MX], pairs={MX: LID}, pn=MX, proof="LID_MAP", lid=LID),
    Case("MX both stored", MX_1, [MX_1, MX], rows=[MX, MX_1], proof="CONTACT_ROW"),
    unknown("MX nothing known", "523312345678", "523312345678", "5213312345678"),
    unknown("MX no area begins with 1", "521512345678", rows=["5211512345678"]),
    # Argentina.
    Case("AR asked without 9", AR, [AR, AR_9], rows=[AR_9], pn=AR_9, proof="CONTACT_ROW"),
    Case("AR asked with 9", AR_9, [AR_9, AR], pairs={AR: LID}, pn=AR, proof="LID_MAP", lid=LID),
    Case("AR conflicting LIDs", AR, [AR, AR_9], pairs={AR: LID, AR_9: OTHER_LID}, proof="LID_MAP",
         lid=LID),
    unknown("AR Córdoba, nothing known", "5493512345678", "5493512345678", "543512345678"),
    unknown("AR no area begins with 4", "544123456789", rows=["5494123456789"]),
    # Others have one spelling.
    Case("Portugal", "351912345678", ["351912345678"], rows=["351912345678"], proof="CONTACT_ROW"),
    unknown("India", "919876543210", rows=["91919876543210"]),
    Case("USA by LID map", "12025550123", ["12025550123"], pairs={"12025550123": LID},
         proof="LID_MAP", lid=LID),
    unknown("a LID's digits are no phone", LID, pairs={"5511987654321": LID}),
    unknown("PN JID too short for a number", "55119@s.whatsapp.net", "55119"),
    # The roster proves, too.
    Case("group lists the other", SP_SHORT, [SP_SHORT, SP], members=[Participant(SP, LID)], pn=SP,
         proof="GROUP", lid=LID),
    Case("group lists it", BH, [BH, BH_SHORT], members=[Participant(BH)], proof="GROUP"),
    Case("exact pair before the group's", BH, [BH, BH_SHORT], pairs={BH: LID},
         members=[Participant(BH_SHORT)], proof="LID_MAP", lid=LID, status="NOT_IN_GROUP"),
    Case("group lists the LID only", SP, [SP, SP_SHORT], pairs={SP: LID},
         members=[Participant(lid=LID)], proof="LID_MAP", lid=LID),
]  # fmt: skip

_ASK, _FORCE = Lookup.ALLOW_NETWORK, Lookup.FORCE

SERVER = [
    Case("server confirms", SP, [SP, SP_SHORT], lookup=_ASK, server={SP: (SP, LID)},
         proof="SERVER", lid=LID, asks=[[SP]]),
    Case("server tells its own spelling", SP_SHORT, [SP_SHORT, SP], lookup=_ASK,
         server={SP_SHORT: (SP, LID)}, pn=SP, proof="SERVER", lid=LID, asks=[[SP_SHORT]]),
    Case("server tells no number", SP_SHORT, [SP_SHORT, SP], lookup=_ASK,
         server={SP_SHORT: ("", "")}, proof="SERVER", asks=[[SP_SHORT]]),
    Case("server knows the other", BH, [BH, BH_SHORT], lookup=_ASK,
         server={BH_SHORT: (BH_SHORT, LID)}, pn=BH_SHORT, proof="SERVER", lid=LID,
         asks=[[BH], [BH_SHORT]]),
    Case("nobody has either", BH, [BH, BH_SHORT], lookup=_ASK, status="NOT_ON_WHATSAPP",
         asks=[[BH], [BH_SHORT]]),
    Case("nobody has the landline", "551133334444", ["551133334444"], lookup=_ASK,
         status="NOT_ON_WHATSAPP", asks=[["551133334444"]]),
    unknown("server is silent", SP, SP, SP_SHORT, lookup=_ASK, server={SP: None}, asks=[[SP]]),
    unknown("server is silent on the other", SP, SP, SP_SHORT, lookup=_ASK,
            server={SP_SHORT: None}, asks=[[SP], [SP_SHORT]]),
    Case("the store knows the other", SP, [SP, SP_SHORT], lookup=_ASK, rows=[SP_SHORT],
         server={SP: (SP, LID)}, pn=SP_SHORT, proof="CONTACT_ROW"),
    Case("the group knows it", SP, [SP, SP_SHORT], lookup=_ASK, members=[Participant(SP)],
         proof="GROUP"),
    Case("MX by the server", MX_1, [MX_1, MX], lookup=_ASK, server={MX_1: (MX, LID)}, pn=MX,
         proof="SERVER", lid=LID, asks=[[MX_1]]),
    Case("AR by the server", AR, [AR, AR_9], lookup=_ASK, server={AR_9: (AR_9, LID)}, pn=AR_9,
         proof="SERVER", lid=LID, asks=[[AR], [AR_9]]),
    Case("forced, the row is right", SP, [SP, SP_SHORT], lookup=_FORCE, rows=[SP],
         server={SP: (SP, LID)}, proof="CONTACT_ROW", lid=LID, asks=[[SP]]),
    Case("forced, exact before the other's row", SP, [SP, SP_SHORT], lookup=_FORCE,
         rows=[SP_SHORT], server={SP: (SP, LID)}, proof="SERVER", lid=LID, asks=[[SP]]),
    Case("forced, the row is outdated", BH, [BH, BH_SHORT], lookup=_FORCE, rows=[BH],
         server={BH_SHORT: (BH_SHORT, LID)}, pn=BH_SHORT, proof="SERVER", lid=LID,
         asks=[[BH], [BH_SHORT]]),
    Case("forced, the pair is outdated", SP, [SP, SP_SHORT], lookup=_FORCE,
         pairs={SP: OTHER_LID}, server={SP: (SP, LID)}, proof="LID_MAP", lid=LID, asks=[[SP]]),
    Case("forced, nobody has it now", BH, [BH, BH_SHORT], lookup=_FORCE, rows=[BH],
         status="NOT_ON_WHATSAPP", asks=[[BH], [BH_SHORT]]),
    Case("forced, silence", BH, [BH, BH_SHORT], lookup=_FORCE, rows=[BH], server={BH: None},
         proof="CONTACT_ROW", asks=[[BH]]),
    unknown("too short to be asked", "551199@s.whatsapp.net", "551199", lookup=_ASK),
    unknown("too long to be asked", f"{SP}0000@s.whatsapp.net", f"{SP}0000", lookup=_FORCE),
]  # fmt: skip


def world_of(case: Case) -> tuple[InMemoryContactStore, FakeSessions]:
    """Makes store and sessions as the case says."""
    store, sessions = InMemoryContactStore(), FakeSessions()
    store.link(DEVICE, "5511900000000")
    for number in case.rows:
        store.add_row(DEVICE, f"{number}@s.whatsapp.net", ANA)
    for number, lid in case.pairs.items():
        store.pair(DEVICE, number, lid)
    sessions.states[DEVICE] = DeviceState.CONNECTED
    sessions.rosters[GROUP] = Roster(case.members)
    for number, told in case.server.items():
        if told is None:
            sessions.silent.add(number)
        else:
            sessions.registered[number] = NumberCheck(number, True, *told)
    return store, sessions


@pytest.mark.parametrize("case", LOCAL + SERVER, ids=lambda case: case.name)
async def test_outcome(case: Case) -> None:
    """Every case tries the spellings it should, and accepts the one that is proven."""
    store, sessions = world_of(case)
    async with enquiries_over(sessions) as enquiries:
        found = await resolve_identifiers(
            DEVICE,
            [case.asked],
            group_jid=GROUP if case.members else "",
            lookup=case.lookup,
            dry_run=False,
            store=store,
            enquiries=enquiries,
        )
    (item,) = found.items
    assert isinstance(item, Identity)
    assert item.spelling is not None
    own = case.tried[0]
    pn = f"{case.pn or own}@s.whatsapp.net"
    expected = (
        (own, *case.tried[1:]),
        ((case.pn or own) if case.proof else "", case.proof, case.status),
        (f"{own}@s.whatsapp.net", pn, pn, f"{case.lid}@lid" if case.lid else None),
        [list(query) for query in case.asks],
    )
    spelling = item.spelling
    assert expected == (
        spelling.tried,
        (spelling.canonical, spelling.proof, item.status),
        (str(item.asked), str(item.pn), str(item.best), str(item.lid) if item.lid else None),
        sessions.asked_numbers,
    )


def test_cases() -> None:
    """The table is as large as it claims, and no case is there twice."""
    assert len({case.name for case in LOCAL + SERVER}) == len(LOCAL + SERVER) >= 40


class TestVariants:
    """variants makes candidates."""

    @given(st.from_regex(r"5[245][0-9]{8,12}", fullmatch=True))
    def test_symmetry(self, number: str) -> None:
        """Who is another's other spelling has that one for its own."""
        assert all(number in variants(other) for other in variants(number))

    @given(st.from_regex(r"55[1-9][1-9]9?[2-5][0-9]{7}", fullmatch=True))
    def test_landlines(self, number: str) -> None:
        """A Brazilian landline never gets a 9, nor does a 9 before one vanish."""
        assert variants(number) == ()


class TestSettle:
    """settle joins what is proven with WhatsApp's answers."""

    LOCAL = Spelling((SP, SP_SHORT))
    AT = datetime(2026, 6, 15, tzinfo=UTC)

    def heard(self, number: str, *, registered: bool, hour: int = 0) -> Heard[NumberCheck]:
        """Makes an answer."""
        return Heard(NumberCheck(number, registered), self.AT.replace(hour=hour))

    def test_error(self) -> None:
        """The first error is told when nothing else is."""
        first, second = RateLimited(60), WhatsappTimeout()
        verdict = settle(self.LOCAL, {SP: first, SP_SHORT: second})
        assert Verdict(self.LOCAL, error=first) == verdict

    def test_error_of_the_other(self) -> None:
        """A number is nobody's only when that was said of all spellings."""
        error = WhatsappTimeout()
        verdict = settle(self.LOCAL, {SP: self.heard(SP, registered=False), SP_SHORT: error})
        assert Verdict(self.LOCAL, error=error) == verdict

    def test_confirmed_in_spite_of_an_error(self) -> None:
        """A spelling that WhatsApp knows is enough."""
        heard = self.heard(SP_SHORT, registered=True)
        verdict = settle(self.LOCAL, {SP: WhatsappTimeout(), SP_SHORT: heard})
        expected = Spelling((SP, SP_SHORT), SP_SHORT, Proof.SERVER)
        assert Verdict(expected, heard) == verdict

    def test_date_of_a_denial(self) -> None:
        """That nobody has a number is known since the last of the answers."""
        last = self.heard(SP, registered=False, hour=9)
        answers = {SP: last, SP_SHORT: self.heard(SP_SHORT, registered=False, hour=8)}
        assert Verdict(self.LOCAL, last) == settle(self.LOCAL, answers)
