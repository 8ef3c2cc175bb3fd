"""Tests of the world document, the default world and what the store must hold."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

from wuts_sandbox.store_check import StoreReport, check_store, expected_store
from wuts_sandbox.world.examples import add_people, default_world
from wuts_sandbox.world.load import WorldError, read_world

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from wuts_sandbox.world.document import World

FULL = "https://pps.whatsapp.net/v/t61.24694-24/abc123.jpg"


def read(directory: Path, document: object) -> World:
    """Reads a document by way of a file."""
    file = directory / "world.json"
    file.write_text(json.dumps(document))
    return read_world(file)


def account(document: dict[str, Any]) -> dict[str, Any]:
    """Returns the only account of a document."""
    only: dict[str, Any] = document["accounts"][0]
    return only


class TestDefaultWorld:
    """The default world is the documented example."""

    def test_people(self) -> None:
        """Maria has a picture and no LID, Joao a mapped LID and no picture."""
        maria, joao = default_world().accounts[0].people
        assert (maria.pn, maria.lid, maria.pn_row.full_name) == (
            "5511999999999",
            None,
            "Maria Silva",
        )
        assert (joao.pair, joao.mapped, joao.picture) == (
            ("112233445566778", "5511888888888"),
            True,
            "none",
        )
        assert not isinstance(maria.picture, str)
        assert (maria.picture.id, maria.picture.full.url) == ("1700000000", FULL)

    def test_store(self) -> None:
        """The store holds both by their PN, Joao's pair and the account's own."""
        expected = expected_store(default_world().accounts[0])
        assert expected.rows == {
            "5511999999999@s.whatsapp.net": ("Maria", "Maria Silva", "Maria", "Silva Comercio"),
            "5511888888888@s.whatsapp.net": ("", "Joao Pereira", "Joao", ""),
        }
        assert expected.pairs == {
            ("112233445566778", "5511888888888"),
            ("900000000000001", "5511900000000"),
        }

    def test_round_trip(self, tmp_path: Path) -> None:
        """The default world is itself a valid document."""
        world = default_world()
        assert world == read(tmp_path, world.model_dump(mode="json"))

    def test_more_people(self) -> None:
        """The same seed adds the same people, all different from each other."""
        one, other = (default_world().accounts[0] for _ in range(2))
        add_people(one, 500)
        add_people(other, 500)
        assert one == other
        assert len({person.pn for person in one.people}) == 502


class TestReadWorld:
    """Documents are read strictly."""

    @pytest.mark.parametrize(
        ("change", "fault"),
        [
            (lambda w: w.update(colour=1), "colour: unknown key"),
            (lambda w: account(w).update(colour=1), "accounts.0.colour: unknown key"),
            (
                lambda w: account(w)["people"][0]["picture"].update(colour=1),
                "accounts.0.people.0.picture.colour: unknown key",
            ),
            (
                lambda w: account(w)["people"][0]["pn_row"].update(nick="x"),
                "accounts.0.people.0.pn_row.nick: unknown key",
            ),
            (
                lambda w: account(w)["groups"][0]["participants"][0].update(role="x"),
                "accounts.0.groups.0.participants.0.role: unknown key",
            ),
            (
                lambda w: account(w)["people"][0].update(picture="blue"),
                "accounts.0.people.0.picture: Input should be 'none', 'hidden'",
            ),
            (lambda w: account(w)["people"][0].update(pn="12"), "accounts.0.people.0.pn: "),
            (
                lambda w: account(w)["people"][0].update(pn=None, lid="100000000000001"),
                "accounts.0.people.0: pn_row holds names, but pn is missing",
            ),
            (
                lambda w: account(w)["people"][0]["pn_row"].update(push_name="-"),
                "accounts.0.people.0.pn_row: the engine does not store the push name -",
            ),
            (
                lambda w: account(w)["people"].append({}),
                "accounts.0.people.2: a person needs pn or lid",
            ),
            (
                lambda w: account(w)["people"].append({"pn": "5511888888888"}),
                "accounts.0: pn 5511888888888 occurs twice",
            ),
            (
                lambda w: account(w)["groups"][0]["participants"].append(
                    {"pn": "55119", "redacted": "+55"}
                ),
                "accounts.0.groups.0.participants.2: a redacted participant has a lid and no pn",
            ),
            (lambda w: w["accounts"].append(account(w)), "document: account pn 5511900000000"),
            (lambda w: w.pop("accounts"), "accounts: Field required"),
        ],
    )
    def test_refusals(
        self, tmp_path: Path, change: Callable[[dict[str, Any]], object], fault: str
    ) -> None:
        """A fault is named by its place, in one line."""
        document = copy.deepcopy(default_world().model_dump(mode="json"))
        change(document)
        with pytest.raises(WorldError) as caught:
            read(tmp_path, document)
        assert str(caught.value).startswith(f"{tmp_path / 'world.json'}: {fault}")
        assert "\n" not in str(caught.value)

    def test_no_json(self, tmp_path: Path) -> None:
        """A file that is no JSON is refused."""
        (tmp_path / "world.json").write_text("{")
        with pytest.raises(WorldError, match="Invalid JSON"):
            read_world(tmp_path / "world.json")

    def test_no_file(self, tmp_path: Path) -> None:
        """A missing file is refused by its name."""
        with pytest.raises(WorldError, match=r"none\.json: No such file"):
            read_world(tmp_path / "none.json")

    def test_own_lid(self, tmp_path: Path) -> None:
        """An account without a LID gets one from its PN."""
        document = {"accounts": [{"tenant": "t", "user": "u", "pn": "5511900000000"}]}
        assert read(tmp_path, document).accounts[0].lid == "905511900000000"

    def test_unregistered_defaults(self, tmp_path: Path) -> None:
        """Absent fields of a person mean: mapped, registered, answered, no names, no picture."""
        document = {"accounts": [{"tenant": "t", "user": "u", "pn": "55119", "people": [{}]}]}
        account(document)["people"] = [{"lid": "100000000000001"}]
        person = read(tmp_path, document).accounts[0].people[0]
        told = (person.mapped, person.registered, person.answered, person.picture)
        assert told == (True, True, True, "none")


class TestCheckStore:
    """The check never mistakes an unfinished store for a complete one."""

    def test_missing_file(self, tmp_path: Path) -> None:
        """A store that is not there is not linked, and everything is missing."""
        own = default_world().accounts[0]
        report = check_store(tmp_path / "store.db", own, expected_store(own))
        assert report == StoreReport(linked=False, missing_rows=2, wrong_rows=0, missing_pairs=2)
        assert not report.complete

    def test_empty_file(self, tmp_path: Path) -> None:
        """A store without tables is not linked."""
        own = default_world().accounts[0]
        (tmp_path / "store.db").touch()
        assert not check_store(tmp_path / "store.db", own, expected_store(own)).linked
