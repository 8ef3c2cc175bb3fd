"""The rest of the contacts section through `make run`, over HTTP and natively."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf.json_format import MessageToDict

from sandboxes import Sandbox, running, write_world
from wuts.contacts.v1 import contacts_service_pb2 as pb
from wuts.contacts.v1.blocklist_pb2 import BlockTarget
from wuts_sandbox.emulator.blocklist import mark
from wuts_sandbox.world.examples import EXAMPLE_GROUP, JOAO, MARIA

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MARIA_JID, JOAO_JID = "5511999999999@s.whatsapp.net", "5511888888888@s.whatsapp.net"
JOAO_LID = "112233445566778@lid"
GIVEN_LID = "805511999999999@lid"
"""What the sandbox gives to Maria, who has no LID in its world."""
STRANGER_LID = "299999999999999@lid"
PICTURE: Mapping[str, Any] = MARIA["picture"] | {"id": "1718000000"}  # type: ignore[operator]  # a JSON literal

WORLD = {
    "accounts": [
        {
            "tenant": "demo",
            "user": "demo",
            "pn": "5511900000000",
            "lid": "900000000000001",
            "people": [
                {**MARIA, "picture": PICTURE},
                JOAO,
                {"pn": "5511777777777", "verified_name": "Padaria", "about": ""},
            ],
            "groups": [EXAMPLE_GROUP],
        }
    ]
}

PROFILE = {
    "success": True,
    "data": {
        "jid": MARIA_JID,
        "user_info": {
            "Status": "Hey there! I am using WhatsApp.",
            "PictureID": "1718000000",
            "Devices": [MARIA_JID],
            "VerifiedName": None,
        },
        "business_profile": None,
    },
}
"""The documented example, exact."""

UNBLOCKED = {
    "success": True,
    "data": {
        "jid": MARIA_JID,
        "phone_number": "5511999999999",
        "action": "unblock",
        "blocked": False,
        "count": 2,
        "dhash": mark([JOAO_LID, STRANGER_LID]),
    },
}
"""The documented example, but for WhatsApp's own mark."""


@pytest.fixture(scope="module")
def section(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The documented world, with the picture of the documented profile."""
    directory = tmp_path_factory.mktemp("section")
    with running(directory, WORLD=write_world(directory, WORLD)) as sandbox:
        yield sandbox


@pytest.fixture(autouse=True)
def _nobody_blocked(section: Sandbox) -> None:
    """Has each test begin with an empty list."""
    section.control("set-blocklist", jids=[])


def as_json(message: Any) -> Any:
    """Prints a message as the gateway does."""
    return MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )


def counted(sandbox: Sandbox, kind: str) -> int:
    """Counts the questions of a kind that reached WhatsApp's side."""
    return int(sandbox.control("count")["counts"].get(kind, 0))


class TestProfile:
    """GET /contacts/profile."""

    def test_documented(self, section: Sandbox) -> None:
        """The documented example, whole, through both doors."""
        assert PROFILE == section.get(f"/contacts/profile?jid={MARIA_JID}").json()
        assert PROFILE == section.get("/contacts/profile?number=%2B55 11 99999-9999").json()
        request = pb.GetContactProfileRequest(jid=MARIA_JID)
        assert PROFILE == as_json(section.rpc("GetContactProfile", request))

    def test_not_on_whatsapp(self, section: Sandbox) -> None:
        """Who is not there is a 404 with a code of its own, natively the same reason."""
        answer = section.get("/contacts/profile?number=5511666666666")
        assert (404, "NOT_ON_WHATSAPP") == (answer.status_code, answer.json()["error_code"])
        request = pb.GetContactProfileRequest(number="5511666666666")
        assert "NOT_ON_WHATSAPP" == section.reason("GetContactProfile", request)

    def test_business(self, section: Sandbox) -> None:
        """A verified name is null here, and becomes the business name of the person."""
        info = section.get("/contacts/profile?number=5511777777777").json()["data"]["user_info"]
        assert ("", "", None) == (info["Status"], info["PictureID"], info["VerifiedName"])
        body = {"jids": ["5511777777777"], "view": "FULL"}
        item = section.call("POST", "/contacts/resolve", json=body).json()["items"][0]
        assert "Padaria" == item["business_name"]

    def test_costs_budget(self, section: Sandbox) -> None:
        """Each question reaches WhatsApp and costs one of its class."""

        def left() -> int:
            items = section.get("/budget").json()["data"]["items"]
            return int(next(i["remaining"] for i in items if i["query_class"] == "USER_INFO"))

        asked, before = counted(section, "usync_info"), left()
        section.get(f"/contacts/profile?jid={JOAO_LID}")
        assert (asked + 1, before - 1) == (counted(section, "usync_info"), left())


class TestBlocklist:
    """GET /contacts/blocklist and the two changes."""

    def test_documented_list(self, section: Sandbox) -> None:
        """Entries are told by phone number; who is not known stays a LID."""
        section.control("set-blocklist", jids=[JOAO_LID])
        data = {
            "items": [{"jid": JOAO_JID, "phone_number": "5511888888888"}],
            "count": 1,
            "dhash": mark([JOAO_LID]),
        }
        expected = {"success": True, "data": data}
        assert expected == section.get("/contacts/blocklist").json()
        assert expected == as_json(section.rpc("GetBlocklist", pb.GetBlocklistRequest()))
        section.control("set-blocklist", jids=[STRANGER_LID])
        items = section.get("/contacts/blocklist").json()["data"]["items"]
        assert [{"jid": STRANGER_LID}] == items

    def test_documented_unblock(self, section: Sandbox) -> None:
        """The documented example: by number, with two others left on the list."""
        blocked = [JOAO_LID, GIVEN_LID, STRANGER_LID]
        section.control("set-blocklist", jids=blocked)
        answer = section.call("POST", "/contacts/unblock", json={"number": "5511999999999"})
        assert UNBLOCKED == answer.json()
        section.control("set-blocklist", jids=blocked)
        request = pb.UnblockContactRequest(target=BlockTarget(number="5511999999999"))
        assert UNBLOCKED == as_json(section.rpc("UnblockContact", request))

    def test_documented_block(self, section: Sandbox) -> None:
        """The documented example: by JID, with one other on the list; twice is once."""
        section.control("set-blocklist", jids=[JOAO_LID])
        data: dict[str, object] = {
            **UNBLOCKED["data"],  # type: ignore[dict-item]  # a JSON literal
            "action": "block",
            "blocked": True,
            "dhash": mark([JOAO_LID, GIVEN_LID]),
        }
        for _ in range(2):
            answer = section.call("POST", "/contacts/block", json={"jid": MARIA_JID})
            assert {"success": True, "data": data} == answer.json()
        listed = section.get("/contacts/blocklist").json()["data"]
        assert [JOAO_JID, MARIA_JID] == [item["jid"] for item in listed["items"]]

    def test_body_wins(self, section: Sandbox) -> None:
        """The query names somebody only for a body that does not."""
        path = f"/contacts/block?jid={JOAO_JID}"
        assert (
            MARIA_JID == section.call("POST", path, json={"jid": MARIA_JID}).json()["data"]["jid"]
        )
        assert JOAO_JID == section.call("POST", path).json()["data"]["jid"]

    def test_not_on_whatsapp(self, section: Sandbox) -> None:
        """A number that nobody has cannot be blocked."""
        answer = section.call("POST", "/contacts/block", json={"number": "5511666666666"})
        assert (404, "NOT_ON_WHATSAPP") == (answer.status_code, answer.json()["error_code"])

    def test_refused(self, section: Sandbox) -> None:
        """What WhatsApp refuses changes nothing."""
        section.control("refuse", kind="blocklist", times=1)
        answer = section.call("POST", "/contacts/block", json={"jid": JOAO_JID})
        assert (429, "RATE_LIMITED") == (answer.status_code, answer.json()["error_code"])
        assert 0 == section.get("/contacts/blocklist").json()["data"]["count"]


class TestCheck:
    """POST /contact/check."""

    def test_documented(self, section: Sandbox) -> None:
        """The keys are the cleaned numbers; a second call asks nothing."""
        expected = {"success": True, "data": {"5511888888888": True, "5511666666666": False}}
        numbers = ["+55 11 88888-8888", "5511666666666", "5511888888888"]
        answer = section.call("POST", "/contact/check", json={"numbers": numbers})
        asked = counted(section, "numbers_checked")
        request = pb.CheckContactsRequest(numbers=numbers)
        assert expected == answer.json() == as_json(section.rpc("CheckContacts", request))
        assert asked == counted(section, "numbers_checked")

    def test_malformed(self, section: Sandbox) -> None:
        """A malformed number is a 400 that names its place and tells it."""
        body = {"numbers": ["5511999999999", "12"]}
        answer = section.call("POST", "/contact/check", json=body)
        fault = answer.json()["validation"][0]
        assert (400, "numbers[1]", "12") == (answer.status_code, fault["field"], fault["value"])


class TestSync:
    """POST /appstate/sync."""

    def test_engine_cannot(self, section: Sandbox) -> None:
        """The documented request is a 501 that says why; nothing reaches WhatsApp."""
        asked = counted(section, "app_state")
        body = {"scopes": ["contacts", "chats"], "full": False}
        answer = section.call("POST", "/appstate/sync", json=body)
        assert (501, "NOT_IMPLEMENTED") == (answer.status_code, answer.json()["error_code"])
        assert "by itself" in answer.json()["error"]
        assert "NOT_IMPLEMENTED" == section.reason("SyncAppState", pb.SyncAppStateRequest())
        assert asked == counted(section, "app_state")

    def test_unknown_scope(self, section: Sandbox) -> None:
        """An unknown scope is a 400 that names it."""
        answer = section.call("POST", "/appstate/sync", json={"scopes": ["everything"]})
        fault = answer.json()["validation"][0]
        expected = (400, "scopes[0]", "everything")
        assert expected == (answer.status_code, fault["field"], fault["value"])
