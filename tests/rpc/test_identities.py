"""What resolving and pictures tell beyond the documented fields, through a real channel."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict

from failing import failure_of
from fakes import GROUP, HIDDEN_LID, JOAO, JOAO_LID, MARIA, PICTURE, Example
from wuts.contacts.v1 import contacts_service_pb2 as pb
from wuts.domain.enquiry import NumberCheck

Stub = Any  # the plugin's fixture is untyped
Auth = tuple[tuple[str, str], ...]
LONG, SHORT = "5511987654321", "551187654321"
MARIA_JID, LONG_JID = f"{MARIA}@s.whatsapp.net", f"{LONG}@s.whatsapp.net"
ENDS = "2038-01-19T03:14:07Z"
ENDING = replace(PICTURE, url=f"{PICTURE.url}?ccb=11-4&oe=7FFFFFFF")


def as_json(message: Any) -> Any:
    """Prints a message as the gateway does."""
    return MessageToDict(message, preserving_proto_field_name=True)


def resolve(stub: Stub, auth: Auth, *inputs: str, **more: Any) -> dict[str, Any]:
    """Resolves; gives the answer as the gateway prints it."""
    request = pb.ResolveIdentifiersRequest(jids=inputs, **more)
    answer: dict[str, Any] = as_json(stub.ResolveIdentifiers(request, metadata=auth))
    return answer


def details(stub: Stub, auth: Auth, text: str, **more: Any) -> dict[str, Any]:
    """Tells what view FULL adds to the item of one input, but for the time."""
    basic = resolve(stub, auth, text, **more)["items"][0]
    full = resolve(stub, auth, text, view="FULL", **more)["items"][0]
    assert full.items() >= basic.items()
    return {k: v for k, v in full.items() if k not in basic and k != "observed_at"}


class TestFull:
    """ResolveIdentifiers under view FULL."""

    @pytest.mark.parametrize(
        ("text", "group", "expected"),
        [
            (MARIA, "", {"first_name": "Maria", "business_name": "Silva Comercio",
                         "source": "STORE", "canonical": MARIA, "proof": "CONTACT_ROW",
                         "variants_tried": [MARIA, "551199999999"]}),
            (JOAO, "", {"source": "LID_MAP", "canonical": JOAO, "proof": "CONTACT_ROW",
                        "variants_tried": [JOAO]}),
            (JOAO, GROUP, {"source": "GROUP", "canonical": JOAO, "proof": "CONTACT_ROW",
                           "variants_tried": [JOAO]}),
            (f"{JOAO_LID}@lid", "", {"source": "LID_MAP"}),
            (f"{HIDDEN_LID}@lid", GROUP, {"source": "GROUP"}),
            (f"{HIDDEN_LID}@lid", "", {}),
            ("12025550123", "", {"variants_tried": ["12025550123"]}),
            (LONG, "", {"variants_tried": [LONG, SHORT]}),
            ("nonsense", "", {}),
            ("@joao", "", {}),
        ],
    )  # fmt: skip
    def test_adds(
        self, grpc_stub: Stub, auth: Auth, text: str, group: str, expected: dict[str, Any]
    ) -> None:
        """Two names, the source and the proof of a number's spelling are added, where known."""
        assert expected == details(grpc_stub, auth, text, group_jid=group)

    def test_time_of_the_store(self, grpc_stub: Stub, auth: Auth) -> None:
        """What the store says is as old as the reading of it."""
        request = pb.ResolveIdentifiersRequest(jids=[MARIA], view="FULL")
        (item,) = grpc_stub.ResolveIdentifiers(request, metadata=auth).items
        assert abs(time.time() - item.observed_at.seconds) < 60


class TestLookup:
    """ResolveIdentifiers, as far as WhatsApp may be asked."""

    def test_default(self, grpc_stub: Stub, auth: Auth, example: Example) -> None:
        """Without the word nobody is asked."""
        asked = len(example.sessions.asked_numbers)
        for lookup in ("", "LOCAL_ONLY"):
            resolve(grpc_stub, auth, LONG, lookup=lookup)
        assert asked == len(example.sessions.asked_numbers)

    def test_spelling_by_the_server(
        self, grpc_stub: Stub, auth: Auth, example: Example, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The input keeps its own spelling; everything else follows WhatsApp's."""
        found = NumberCheck(SHORT, True, LONG, "30001")
        monkeypatch.setitem(example.sessions.registered, SHORT, found)
        items = resolve(grpc_stub, auth, f"+{SHORT}", lookup="ALLOW_NETWORK", view="FULL")["items"]
        (item,) = items
        assert item.pop("observed_at")
        expected = {
            "input": f"+{SHORT}",
            "input_jid": f"{SHORT}@s.whatsapp.net",
            "resolved_jid": LONG_JID,
            "jid": LONG_JID,
            "phone_number": LONG,
            "lid_jid": "30001@lid",
            "source": "SERVER",
            "canonical": LONG,
            "variants_tried": [SHORT, LONG],
            "proof": "SERVER",
        }
        assert expected == item

    def test_nobody(self, grpc_stub: Stub, auth: Auth) -> None:
        """Whom WhatsApp does not know is told so, and from memory the next time."""
        for source in ("SERVER", "CACHE"):
            more = {"lookup": "ALLOW_NETWORK", "view": "FULL"}
            (item,) = resolve(grpc_stub, auth, "12025550123", **more)["items"]
            told = (item["status"], item["source"], item["jid"], "canonical" in item)
            expected = ("NOT_ON_WHATSAPP", source, "12025550123@s.whatsapp.net", False)
            assert expected == told

    def test_dry_run(self, grpc_stub: Stub, auth: Auth, example: Example) -> None:
        """A dry run tells how many would be asked, and asks nobody."""
        before = len(example.sessions.asked) + len(example.sessions.asked_numbers)
        more = {"lookup": "ALLOW_NETWORK", "dry_run": True, "group_jid": GROUP}
        answer = resolve(grpc_stub, auth, MARIA, LONG, "12025550123", **more)
        assert {"numbers": 2, "variants": 1, "groups": 1} == answer["dry_run"]
        assert before == len(example.sessions.asked) + len(example.sessions.asked_numbers)

    def test_no_dry_run(self, grpc_stub: Stub, auth: Auth) -> None:
        """A call in earnest has no such counts."""
        assert "dry_run" not in resolve(grpc_stub, auth, MARIA, dry_run=False)

    @pytest.mark.parametrize("word", ["local_only", "ALWAYS"])
    def test_refuses_other_words(self, grpc_stub: Stub, auth: Auth, word: str) -> None:
        """A word outside the closed list is refused by name."""
        failure = failure_of(lambda: resolve(grpc_stub, auth, MARIA, lookup=word))
        assert ("VALIDATION_ERROR", ["lookup"]) == (failure.reason, failure.fields)

    @pytest.mark.parametrize("text", ["@joao", "BR.1502576394655843"])
    def test_unsupported(self, grpc_stub: Stub, auth: Auth, text: str) -> None:
        """Usernames and business-scoped user ids are told to be unsupported, with a detail."""
        (item,) = resolve(grpc_stub, auth, text)["items"]
        assert {"input": text, "status": "UNSUPPORTED"}.items() <= item.items()
        assert {"input", "status", "detail"} == set(item)


class TestPicture:
    """GetProfilePicture under view FULL, and asked anew."""

    def ask(self, stub: Stub, auth: Auth, **question: Any) -> dict[str, Any]:
        """Asks for a picture; gives `data` as the gateway prints it, but for the time."""
        request = pb.GetProfilePictureRequest(**question)
        data: dict[str, Any] = as_json(stub.GetProfilePicture(request, metadata=auth))["data"]
        data.pop("observed_at", None)
        return data

    @pytest.fixture(autouse=True)
    def _ending(self, example: Example, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(example.sessions.pictures, MARIA_JID, ENDING)

    def test_available(self, grpc_stub: Stub, auth: Auth) -> None:
        """Status, source and the end of the address are added."""
        basic = self.ask(grpc_stub, auth, number=MARIA, view="BASIC", refresh=True)
        full = self.ask(grpc_stub, auth, number=MARIA, view="FULL", refresh=True)
        more = {"status": "AVAILABLE", "source": "SERVER", "expires_at": ENDS}
        assert basic | more == full

    def test_unchanged(self, grpc_stub: Stub, auth: Auth) -> None:
        """An unchanged picture has no address that could end."""
        question = {"number": MARIA, "existing_id": ENDING.id}
        basic = self.ask(grpc_stub, auth, **question)
        full = self.ask(grpc_stub, auth, **question, refresh=True, view="FULL")
        assert basic | {"status": "UNCHANGED", "source": "SERVER"} == full

    def test_memory(self, grpc_stub: Stub, auth: Auth, example: Example) -> None:
        """A second question is answered from memory unless it insists."""
        before = len(example.sessions.asked)
        sources = [
            self.ask(grpc_stub, auth, jid=MARIA_JID, view="FULL", refresh=again)["source"]
            for again in (False, False, True)
        ]
        expected = (["SERVER", "CACHE", "SERVER"], before + 2)
        assert expected == (sources, len(example.sessions.asked))

    def test_spelling(
        self, grpc_stub: Stub, auth: Auth, example: Example, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By number the proven spelling is asked for and told."""
        monkeypatch.setitem(example.sessions.pictures, LONG_JID, PICTURE)
        monkeypatch.setitem(example.sessions.registered, SHORT, NumberCheck(SHORT, True, LONG))
        resolve(grpc_stub, auth, SHORT, lookup="ALLOW_NETWORK")
        assert LONG_JID == self.ask(grpc_stub, auth, number=SHORT)["jid"]

    @pytest.mark.parametrize("text", ["@joao", "BR.1502576394655843"])
    def test_unsupported(self, grpc_stub: Stub, auth: Auth, text: str) -> None:
        """Usernames and business-scoped user ids are refused as such."""
        failure = failure_of(lambda: self.ask(grpc_stub, auth, jid=text))
        assert ("VALIDATION_ERROR", ["jid"]) == (failure.reason, failure.fields)

    def test_refuses_another_view(self, grpc_stub: Stub, auth: Auth) -> None:
        """A word outside the closed list is refused by name."""
        failure = failure_of(lambda: self.ask(grpc_stub, auth, jid=MARIA_JID, view="full"))
        assert ("VALIDATION_ERROR", ["view"]) == (failure.reason, failure.fields)
