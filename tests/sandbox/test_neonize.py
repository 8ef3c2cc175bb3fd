"""Tests of the emulator with the real, unmodified neonize in a process of its own."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.mixed_world import GROUP, MIXED, OWN_LID, OWN_PN, PICTURE
from sandbox.running import (
    EmulatorProcess,
    NeonizeProcess,
    eventually,
    running_client,
    running_emulator,
    write_world,
)
from wuts_sandbox.store_check import check_store, expected_store
from wuts_sandbox.world.document import World
from wuts_sandbox.world.examples import add_people, default_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wuts_sandbox.world.document import Account

A, B, D = (f"55110000000{n}@s.whatsapp.net" for n in ("01", "02", "05"))
C_LID = "100000000000003@lid"


def link(emulator: EmulatorProcess, neonize: NeonizeProcess) -> str:
    """Links a client by its QR code; returns the device's address."""
    jid: str = emulator.ask("scan", text=neonize.ask("qr")["ok"])["jid"]
    assert neonize.ask("connected") == {"ok": True}
    return jid


def is_synced(store: Path, account: Account) -> bool:
    """Tells whether the whole world reaches the store."""
    expected = expected_store(account)
    return eventually(lambda: check_store(store, account, expected).complete)


def select(store: Path, statement: str) -> list[Any]:
    """Reads the store."""
    with closing(sqlite3.connect(store)) as database:
        return database.execute(statement).fetchall()


def stored_names(store: Path) -> dict[str, tuple[str, ...]]:
    """Reads all contact rows."""
    rows = select(
        store,
        "SELECT their_jid, first_name, full_name, push_name, business_name FROM whatsmeow_contacts",
    )
    return {jid: tuple(name or "" for name in names) for jid, *names in rows}


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """Runs an emulator with the mixed world."""
    directory = tmp_path_factory.mktemp("emulator")
    file = write_world(directory / "world.json", MIXED)
    with running_emulator(directory / "e", "--world", str(file)) as running:
        yield running


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Names the linked client's store."""
    return tmp_path_factory.mktemp("store") / "store.db"


@pytest.fixture(scope="module")
def linked(emulator: EmulatorProcess, store: Path) -> Iterator[NeonizeProcess]:
    """Runs a client that is linked and has the world in its store."""
    with running_client(emulator, store) as neonize:
        assert link(emulator, neonize) == f"{OWN_PN}:7@s.whatsapp.net"
        assert is_synced(store, World.model_validate(MIXED).accounts[0])
        yield neonize


class TestLinking:
    """The world reaches a device that is linked by QR."""

    @pytest.mark.usefixtures("linked")
    def test_rows_are_exactly_those_expected(self, store: Path) -> None:
        """Each spelling has exactly its own names in the store."""
        expected = expected_store(World.model_validate(MIXED).accounts[0])
        assert expected.rows == stored_names(store)

    def test_only_mapped_pairs_come_by_themselves(self, tmp_path: Path) -> None:
        """A pair that is not mapped stays out of the store of a freshly linked device."""
        file = write_world(tmp_path / "world.json", MIXED)
        account = World.model_validate(MIXED).accounts[0]
        path = tmp_path / "store.db"
        with (
            running_emulator(tmp_path / "e", "--world", str(file)) as fresh,
            running_client(fresh, path) as neonize,
        ):
            link(fresh, neonize)
            assert is_synced(path, account)
        pairs = set(select(path, "SELECT lid, pn FROM whatsmeow_lid_map"))
        assert expected_store(account).pairs == pairs

    def test_the_device_knows_its_own_name(self, linked: NeonizeProcess) -> None:
        """The account's push name reaches the device."""
        assert eventually(lambda: linked.ask("me")["ok"][1] == "Ana")

    def test_the_default_world_is_complete_with_many_people(self, tmp_path: Path) -> None:
        """The documented example and 2,500 seeded people reach the store."""
        account = default_world().accounts[0]
        add_people(account, 2500)
        path = tmp_path / "store.db"
        with (
            running_emulator(tmp_path / "e", "--contacts", "2500") as crowded,
            running_client(crowded, path) as neonize,
        ):
            link(crowded, neonize)
            assert is_synced(path, account)
        assert expected_store(account).rows == stored_names(path)


class TestPictures:
    """Profile pictures answer as the world says."""

    def test_full(self, linked: NeonizeProcess) -> None:
        """The full picture has the world's URL."""
        expected = {
            "url": "https://pps.whatsapp.net/v/full.jpg",
            "id": "42",
            "type": "image",
            "direct_path": "/v/full.jpg",
        }
        assert linked.ask("picture", jid=A) == {"ok": expected}

    def test_preview(self, linked: NeonizeProcess) -> None:
        """The preview is another file."""
        picture = linked.ask("picture", jid=A, preview=True)["ok"]
        assert (picture["type"], picture["direct_path"]) == ("preview", "/v/small.jpg")

    def test_unchanged(self, linked: NeonizeProcess) -> None:
        """A known id gives an empty answer."""
        assert linked.ask("picture", jid=A, existing="42")["ok"]["id"] == ""

    def test_by_lid(self, linked: NeonizeProcess) -> None:
        """A LID finds the same picture as the PN."""
        assert linked.ask("picture", jid="100000000000001@lid")["ok"]["id"] == "42"

    def test_of_a_group(self, linked: NeonizeProcess) -> None:
        """A group has its own picture."""
        assert linked.ask("picture", jid=GROUP)["ok"]["id"] == "42"

    @pytest.mark.parametrize(
        ("jid", "text"),
        [
            (B, "the user has hidden their profile picture from you"),
            (C_LID, "info query returned status 429: rate-overlimit"),
            (D, "that user or group does not have a profile picture"),
            ("999999@s.whatsapp.net", "that user or group does not have a profile picture"),
        ],
    )
    def test_refusals(self, linked: NeonizeProcess, jid: str, text: str) -> None:
        """Hidden, rate limited, none and strangers stay apart."""
        assert linked.ask("picture", jid=jid) == {"error": "GetProfilePictureError", "text": text}

    def test_change_at_run_time(self, emulator: EmulatorProcess, linked: NeonizeProcess) -> None:
        """A picture set over the control socket is seen by the next question."""
        address = "551100000004@s.whatsapp.net"
        emulator.ask("set-picture", account=OWN_PN, jid=address, picture="hidden")
        assert "hidden" in linked.ask("picture", jid=address)["text"]


class TestGroups:
    """Group metadata answer as the world says."""

    def test_roster(self, linked: NeonizeProcess) -> None:
        """A LID-addressed roster shows known phones, hides others and holds the account itself."""
        expected = [
            ["100000000000002@lid", "100000000000002@lid", B, ""],
            ["100000000000007@lid", "100000000000007@lid", "", "+55 11 ****-**07"],
            [f"{OWN_LID}@lid", f"{OWN_LID}@lid", f"{OWN_PN}@s.whatsapp.net", ""],
        ]
        assert linked.ask("group", jid=GROUP) == {"ok": expected}

    @pytest.mark.parametrize(
        ("number", "text"),
        [
            (2, "that group does not exist"),
            (3, "info query returned status 429: rate-overlimit"),
            (4, "you're not participating in that group"),
            (9, "that group does not exist"),
        ],
    )
    def test_refusals(self, linked: NeonizeProcess, number: int, text: str) -> None:
        """Missing, rate limited and foreign groups stay apart."""
        answer = linked.ask("group", jid=f"12036300000000000{number}@g.us")
        assert answer == {"error": "GetGroupInfoError", "text": text}


class TestPeople:
    """Number checks and questions about people answer as the world says."""

    def test_number_check(self, linked: NeonizeProcess) -> None:
        """Other spellings find a person; unregistered ones, strangers and silence differ."""
        numbers = [
            *("5511000000001", "5511900000004", "5511000000005"),
            *("5511000000008", "5511000000099"),
        ]
        expected = {
            "5511000000001": ["100000000000001@lid", True],
            "5511900000004": ["551100000004@s.whatsapp.net", True],
            "5511000000005": ["5511000000005@s.whatsapp.net", False],
            "5511000000099": ["5511000000099@s.whatsapp.net", False],
        }
        assert linked.ask("numbers", numbers=numbers) == {"ok": expected}

    def test_number_check_teaches(self, linked: NeonizeProcess) -> None:
        """After a number check the LID leads to the number as WhatsApp spells it."""
        before = linked.ask("pn", lid="100000000000009@lid")
        answer = linked.ask("numbers", numbers=["5511900000009"])
        after = linked.ask("pn", lid="100000000000009@lid")
        assert answer == {"ok": {"5511900000009": ["100000000000009@lid", True]}}
        assert (before, after) == ({"ok": ""}, {"ok": "551100000009@s.whatsapp.net"})

    def test_nobody_in_the_answer(self, linked: NeonizeProcess) -> None:
        """An answer without any line is an error of its own."""
        answer = linked.ask("numbers", numbers=["5511000000008"])
        assert answer == {"error": "IsOnWhatsAppError", "text": "Function returned nothing."}

    def test_refused_number_check(self, emulator: EmulatorProcess, linked: NeonizeProcess) -> None:
        """A refusal fails the whole query."""
        emulator.ask("refuse", kind="usync_contact", times=1)
        text = linked.ask("numbers", numbers=["5511000000001", "5511000000002"])["text"]
        assert text == (
            "failed to send usync query: info query returned status 429: rate-overlimit"
        )

    def test_info(self, linked: NeonizeProcess) -> None:
        """Known people have a status and a picture id, strangers have neither."""
        answer = linked.ask("info", jids=[A, "999999@s.whatsapp.net"])["ok"]
        assert (answer[A][1], answer["999999@s.whatsapp.net"]) == ("42", ["", ""])


class TestNotices:
    """A linked device hears of what changes."""

    @pytest.mark.parametrize("jid", ["5511000000005@s.whatsapp.net", "100000000000006@lid", GROUP])
    def test_picture(self, emulator: EmulatorProcess, linked: NeonizeProcess, jid: str) -> None:
        """A picture that is set or removed is told, under the JID it was set by."""
        for picture in ({**PICTURE, "id": "43"}, "none"):
            emulator.ask("set-picture", account=OWN_PN, jid=jid, picture=picture)
        told = [linked.ask("change")["ok"] for _ in range(2)]
        assert told == [["picture", jid, False], ["picture", jid, True]]

    def test_what_is_not_told(self, emulator: EmulatorProcess, linked: NeonizeProcess) -> None:
        """A hidden picture, a new address of the same one, and quiet changes are not told."""
        moved = {"url": "https://pps.whatsapp.net/v/moved.jpg", "direct_path": "/v/moved.jpg"}
        silent: list[tuple[object, bool]] = [
            ("hidden", False),
            ({**PICTURE, "id": "44"}, True),
            ({**PICTURE, "id": "44", "full": moved}, False),
        ]
        for picture, quiet in silent:
            told = {"jid": D, "picture": picture, "quiet": quiet}
            emulator.ask("set-picture", account=OWN_PN, **told)
        emulator.ask("set-group", account=OWN_PN, jid=GROUP, fields={"subject": "Q"}, quiet=True)
        emulator.ask("set-group", account=OWN_PN, jid=GROUP, fields={"answer": "ok"})
        emulator.ask("set-picture", account=OWN_PN, jid=D, picture="none")
        assert linked.ask("change")["ok"] == ["picture", D, True]

    def test_group(self, emulator: EmulatorProcess, linked: NeonizeProcess) -> None:
        """Those who come and go, and a new subject, are told one by one."""
        jid = "120363000000000005@g.us"
        first, second = {"pn": "5511000000001"}, {"lid": "100000000000003"}
        changes: list[dict[str, Any]] = [
            {"participants": [first], "subject": "One"},
            {"participants": [second], "subject": "Two"},
            {"member": False},
            {"participants": []},
        ]
        for fields in changes:
            emulator.ask("set-group", account=OWN_PN, jid=jid, fields=fields)
        told = [linked.ask("change")["ok"] for _ in range(5)]
        assert told == [
            ["joined", jid],
            ["group", jid, ["100000000000003@lid"], [], ""],
            ["group", jid, [], ["5511000000001@s.whatsapp.net"], ""],
            ["group", jid, [], [], "Two"],
            ["group", jid, [], [f"{OWN_LID}@lid"], ""],
        ]


class TestRunning:
    """The emulator goes on through reconnects, changes and faults."""

    def test_kill(self, emulator: EmulatorProcess, linked: NeonizeProcess) -> None:
        """A client whose connection breaks comes back by itself."""
        assert emulator.ask("kill", account=OWN_PN) == {"connections": 1}
        assert linked.ask("connected") == {"ok": True}
        assert linked.ask("picture", jid=A)["ok"]["id"] == "42"

    def test_refuse(self, emulator: EmulatorProcess, linked: NeonizeProcess) -> None:
        """A refused kind of question fails as often as told."""
        emulator.ask("refuse", kind="picture", times=1, code=503, text="service-unavailable")
        assert "503: service-unavailable" in linked.ask("picture", jid=A)["text"]
        assert linked.ask("picture", jid=A)["ok"]["id"] == "42"

    def test_count(self, emulator: EmulatorProcess, linked: NeonizeProcess) -> None:
        """Each question counts once under its kind."""
        emulator.ask("count", reset=True)
        linked.ask("picture", jid=A)
        linked.ask("numbers", numbers=["5511000000001"])
        linked.ask("numbers", numbers=["5511000000001", "5511000000008", "1"])
        counts = emulator.counts()
        assert (counts["picture"], counts["usync_contact"], counts["numbers_checked"]) == (1, 2, 4)

    def test_new_name(self, emulator: EmulatorProcess, linked: NeonizeProcess, store: Path) -> None:
        """A name changed over the control socket reaches the store."""
        assert linked.process.poll() is None
        row = {"first_name": "Z", "full_name": "Z Renamed"}
        emulator.ask("set-person", account=OWN_PN, fields={"pn": "5511000000006", "pn_row": row})
        assert eventually(
            lambda: stored_names(store)["5511000000006@s.whatsapp.net"][1] == "Z Renamed"
        )

    def test_message(self, emulator: EmulatorProcess, linked: NeonizeProcess, store: Path) -> None:
        """An inbound message is readable and brings its sender's push name."""
        sender = "5511000000077@s.whatsapp.net"
        emulator.ask("message", account=OWN_PN, sender=sender, push_name="Newcomer")
        kinds = {linked.ask("event")["ok"] for _ in range(2)}
        assert "Message" in kinds
        assert eventually(lambda: stored_names(store).get(sender, ("",) * 4)[2] == "Newcomer")

    def test_crash(self, emulator: EmulatorProcess, store: Path, linked: NeonizeProcess) -> None:
        """An empty frame aborts the client's process, and its next one logs in again."""
        emulator.ask("crash", account=OWN_PN)
        assert linked.process.wait(10) == -6
        with running_client(emulator, store) as second:
            assert second.ask("connected") == {"ok": True}
            assert second.ask("picture", jid=A)["ok"]["id"] == "42"
            assert second.stop() == 0

    def test_unlinked_device(self, emulator: EmulatorProcess, store: Path) -> None:
        """A device that the emulator does not know is logged out."""
        emulator.ask("unlink", account=OWN_PN)
        with running_client(emulator, store) as stranger:
            assert stranger.ask("event") == {"ok": "LoggedOut"}

    def test_second_account(self, emulator: EmulatorProcess, tmp_path: Path) -> None:
        """Another account of the same emulator has its own people only."""
        path = tmp_path / "store.db"
        with running_client(emulator, path) as other:
            text = other.ask("qr")["ok"]
            emulator.ask("scan", text=text, account="5511900000002")
            assert other.ask("connected") == {"ok": True}
            assert is_synced(path, World.model_validate(MIXED).accounts[1])
            assert "does not exist" in other.ask("group", jid=GROUP)["text"]
        assert stored_names(path) == {}
