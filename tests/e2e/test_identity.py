"""Who is behind an identifier, found through the real core and counted at WhatsApp's side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import identity_world as world
from sandboxes import Sandbox, running, wait_for, write_world

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKS, NUMBERS, GROUPS = "usync_contact", "numbers_checked", "group"


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The world of spellings, with plenty of budget."""
    directory = tmp_path_factory.mktemp("people")
    path = write_world(directory, world.IDENTITY_WORLD)
    with running(directory, WORLD=path, SETTINGS=world.PLENTY) as sandbox:
        yield sandbox


class _Asked:
    """Counts what a stretch of calls put to WhatsApp."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._before = self._now()

    def _now(self) -> dict[str, int]:
        return dict(self._sandbox.control("count")["counts"])

    def __getitem__(self, kind: str) -> int:
        return self._now().get(kind, 0) - self._before.get(kind, 0)


def resolve(sandbox: Sandbox, *jids: str, **fields: object) -> dict[str, Any]:
    """Resolves under view FULL; gives the whole answer."""
    body = {"jids": jids, "view": "FULL", **fields}
    answer = sandbox.call("POST", "/contacts/resolve", json=body)
    assert 200 == answer.status_code, answer.text
    told: dict[str, Any] = answer.json()
    return told


def one(sandbox: Sandbox, jid: str, **fields: object) -> dict[str, Any]:
    """Resolves one identifier under view FULL; gives its item."""
    item: dict[str, Any] = resolve(sandbox, jid, **fields)["items"][0]
    return item


class TestLookupPolicy:
    """WhatsApp is asked only when the caller allows it."""

    def test_local_only_sends_nothing(self, people: Sandbox) -> None:
        """By default no number and no person is asked about, whatever is unknown."""
        asked = _Asked(people)
        items = resolve(people, world.NOBODY, world.stranger(0), "299999999999999@lid")["items"]
        assert ["UNKNOWN"] * 3 == [item["status"] for item in items]
        assert (0, 0, 0) == (asked[CHECKS], asked["usync_info"], asked["usync_devices"])

    def test_dry_run_counts_and_sends_nothing(self, people: Sandbox) -> None:
        """dry_run tells how many numbers would be asked, and asks none."""
        asked = _Asked(people)
        told = resolve(
            people,
            *(world.LONG, world.stranger(1), world.stranger(2), world.MAPPED),
            lookup="ALLOW_NETWORK",
            dry_run=True,
        )
        assert {"numbers": 2, "variants": 2, "groups": 0} == told["dry_run"]
        assert 0 == asked[CHECKS]

    def test_allow_network_asks_about_strangers_only(self, people: Sandbox) -> None:
        """What the store knows is not asked; the stranger's LID is learnt."""
        asked = _Asked(people)
        known, unknown = resolve(people, world.LONG, world.STRANGER, lookup="ALLOW_NETWORK")[
            "items"
        ]
        assert (1, 1) == (asked[CHECKS], asked[NUMBERS])
        assert "STORE" == known["source"]
        assert ("SERVER", f"{world.STRANGER_LID}@lid") == (unknown["source"], unknown["lid_jid"])

    def test_second_question_is_answered_from_what_was_learnt(self, people: Sandbox) -> None:
        """A number that was checked is not checked again, also by later calls."""
        one(people, world.stranger(3), lookup="ALLOW_NETWORK")
        asked = _Asked(people)
        item = one(people, world.stranger(3), lookup="ALLOW_NETWORK")
        assert (0, "CACHE") == (asked[CHECKS], item["source"])

    def test_force_asks_again(self, people: Sandbox) -> None:
        """FORCE asks about every number, known or not."""
        asked = _Asked(people)
        items = resolve(people, world.LONG, world.stranger(4), lookup="FORCE")["items"]
        assert (1, 2) == (asked[CHECKS], asked[NUMBERS])
        assert ["SERVER", "SERVER"] == [item["source"] for item in items]

    def test_many_numbers_go_in_chunks_of_fifty(self, people: Sandbox) -> None:
        """120 strangers are three queries."""
        asked = _Asked(people)
        numbers = [world.stranger(n) for n in range(100, 220)]
        items = resolve(people, *numbers, lookup="ALLOW_NETWORK")["items"]
        assert (3, 120) == (asked[CHECKS], asked[NUMBERS])
        assert {"SERVER"} == {item["source"] for item in items}

    def test_unknown_policy_is_refused(self, people: Sandbox) -> None:
        """A word that is no policy is a 400 that names the field and the words."""
        answer = people.call("POST", "/contacts/resolve", json={"jids": ["1"], "lookup": "MAYBE"})
        fault = answer.json()["validation"][0]
        assert (400, "lookup", "MAYBE") == (answer.status_code, fault["field"], fault["value"])
        assert "ALLOW_NETWORK" in fault["message"]


class TestNotOnWhatsapp:
    """Absence is told by WhatsApp's word only, and remembered."""

    def test_by_the_servers_word(self, people: Sandbox) -> None:
        """Nobody has the number: WhatsApp was asked under every spelling, once."""
        asked = _Asked(people)
        item = one(people, world.NOBODY, lookup="ALLOW_NETWORK")
        assert "NOT_ON_WHATSAPP" == item["status"]
        assert [world.NOBODY] == item["variants_tried"][:1]
        assert 1 <= asked[CHECKS] <= 2
        again = _Asked(people)
        item = one(people, world.NOBODY)
        assert (0, "NOT_ON_WHATSAPP", "CACHE") == (again[CHECKS], item["status"], item["source"])


SPELLINGS = [
    (world.LONG_SHORT, world.LONG, "CONTACT_ROW"),
    (world.SHORT_LONG, world.SHORT, "CONTACT_ROW"),
    (world.MAPPED_SHORT, world.MAPPED, "LID_MAP"),
    (world.MEXICO_SHORT, world.MEXICO, "CONTACT_ROW"),
    (world.ARGENTINA_SHORT, world.ARGENTINA, "CONTACT_ROW"),
]


class TestSpelling:
    """A number is rewritten by proof, never by rule."""

    @pytest.mark.parametrize(("asked", "proven", "proof"), SPELLINGS)
    def test_store_proves_the_other_spelling(
        self, people: Sandbox, asked: str, proven: str, proof: str
    ) -> None:
        """The stored spelling is told; input_jid keeps the caller's."""
        item = one(people, asked)
        assert (proven, proof, [asked, proven]) == (
            item["canonical"],
            item["proof"],
            item["variants_tried"],
        )
        assert f"{asked}@s.whatsapp.net" == item["input_jid"]
        jid = f"{proven}@s.whatsapp.net"
        assert (jid, jid, proven) == (item["resolved_jid"], item["jid"], item["phone_number"])

    def test_exact_match_wins(self, people: Sandbox) -> None:
        """Two stored spellings stay two people."""
        long, short = resolve(people, world.TWIN_LONG, world.TWIN_SHORT)["items"]
        assert (world.TWIN_LONG, f"{world.TWIN_LONG_LID}@lid") == (
            long["phone_number"],
            long["lid_jid"],
        )
        assert (world.TWIN_SHORT, f"{world.TWIN_SHORT_LID}@lid") == (
            short["phone_number"],
            short["lid_jid"],
        )

    def test_landline_never_gets_a_nine(self, people: Sandbox) -> None:
        """A landline is no spelling of a number with a ninth digit."""
        item = one(people, world.LANDLINE_LONG)
        assert ("UNKNOWN", world.LANDLINE_LONG) == (item["status"], item["phone_number"])
        assert "canonical" not in item

    def test_without_proof_nothing_changes(self, people: Sandbox) -> None:
        """An unproven number stays as it was sent."""
        item = one(people, "5521988776655")
        assert ("UNKNOWN", "5521988776655") == (item["status"], item["phone_number"])

    def test_servers_spelling_is_proof(self, people: Sandbox) -> None:
        """The LID map is read after the query: it has WhatsApp's own spelling."""
        item = one(people, world.RENAMED_ASKED, lookup="ALLOW_NETWORK")
        assert (world.RENAMED, "SERVER", f"{world.RENAMED_LID}@lid") == (
            item["canonical"],
            item["proof"],
            item["lid_jid"],
        )

    def test_variant_is_asked_when_the_input_is_unknown_there(self, people: Sandbox) -> None:
        """WhatsApp knows the number under its other spelling only."""
        item = one(people, world.STRICT_SHORT, lookup="ALLOW_NETWORK")
        assert (world.STRICT, "SERVER") == (item["canonical"], item["proof"])
        assert "status" not in item

    def test_picture_of_a_number_uses_the_proven_spelling(self, people: Sandbox) -> None:
        """`number` finds the picture under the spelling that the store proves."""
        answer = people.get(f"/contacts/profile-picture?number={world.LONG_SHORT}")
        assert 200 == answer.status_code, answer.text
        assert f"{world.LONG}@s.whatsapp.net" == answer.json()["data"]["jid"]


class TestIdentity:
    """One person is one identity, whichever identifier asks."""

    def test_names_come_from_both_rows(self, people: Sandbox) -> None:
        """Saved name from the PN row, push name from the LID row, under either input."""
        by_pn, by_lid = resolve(people, world.SPLIT, f"{world.SPLIT_LID}@lid")["items"]
        for item in (by_pn, by_lid):
            assert ("Person 4444", "Splitty") == (item["full_name"], item["push_name"])
            assert (world.SPLIT, f"{world.SPLIT_LID}@lid") == (
                item["phone_number"],
                item["lid_jid"],
            )

    def test_duplicates_stay_items_of_their_own(self, people: Sandbox) -> None:
        """Each input has its item, in order, with the same identity."""
        items = resolve(people, world.SPLIT, world.SPLIT, f"{world.SPLIT_LID}@lid")["items"]
        assert [world.SPLIT, world.SPLIT, f"{world.SPLIT_LID}@lid"] == [i["input"] for i in items]
        assert 1 == len({(i["jid"], i["full_name"], i["push_name"]) for i in items})

    def test_list_and_resolve_agree(self, people: Sandbox) -> None:
        """Everyone in the list has the same names and JIDs when resolved."""
        listed = people.get("/contacts?view=FULL").json()["contacts"]
        jids = [contact["jid"] for contact in listed]
        resolved = resolve(people, *jids)["items"]
        names = ("jid", "lid_jid", "first_name", "full_name", "push_name", "business_name")
        assert listed == [{n: item[n] for n in names if n in item} for item in resolved]

    @pytest.mark.parametrize("text", ["@maria.silva", "BR.1502576394655843"])
    def test_usernames_are_recognised(self, people: Sandbox, text: str) -> None:
        """A username or BSUID is UNSUPPORTED, with the reason; it fails nobody else."""
        named, maria = resolve(people, text, world.LONG)["items"]
        assert "UNSUPPORTED" == named["status"]
        assert named["detail"]
        assert "jid" not in named
        assert world.LONG == maria["phone_number"]

    def test_store_facts_carry_source_and_time(self, people: Sandbox) -> None:
        """Under FULL each known item says where it comes from, and when that was."""
        item = one(people, world.LONG)
        assert ("STORE", "CONTACT_ROW") == (item["source"], item["proof"])
        assert item["observed_at"].endswith("Z")

    def test_basic_view_has_none_of_it(self, people: Sandbox) -> None:
        """Without view the item holds documented fields only."""
        body = {"jids": [world.LONG]}
        item = people.call("POST", "/contacts/resolve", json=body).json()["items"][0]
        assert {"input", "input_jid", "resolved_jid", "jid", "phone_number", "full_name"} == set(
            item
        )


class TestGroups:
    """A group is asked once, and helps everybody."""

    def test_crowd_costs_one_query(self, people: Sandbox) -> None:
        """1,024 members are resolved with one question for the group."""
        asked = _Asked(people)
        told = 0
        for start in range(0, world.CROWD_SIZE - 1, 160):
            members = range(start, min(start + 160, world.CROWD_SIZE - 1))
            lids = [f"{world.crowd(n)[1]}@lid" for n in members]
            items = resolve(people, *lids, group_jid=world.CROWD)["items"]
            told += sum(
                world.crowd(n)[0] == i["phone_number"] for n, i in zip(members, items, strict=True)
            )
        assert (world.CROWD_SIZE - 1, 1) == (told, asked[GROUPS])

    def test_hidden_member_is_known_by_the_masked_number(self, people: Sandbox) -> None:
        """A member who hides the phone is PHONE_HIDDEN, with what the group shows."""
        item = one(people, f"{world.HIDDEN_LID}@lid", group_jid=world.CLUB)
        assert ("PHONE_HIDDEN", world.REDACTED) == (item["status"], item["redacted_phone"])
        assert "phone_number" not in item

    def test_roster_is_remembered_until_the_group_changes(self, people: Sandbox) -> None:
        """A change of the group drops the roster: the next call asks again."""
        one(people, world.LONG, group_jid=world.CLUB)
        asked = _Asked(people)
        assert "status" not in one(people, world.LONG, group_jid=world.CLUB)
        assert 0 == asked[GROUPS]
        people.control(
            "set-group",
            jid=world.CLUB,
            fields={"participants": [{"pn": world.SPLIT, "lid": world.SPLIT_LID}]},
        )
        wait_for(
            lambda: one(people, world.LONG, group_jid=world.CLUB).get("status") == "NOT_IN_GROUP",
            10,
            "the change",
        )
        assert 1 == asked[GROUPS]

    def test_force_asks_for_the_roster_again(self, people: Sandbox) -> None:
        """FORCE does not trust the remembered roster."""
        one(people, f"{world.SPLIT_LID}@lid", group_jid=world.CROWD)
        asked = _Asked(people)
        one(people, f"{world.SPLIT_LID}@lid", group_jid=world.CROWD, lookup="FORCE")
        assert 1 == asked[GROUPS]


class TestTrouble:
    """What keeps WhatsApp from answering about a number is told for that number."""

    def test_rate_limit_fails_only_the_strangers(self, people: Sandbox) -> None:
        """The known one is told; the stranger is RATE_LIMITED with a time to wait."""
        people.control("refuse", kind=CHECKS, code=429, text="rate-overlimit", times=1)
        known, stranger = resolve(people, world.LONG, world.stranger(500), lookup="ALLOW_NETWORK")[
            "items"
        ]
        assert "status" not in known
        assert ("RATE_LIMITED", True) == (stranger["status"], stranger["retry_after"] > 0)
