"""Every error through the real core, over both doors."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import grpc
import pytest

from e2e_world import (
    ANA,
    BUSY,
    EVE,
    FOREIGN,
    GONE,
    HIDDEN,
    LIMITED,
    MUTE,
    PLAIN,
    SHARED,
    SILENT,
    WORLD,
)
from sandboxes import Sandbox, running, write_world
from wuts.contacts.v1 import contacts_service_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Iterator

UNKNOWN_TOKEN = "00000000-0000-4000-8000-000000000000"
STATUS = {
    "UNAUTHORIZED": 401,
    "VALIDATION_ERROR": 400,
    "PICTURE_HIDDEN": 403,
    "PICTURE_NOT_SET": 404,
    "GROUP_NOT_FOUND": 404,
    "GROUP_FORBIDDEN": 403,
    "DEVICE_NOT_CHOSEN": 409,
}


@dataclass(frozen=True)
class Case:
    """One question that must fail, in both languages."""

    reason: str
    method: str
    fields: dict[str, Any]
    user: str = ANA
    token: str = ""
    answers: dict[str, Any] = field(default_factory=dict)

    def over_http(self, town: Sandbox) -> Any:  # httpx's
        """Asks through the gateway."""
        token = self.token or town.token_of(self.user)
        if self.method == "ResolveIdentifiers":
            return town.call("POST", "/contacts/resolve", json=self.fields, token=token)
        path = "/contacts" if self.method == "ListContacts" else "/contacts/profile-picture"
        return town.get(path, params=self.fields, token=token)

    def over_grpc(self, town: Sandbox) -> str:
        """Asks the service; gives the reason."""
        request = getattr(pb, f"{self.method}Request")(**self.fields)
        return town.reason(self.method, request, token=self.token or town.token_of(self.user))


PICTURE, RESOLVE = "GetProfilePicture", "ResolveIdentifiers"
CASES = [
    Case("UNAUTHORIZED", "ListContacts", {}, token=UNKNOWN_TOKEN),
    Case("VALIDATION_ERROR", "ListContacts", {"page_size": 0}),
    Case("VALIDATION_ERROR", "ListContacts", {"page_token": "AAAA"}),
    Case("VALIDATION_ERROR", PICTURE, {}),
    Case("VALIDATION_ERROR", RESOLVE, {"jids": []}),
    Case("PICTURE_HIDDEN", PICTURE, {"number": HIDDEN}),
    Case("PICTURE_NOT_SET", PICTURE, {"number": PLAIN}),
    Case("GROUP_NOT_FOUND", RESOLVE, {"jids": [SHARED], "group_jid": GONE}),
    Case("GROUP_FORBIDDEN", RESOLVE, {"jids": [SHARED], "group_jid": FOREIGN}),
    Case("DEVICE_NOT_CHOSEN", "ListContacts", {}, user=EVE),
]
LIMITED_CASES = [
    Case("RATE_LIMITED", PICTURE, {"number": LIMITED}),
    Case("RATE_LIMITED", RESOLVE, {"jids": [SHARED], "group_jid": BUSY}),
]
SILENT_CASES = [
    Case("WHATSAPP_TIMEOUT", PICTURE, {"number": SILENT}),
    Case("WHATSAPP_TIMEOUT", RESOLVE, {"jids": [SHARED], "group_jid": MUTE}),
]


@pytest.fixture(scope="module")
def slowed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The same world for itself: once WhatsApp said "slow down", nothing more is asked."""
    directory = tmp_path_factory.mktemp("slowed")
    with running(directory, WORLD=write_world(directory, WORLD)) as sandbox:
        yield sandbox


class TestRateLimit:
    """WhatsApp says that it is too much."""

    @pytest.mark.parametrize("case", LIMITED_CASES, ids=lambda case: case.method)
    def test_is_told_and_heeded(self, slowed: Sandbox, case: Case) -> None:
        """Both doors say RATE_LIMITED and when to come back; the second costs no question."""
        kind = "picture" if case.method == PICTURE else "group"
        answer = case.over_http(slowed)
        asked = slowed.control("count")["counts"][kind]
        assert (429, "RATE_LIMITED") == (answer.status_code, answer.json()["error_code"])
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        assert "RATE_LIMITED" == case.over_grpc(slowed)
        assert asked == slowed.control("count")["counts"][kind]


class TestErrors:
    """Each situation is told apart, by the same word at both doors."""

    @pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.reason}-{case.method}")
    def test_over_http(self, town: Sandbox, case: Case) -> None:
        """HTTP callers get the status and the documented envelope."""
        answer = case.over_http(town)
        body = answer.json()
        assert (STATUS[case.reason], case.reason) == (answer.status_code, body["error_code"])
        keys = {"success", "error", "error_code", "timestamp"}
        assert keys == set(body) - {"validation"}
        assert "retry-after" not in answer.headers

    @pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.reason}-{case.method}")
    def test_over_grpc(self, town: Sandbox, case: Case) -> None:
        """Native callers get one ErrorInfo with the same reason."""
        assert case.reason == case.over_grpc(town)

    def test_any_other_answer_of_whatsapp(self, town: Sandbox) -> None:
        """An error that fits nothing else is WHATSAPP_ERROR, with WhatsApp's number natively."""
        town.control("refuse", kind="picture", code=500, text="internal-server-error")
        try:
            answer = town.get(
                f"/contacts/profile-picture?number={SHARED}", token=town.token_of(ANA)
            )
        finally:
            town.control("answer", kind="picture")
        assert (503, "WHATSAPP_ERROR") == (answer.status_code, answer.json()["error_code"])

    def test_silence_ends_at_the_services_own_deadline(self, town: Sandbox) -> None:
        """Where WhatsApp says nothing, callers at both doors hear so after ten seconds."""
        started = time.monotonic()
        with ThreadPoolExecutor(len(SILENT_CASES) * 2) as pool:
            over_http = [pool.submit(case.over_http, town) for case in SILENT_CASES]
            over_grpc = [pool.submit(case.over_grpc, town) for case in SILENT_CASES]
            codes = [answer.result().json()["error_code"] for answer in over_http]
            reasons = [reason.result() for reason in over_grpc]
        assert ["WHATSAPP_TIMEOUT"] * len(SILENT_CASES) * 2 == codes + reasons
        assert 9 < time.monotonic() - started < 14

    def test_a_deadline_of_the_callers_own(self, town: Sandbox) -> None:
        """A native caller may ask for less time and is answered within it."""
        request = pb.GetProfilePictureRequest(number=SILENT)
        started = time.monotonic()
        with pytest.raises(grpc.RpcError) as caught:
            town.rpc("GetProfilePicture", request, token=town.token_of(ANA), seconds=0.3)
        code = cast("grpc.Call", caught.value).code()
        assert grpc.StatusCode.DEADLINE_EXCEEDED is code
        assert time.monotonic() - started < 5

    def test_validation_names_field_and_value(self, town: Sandbox) -> None:
        """A field-level error names the field, the rule and the rejected value."""
        answer = town.get("/contacts/profile-picture?number=12", token=town.token_of(ANA))
        (entry,) = answer.json()["validation"]
        assert ("number", "12") == (entry["field"], entry["value"])
        assert "10 to 15 digits" in entry["message"]

    def test_the_gateway_speaks_the_same_way(self, town: Sandbox) -> None:
        """Errors that never reach the service have the same envelope."""
        wrong_verb = town.call("DELETE", "/contacts")
        nowhere = town.get("/nowhere")
        too_large = town.call("POST", "/contacts/resolve", json={"jids": ["x" * 200_000]})
        found = [(a.status_code, a.json()["error_code"]) for a in (wrong_verb, nowhere, too_large)]
        expected = [
            (405, "METHOD_NOT_ALLOWED"),
            (404, "NOT_FOUND"),
            (413, "PAYLOAD_TOO_LARGE"),
        ]
        assert expected == found
        assert "GET, HEAD" == wrong_verb.headers["allow"]
