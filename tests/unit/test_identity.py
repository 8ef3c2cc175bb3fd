"""Who a JID is: the decision table, row by row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from wuts.domain import errors
from wuts.domain.contact import Names
from wuts.domain.enquiry import Heard, NumberCheck, QueryClass
from wuts.domain.facts import Evidence, Facts, Source
from wuts.domain.group import Participant, Roster
from wuts.domain.identity import Identity, Status, identify
from wuts.domain.jid import Jid, Server, lid_jid, pn_jid
from wuts.domain.knowledge import Knowledge, Row
from wuts.domain.spelling import prove, settle
from wuts.domain.state import DeviceState

PN, LID = pn_jid("5511888888888"), lid_jid("112233445566778")
OTHER_PN, OTHER_LID = "5511777777777", "998877665544332"
MASK = "+55 11 ****-**12"
NOTHING = Knowledge()
PAIRED = Knowledge(lid_of_pn={PN.user: LID.user}, pn_of_lid={LID.user: PN.user})
NAMED = Row(Names(push="Joao"))
READ_AT = datetime(2026, 6, 15, 12, tzinfo=UTC)
EARLIER, LATER = READ_AT - timedelta(minutes=5), READ_AT + timedelta(minutes=5)


def facts_of(
    known: Knowledge = NOTHING, *members: Participant, checks: tuple[Heard[NumberCheck], ...] = ()
) -> Facts:
    """Makes facts; a roster with these members only when there are any."""
    roster = Heard(Roster(members), EARLIER) if members else None
    return Facts(known, READ_AT, roster=roster, checks=checks)


def check(
    asked: str = PN.user, lid: str = LID.user, *, remembered: bool = False, registered: bool = True
) -> Heard[NumberCheck]:
    """Makes WhatsApp's word on a number."""
    told = NumberCheck(asked, registered, *((asked, lid) if registered else ("", "")))
    return Heard(told, EARLIER if remembered else LATER, remembered)


def identity_of(
    asked: Jid,
    known: Knowledge = NOTHING,
    *members: Participant,
    answers: tuple[Heard[NumberCheck], ...] = (),
) -> Identity:
    """Identifies one JID by store, roster and answers, as a call does."""
    facts = facts_of(known, *members, checks=tuple(a for a in answers if a.answer.registered))
    if asked.server is Server.LID:
        return identify(asked, facts)
    local = prove(asked.user, known, Roster(members) if members else None)
    return identify(asked, facts, settle(local, {each.answer.asked: each for each in answers}))


def told_of(identity: Identity) -> tuple[object, ...]:
    """Gives what a caller sees of an identity."""
    return identity.pn, identity.lid, str(identity.best), identity.status


class TestPhone:
    """identify, for a phone number."""

    def test_unknown(self) -> None:
        """Of an unknown phone number nothing but itself is told."""
        assert (PN, None, str(PN), Status.UNKNOWN) == told_of(identity_of(PN))

    @pytest.mark.parametrize(
        "known", [PAIRED, Knowledge(pn_rows={PN.user: Row(Names())})], ids=["pair", "row"]
    )
    def test_known(self, known: Knowledge) -> None:
        """A LID pair or a contact row, even without a name, makes a phone known."""
        assert identity_of(PN, known).status is None

    def test_roster(self) -> None:
        """A participant is known although the store holds nothing."""
        found = identity_of(PN, NOTHING, Participant(pn=PN.user))
        assert (PN, None, str(PN), None) == told_of(found)

    def test_membership_under_the_other_jid(self) -> None:
        """A participant listed by LID is found by phone number through the pair."""
        assert identity_of(PN, PAIRED, Participant(lid=LID.user)).status is None

    def test_server(self) -> None:
        """WhatsApp's word makes a phone known, with the LID it told."""
        assert (PN, LID, str(PN), None) == told_of(identity_of(PN, answers=(check(),)))

    def test_denied(self) -> None:
        """A phone that nobody has keeps its digits, and says so."""
        asked = pn_jid("12025550123")
        found = identity_of(asked, answers=(check(asked.user, registered=False),))
        assert (asked, None, str(asked), Status.NOT_ON_WHATSAPP) == told_of(found)

    def test_denied_outside(self) -> None:
        """Who is nobody is in no group, and the better reason is told."""
        answers = (check("12025550123", registered=False),)
        found = identity_of(pn_jid("12025550123"), NOTHING, Participant(PN.user), answers=answers)
        assert Status.NOT_ON_WHATSAPP is found.status


class TestLid:
    """identify, for a LID."""

    def test_pair(self) -> None:
        """The phone number of a paired LID is told, from the pair alone."""
        assert (PN, LID, str(PN), None) == told_of(identity_of(LID, PAIRED))

    def test_unknown(self) -> None:
        """No phone number is made of a LID's digits."""
        assert (None, LID, str(LID), Status.UNKNOWN) == told_of(identity_of(LID))

    @pytest.mark.parametrize("row", [NAMED, Row(Names(), MASK)])
    def test_hidden_by_the_store(self, row: Row) -> None:
        """A name or a masked number in the LID's row proves a person with a hidden phone."""
        known = Knowledge(lid_rows={LID.user: row})
        found = identity_of(LID, known)
        assert (Status.PHONE_HIDDEN, row.redacted_phone) == (found.status, found.redacted_phone)

    def test_empty_row(self) -> None:
        """An empty LID row leaves the LID unknown."""
        known = Knowledge(lid_rows={LID.user: Row(Names())})
        assert identity_of(LID, known).status is Status.UNKNOWN

    def test_hidden_by_the_roster(self) -> None:
        """The roster's masked number proves a hidden phone, and is fresher than the row's."""
        known = Knowledge(lid_rows={LID.user: Row(Names(), "+55 ** ****-**99")})
        found = identity_of(LID, known, Participant(lid=LID.user, redacted_phone=MASK))
        assert (Status.PHONE_HIDDEN, MASK) == (found.status, found.redacted_phone)

    def test_mask_of_a_known_phone(self) -> None:
        """Where the phone is known, no masked number is told."""
        known = Knowledge(
            lid_rows={LID.user: Row(Names(), MASK)},
            lid_of_pn=PAIRED.lid_of_pn,
            pn_of_lid=PAIRED.pn_of_lid,
        )
        assert "" == identity_of(LID, known).redacted_phone

    def test_plain_participant(self) -> None:
        """A LID that the roster lists without phone or mask stays unknown."""
        found = identity_of(LID, NOTHING, Participant(lid=LID.user))
        assert found.status is Status.UNKNOWN

    @pytest.mark.parametrize("asked", [PN, LID])
    def test_not_in_group(self, asked: Jid) -> None:
        """A stranger to the group keeps all facts and says so."""
        found = identity_of(asked, PAIRED, Participant(pn="5511000000000"))
        assert (PN, LID, str(PN), Status.NOT_IN_GROUP) == told_of(found)


class TestNames:
    """Names of an identity."""

    KNOWN = Knowledge(
        pn_rows={PN.user: Row(Names("", "Joao Pereira", "", "Pn Shop"))},
        lid_rows={LID.user: Row(Names("Other", "Other", "Joao", "Lid Shop"))},
        lid_of_pn=PAIRED.lid_of_pn,
        pn_of_lid=PAIRED.pn_of_lid,
    )

    def test_both_rows(self) -> None:
        """Saved names are the phone row's pair; the others fill each other's gaps."""
        expected = Names("", "Joao Pereira", "Joao", "Pn Shop")
        found = [identity_of(jid, self.KNOWN).names for jid in (PN, LID)]
        assert [expected, expected] == found


class TestEvidence:
    """Where an identity comes from, and since when."""

    ROWS = Knowledge(pn_rows={PN.user: NAMED})

    @pytest.mark.parametrize(
        ("asked", "known", "members", "answers", "expected"),
        [
            (PN, NOTHING, (), (), None),
            (LID, NOTHING, (), (), None),
            (PN, ROWS, (), (), (Source.STORE, READ_AT)),
            (LID, Knowledge(lid_rows={LID.user: NAMED}), (), (), (Source.STORE, READ_AT)),
            (PN, PAIRED, (), (), (Source.LID_MAP, READ_AT)),
            (LID, PAIRED, (), (), (Source.LID_MAP, READ_AT)),
            (PN, PAIRED, (Participant(PN.user),), (), (Source.GROUP, EARLIER)),
            (LID, NOTHING, (Participant(PN.user, LID.user),), (), (Source.GROUP, EARLIER)),
            (LID, NOTHING, (Participant("", LID.user, MASK),), (), (Source.GROUP, EARLIER)),
            (LID, PAIRED, (Participant(OTHER_PN),), (), (Source.LID_MAP, READ_AT)),
            (PN, NOTHING, (Participant(OTHER_PN),), (), None),
            (PN, ROWS, (Participant(PN.user),), (check(),), (Source.SERVER, LATER)),
            (LID, PAIRED, (), (check(),), (Source.SERVER, LATER)),
            (PN, ROWS, (), (check(remembered=True),), (Source.CACHE, EARLIER)),
            (LID, NOTHING, (), (check(remembered=True),), (Source.CACHE, EARLIER)),
            # The map says so itself; what is remembered was not needed.
            (LID, PAIRED, (), (check(remembered=True),), (Source.LID_MAP, READ_AT)),
            (pn_jid("1202555"), NOTHING, (), (check("1202555", registered=False),),
             (Source.SERVER, LATER)),
        ],
    )  # fmt: skip
    def test_table(
        self,
        asked: Jid,
        known: Knowledge,
        members: tuple[Participant, ...],
        answers: tuple[Heard[NumberCheck], ...],
        expected: Evidence | None,
    ) -> None:
        """The best source is told, with its own time."""
        assert expected == identity_of(asked, known, *members, answers=answers).evidence


class TestFacts:
    """Facts puts sources in an order of trust."""

    def pair(self, facts: Facts, pn: str = PN.user, lid: str = LID.user) -> tuple[str, str]:
        """Gives the LID of the number and the number of the LID."""
        return facts.lid_of(pn), facts.pn_of(lid)

    @pytest.mark.parametrize(
        "stronger",
        [
            facts_of(PAIRED, Participant(PN.user, OTHER_LID)),
            facts_of(PAIRED, checks=(check(lid=OTHER_LID),)),
            facts_of(PAIRED, Participant(PN.user, LID.user), checks=(check(lid=OTHER_LID),)),
        ],
        ids=["roster", "server", "server and roster"],
    )
    def test_new_lid(self, stronger: Facts) -> None:
        """The pair that is trusted more wins, and the other one is told from neither side."""
        assert (OTHER_LID, "") == self.pair(stronger)

    def test_new_number(self) -> None:
        """A LID whose number has changed is not told for the old number."""
        facts = facts_of(PAIRED, Participant(OTHER_PN, LID.user))
        assert ("", OTHER_PN) == self.pair(facts)

    @pytest.mark.parametrize(
        "vague",
        [
            check(lid=OTHER_LID, remembered=True),
            Heard(NumberCheck(PN.user, True, "", OTHER_LID), LATER),
        ],
    )
    def test_vague(self, vague: Heard[NumberCheck]) -> None:
        """What is remembered, or told without its spelling, contradicts no LID map."""
        assert (LID.user, PN.user) == self.pair(facts_of(PAIRED, checks=(vague,)))

    def test_remembered(self) -> None:
        """What is remembered serves where nothing else is known."""
        facts = facts_of(NOTHING, checks=(check(remembered=True),))
        assert (LID.user, PN.user) == self.pair(facts)

    def test_contradicting_roster(self) -> None:
        """Of a roster that contradicts itself the same pair counts in whatever order."""
        people = [Participant(PN.user, LID.user), Participant(PN.user, OTHER_LID)]
        found = {self.pair(facts_of(NOTHING, *order)) for order in (people, people[::-1])}
        assert {(LID.user, PN.user)} == found


class TestFailed:
    """Identity.failed says why WhatsApp did not answer."""

    @pytest.mark.parametrize(
        ("error", "status", "seconds"),
        [
            (errors.BudgetExhausted(QueryClass.NUMBER_CHECK, 30), "BUDGET_EXHAUSTED", 30),
            (errors.RateLimited(60), "RATE_LIMITED", 60),
            (errors.WhatsappTimeout(), "WHATSAPP_TIMEOUT", 0),
            (errors.WhatsappError(500), "WHATSAPP_ERROR", 0),
            (errors.DeviceNotReady(DeviceState.RECONNECTING, retry_after=2), "DEVICE_NOT_READY", 2),
            (errors.ServiceUnavailable(), "SERVICE_UNAVAILABLE", 0),
            (errors.StoreUnavailable(), "SERVICE_UNAVAILABLE", 0),
        ],
    )
    def test_statuses(self, error: errors.DomainError, status: str, seconds: int) -> None:
        """Every failure has its word, and its time when one is known; the facts stay."""
        failed = identity_of(PN, PAIRED).failed(error)
        assert (PN, LID, status, seconds) == (
            failed.pn,
            failed.lid,
            failed.status,
            failed.retry_after,
        )

    def test_subclass(self) -> None:
        """A special kind of failure has the word of its kind."""

        class Special(errors.RateLimited):
            """Some special kind."""

        assert Status.RATE_LIMITED is identity_of(PN).failed(Special(1)).status
