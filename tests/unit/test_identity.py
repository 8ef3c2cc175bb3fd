"""Who a JID is: the decision table, row by row."""

from __future__ import annotations

import pytest

from wuts.domain.contact import Names
from wuts.domain.group import Participant, Roster
from wuts.domain.identity import Identity, Status, identify, merge_roster
from wuts.domain.jid import lid_jid, pn_jid
from wuts.domain.knowledge import Knowledge, Row

PN, LID = pn_jid("5511888888888"), lid_jid("112233445566778")
NOTHING = Knowledge()
PAIRED = Knowledge(lid_of_pn={PN.user: LID.user}, pn_of_lid={LID.user: PN.user})
NAMED = Row(Names(push="Joao"))


def facts(identity: Identity) -> tuple[object, ...]:
    """Gives what a caller sees of an identity."""
    return identity.pn, identity.lid, str(identity.best), identity.status


class TestIdentify:
    """identify follows the documented table."""

    def test_an_unknown_phone_stays_a_phone(self) -> None:
        """Of an unknown phone number nothing but itself is told."""
        assert (PN, None, str(PN), Status.UNKNOWN) == facts(identify(PN, NOTHING))

    @pytest.mark.parametrize(
        "known", [PAIRED, Knowledge(pn_rows={PN.user: Row(Names())})], ids=["pair", "row"]
    )
    def test_a_phone_is_known_by_pair_or_row(self, known: Knowledge) -> None:
        """A LID pair or a contact row, even without a name, makes a phone known."""
        assert identify(PN, known).status is None

    def test_a_phone_is_known_by_the_roster(self) -> None:
        """A participant is known although the store holds nothing."""
        roster = Roster([Participant(pn=PN.user)])
        assert (PN, None, str(PN), None) == facts(identify(PN, NOTHING, roster))

    def test_a_paired_lid_becomes_its_phone(self) -> None:
        """The phone number of a paired LID is told, from the pair alone."""
        assert (PN, LID, str(PN), None) == facts(identify(LID, PAIRED))

    def test_an_unknown_lid_never_becomes_a_phone(self) -> None:
        """No phone number is made of a LID's digits."""
        assert (None, LID, str(LID), Status.UNKNOWN) == facts(identify(LID, NOTHING))

    @pytest.mark.parametrize("row", [NAMED, Row(Names(), "+55 11 ****-**12")])
    def test_a_hidden_phone_is_proven_by_the_store(self, row: Row) -> None:
        """A name or a masked number in the LID's row proves a person with a hidden phone."""
        known = Knowledge(lid_rows={LID.user: row})
        assert identify(LID, known).status is Status.PHONE_HIDDEN

    def test_a_row_without_any_content_proves_nothing(self) -> None:
        """An empty LID row leaves the LID unknown."""
        known = Knowledge(lid_rows={LID.user: Row(Names())})
        assert identify(LID, known).status is Status.UNKNOWN

    def test_a_hidden_phone_is_proven_by_the_roster(self) -> None:
        """A masked number in the roster proves a person with a hidden phone."""
        roster = Roster([Participant(lid=LID.user, redacted_phone="+55 11 ****-**12")])
        assert identify(LID, NOTHING, roster).status is Status.PHONE_HIDDEN

    def test_a_plain_participant_lid_is_unknown(self) -> None:
        """A LID that the roster lists without phone or mask stays unknown."""
        roster = Roster([Participant(lid=LID.user)])
        assert identify(LID, NOTHING, roster).status is Status.UNKNOWN

    def test_not_in_group_wins(self) -> None:
        """A stranger to the group keeps all facts and says so before all else."""
        roster = Roster([Participant(pn="5511000000000")])
        assert (PN, LID, str(PN), Status.NOT_IN_GROUP) == facts(identify(LID, PAIRED, roster))

    def test_membership_is_found_under_the_other_jid(self) -> None:
        """A participant listed by LID is found by phone number through the pair."""
        roster = Roster([Participant(lid=LID.user)])
        assert identify(PN, PAIRED, roster).status is None

    def test_names_of_the_phone_row_win_one_by_one(self) -> None:
        """Each name comes from the phone's row, else from the LID's."""
        known = Knowledge(
            pn_rows={PN.user: Row(Names(full="Joao Pereira"))},
            lid_rows={LID.user: Row(Names(full="Other", push="Joao"))},
            lid_of_pn=PAIRED.lid_of_pn,
            pn_of_lid=PAIRED.pn_of_lid,
        )
        expected = Names(full="Joao Pereira", push="Joao")
        assert [expected] * 2 == [identify(PN, known).names, identify(LID, known).names]


class TestMergeRoster:
    """merge_roster adds what a roster teaches."""

    def test_learns_pairs(self) -> None:
        """A participant with both JIDs teaches the pair in both directions."""
        known = merge_roster(NOTHING, Roster([Participant(PN.user, LID.user), Participant("1")]))
        assert (PAIRED.lid_of_pn, PAIRED.pn_of_lid) == (known.lid_of_pn, known.pn_of_lid)
