"""Two tenants who know the same people learn nothing of each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from e2e_world import (
    ANA,
    BOB,
    ONLY_LID,
    OPEN,
    REDACTED_LID,
    SHARED,
    SHARED_LID,
    UNMAPPED,
    UNMAPPED_LID,
)
from wuts.devices.v1 import devices_service_pb2 as pb

if TYPE_CHECKING:
    from sandboxes import Sandbox


def resolve(town: Sandbox, user: str, *inputs: str, **more: str) -> list[dict[str, str]]:
    """Resolves as a user; gives the items."""
    body = {"jids": list(inputs), **more}
    answer = town.call("POST", "/contacts/resolve", json=body, token=town.token_of(user))
    items: list[dict[str, str]] = answer.json()["items"]
    return items


class TestIsolation:
    """What one tenant's device learned answers no other tenant's question."""

    def test_a_pair_stays_with_its_tenant(self, town: Sandbox) -> None:
        """Ana's device knows the phone behind the LID; Bob's knows only the LID."""
        lid = f"{SHARED_LID}@lid"
        (anas,), (bobs,) = (resolve(town, user, lid) for user in (ANA, BOB))
        assert (SHARED, None) == (anas["phone_number"], bobs.get("phone_number"))
        expected = {
            "input": lid,
            "input_jid": lid,
            "jid": lid,
            "lid_jid": lid,
            "push_name": "Shared",
            "status": "PHONE_HIDDEN",
        }
        assert expected == bobs

    def test_the_reverse_question_tells_nothing(self, town: Sandbox) -> None:
        """Bob asks for the number and learns neither name nor LID."""
        (item,) = resolve(town, BOB, SHARED)
        assert ("UNKNOWN", None, None) == (
            item["status"],
            item.get("lid_jid"),
            item.get("full_name"),
        )

    def test_lists_are_apart(self, town: Sandbox) -> None:
        """Each list holds what that device has synced, and only that."""
        jids = {
            user: {
                c["jid"]
                for c in town.get("/contacts", token=town.token_of(user)).json()["contacts"]
            }
            for user in (ANA, BOB)
        }
        assert {f"{SHARED_LID}@lid"} == jids[BOB]
        assert f"{SHARED}@s.whatsapp.net" in jids[ANA]
        assert f"{ONLY_LID}@lid" in jids[ANA]

    def test_a_page_token_is_good_for_one_device(self, town: Sandbox) -> None:
        """Ana's page token is refused when Bob gives it back."""
        page = town.get("/contacts?page_size=1", token=town.token_of(ANA)).json()
        for path in ("/contacts", "/contacts/stream"):
            query = f"?page_size=1&page_token={page['next_page_token']}"
            answer = town.get(f"{path}{query}", token=town.token_of(BOB))
            assert (400, "page_token") == (
                answer.status_code,
                answer.json()["validation"][0]["field"],
            )

    def test_streams_are_apart(self, town: Sandbox) -> None:
        """A stream holds what a list of the same device holds."""
        for user in (ANA, BOB):
            listed = town.get("/contacts", token=town.token_of(user)).json()
            streamed = town.get("/contacts/stream", token=town.token_of(user)).json()
            assert listed["contacts"] == streamed["contacts"]

    def test_another_tenants_device_does_not_exist(self, town: Sandbox) -> None:
        """A command about a foreign device is refused as if there were none."""
        request = pb.LinkDeviceRequest(device_id=town.device_of(ANA))
        metadata = (("authorization", f"Bearer {town.token_of(BOB)}"),)
        with town.channel() as channel:
            call = town.link_stub(channel).LinkDevice(request, metadata=metadata, timeout=10)
            assert "NOT_FOUND" == call.code().name


class TestGroups:
    """A group's roster helps, and limits."""

    def test_statuses_within_a_group(self, town: Sandbox) -> None:
        """Member, hidden member and stranger are three answers; the roster teaches a pair."""
        inputs = [SHARED, f"{UNMAPPED_LID}@lid", f"{REDACTED_LID}@lid", f"{ONLY_LID}@lid"]
        items = resolve(town, ANA, *inputs, group_jid=OPEN)
        statuses = [item.get("status") for item in items]
        assert [None, None, "PHONE_HIDDEN", "NOT_IN_GROUP"] == statuses
        assert UNMAPPED == items[1]["phone_number"]

    def test_the_picture_of_a_group(self, town: Sandbox) -> None:
        """A group's picture is asked for like a person's."""
        answer = town.get(f"/contacts/profile-picture?jid={OPEN}", token=town.token_of(ANA))
        assert (OPEN, "42") == (answer.json()["data"]["jid"], answer.json()["data"]["id"])
