"""Profiles, the blocklist, number checks and the app state, through a real channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf.json_format import MessageToDict

from failing import failure_of
from fakes import GROUP, JOAO, JOAO_LID, MARIA, MARIA_LID, STRANGER_LID, Example
from wuts.contacts.v1 import contacts_service_pb2 as pb
from wuts.contacts.v1.blocklist_pb2 import BlockTarget
from wuts.domain import errors
from wuts.domain.blocklist import Blocklist
from wuts.domain.enquiry import NumberCheck
from wuts.domain.jid import lid_jid, pn_jid
from wuts.domain.state import DeviceState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Stub = Any  # the plugin's fixture is untyped
Auth = tuple[tuple[str, str], ...]
Data = dict[str, Any]
MARIA_JID, JOAO_JID = f"{MARIA}@s.whatsapp.net", f"{JOAO}@s.whatsapp.net"
NOBODY = "5511777777777"
STRANGERS = ["351912345670", "351912345671"]


def told(answer: Any) -> Data:
    """Gives `data` as the gateway prints it."""
    assert answer.success
    data: Data = MessageToDict(
        answer.data, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return data


@pytest.fixture(autouse=True)
def _nobody_blocked(example: Example) -> Iterator[None]:
    """Has each test begin and end with the example's sessions."""
    before = dict(example.sessions.infos)
    yield
    example.sessions.blocked.clear()
    example.sessions.asked_people.clear()
    example.sessions.asked_numbers.clear()
    example.sessions.infos = before
    example.sessions.registered.clear()
    example.sessions.number_errors.clear()
    example.sessions.silent.clear()
    example.sessions.states[example.device] = DeviceState.CONNECTED


class TestGetContactProfile:
    """GetContactProfile tells what people tell."""

    @pytest.mark.parametrize(
        "fields",
        [
            {"jid": MARIA_JID},
            {"number": "+55 11 99999-9999"},
            {"jid": MARIA_JID, "number": JOAO},
            {"jid": "", "number": MARIA},
        ],
    )
    def test_documented(self, grpc_stub: Stub, auth: Auth, fields: dict[str, str]) -> None:
        """The documented example, whole, however she is named."""
        request = pb.GetContactProfileRequest(**fields)
        expected = {
            "jid": MARIA_JID,
            "user_info": {
                "Status": "Hey there! I am using WhatsApp.",
                "PictureID": "1718000000",
                "Devices": [MARIA_JID],
                "VerifiedName": None,
            },
            "business_profile": None,
        }
        assert expected == told(grpc_stub.GetContactProfile(request, metadata=auth))

    def test_lid(self, grpc_stub: Stub, auth: Auth, example: Example) -> None:
        """A LID is told as it was asked for, and asked about by its phone number."""
        request = pb.GetContactProfileRequest(jid=f"{JOAO_LID}@lid")
        data = told(grpc_stub.GetContactProfile(request, metadata=auth))
        assert (f"{JOAO_LID}@lid", "") == (data["jid"], data["user_info"]["Status"])
        assert [JOAO_JID] == example.sessions.asked_people

    def test_proven_spelling(self, grpc_stub: Stub, auth: Auth, example: Example) -> None:
        """A number is asked about in the spelling that the store proves."""
        request = pb.GetContactProfileRequest(number="551199999999")
        assert MARIA_JID == told(grpc_stub.GetContactProfile(request, metadata=auth))["jid"]
        assert [MARIA_JID] == example.sessions.asked_people

    def test_nobody(self, grpc_stub: Stub, auth: Auth) -> None:
        """Who is not there is not found, by a reason of its own."""
        request = pb.GetContactProfileRequest(number=NOBODY)
        failure = failure_of(lambda: grpc_stub.GetContactProfile(request, metadata=auth))
        assert (grpc.StatusCode.NOT_FOUND, "NOT_ON_WHATSAPP") == (failure.code, failure.reason)

    @pytest.mark.parametrize(
        ("field", "fields"),
        [
            ("jid", {}),
            ("jid", {"jid": GROUP}),
            ("jid", {"jid": "maria"}),
            ("number", {"number": "123"}),
        ],
    )
    def test_bad_input(
        self, grpc_stub: Stub, auth: Auth, field: str, fields: dict[str, str]
    ) -> None:
        """Each malformed field is refused by its name; groups have no profile."""
        request = pb.GetContactProfileRequest(**fields)
        failure = failure_of(lambda: grpc_stub.GetContactProfile(request, metadata=auth))
        assert ("VALIDATION_ERROR", [field]) == (failure.reason, failure.fields)

    def test_budget(self, grpc_stub: Stub, auth: Auth) -> None:
        """Each question costs one of the class USER_INFO and nothing else."""

        def left() -> list[int]:
            budget = grpc_stub.GetBudget(pb.GetBudgetRequest(), metadata=auth).data
            return [item.remaining for item in budget.items]

        numbers, users, *others = left()
        request = pb.GetContactProfileRequest(number=MARIA)
        grpc_stub.GetContactProfile(request, metadata=auth)
        grpc_stub.GetContactProfile(request, metadata=auth)
        assert [numbers, users - 2, *others] == left()

    def test_not_connected(self, grpc_stub: Stub, auth: Auth, example: Example) -> None:
        """A device without a connection says in which state it is, before anything is read."""
        example.sessions.states[example.device] = DeviceState.DISCONNECTED
        request = pb.GetContactProfileRequest(number=MARIA)
        failure = failure_of(lambda: grpc_stub.GetContactProfile(request, metadata=auth))
        assert ("DEVICE_NOT_READY", "DISCONNECTED") == (failure.reason, failure.metadata["state"])


class TestGetBlocklist:
    """GetBlocklist names people by phone number where it can."""

    def test_empty(self, grpc_stub: Stub, auth: Auth) -> None:
        """Nobody is blocked at first."""
        answer = grpc_stub.GetBlocklist(pb.GetBlocklistRequest(), metadata=auth)
        assert {"items": [], "count": 0, "dhash": "2:"} == told(answer)

    def test_resolved(self, grpc_stub: Stub, auth: Auth, example: Example) -> None:
        """LIDs are resolved by the store; an unknown one stays, without a phone number."""
        stranger = lid_jid(STRANGER_LID)
        example.sessions.blocked = [lid_jid(JOAO_LID), stranger, pn_jid(MARIA)]
        answer = grpc_stub.GetBlocklist(pb.GetBlocklistRequest(), metadata=auth)
        items = [
            {"jid": JOAO_JID, "phone_number": JOAO},
            {"jid": str(stranger)},
            {"jid": MARIA_JID, "phone_number": MARIA},
        ]
        dhash = f"2:{JOAO_LID}{MARIA}{STRANGER_LID}"
        assert {"items": items, "count": 3, "dhash": dhash} == told(answer)

    def test_not_connected(self, grpc_stub: Stub, auth: Auth, example: Example) -> None:
        """There is no list without a connection."""
        example.sessions.states[example.device] = DeviceState.DISCONNECTED
        failure = failure_of(
            lambda: grpc_stub.GetBlocklist(pb.GetBlocklistRequest(), metadata=auth)
        )
        assert "DEVICE_NOT_READY" == failure.reason


def block(stub: Stub, auth: Auth, **fields: Any) -> Data:
    """Blocks somebody."""
    return told(stub.BlockContact(pb.BlockContactRequest(**fields), metadata=auth))


class TestBlockContact:
    """BlockContact and UnblockContact change the list."""

    def test_documented(self, grpc_stub: Stub, auth: Auth) -> None:
        """Both documented answers, whole, but for what the list held before."""
        blocked = {
            "jid": MARIA_JID,
            "phone_number": MARIA,
            "action": "block",
            "blocked": True,
            "count": 1,
            "dhash": f"2:{MARIA_LID}",
        }
        freed = blocked | {"action": "unblock", "blocked": False, "count": 0, "dhash": "2:"}
        assert blocked == block(grpc_stub, auth, target=BlockTarget(jid=MARIA_JID))
        request = pb.UnblockContactRequest(target=BlockTarget(number=MARIA))
        assert freed == told(grpc_stub.UnblockContact(request, metadata=auth))

    def test_twice(self, grpc_stub: Stub, auth: Auth) -> None:
        """Blocking twice, by either name, is blocking once."""
        once = block(grpc_stub, auth, jid=JOAO_JID)
        assert once == block(grpc_stub, auth, jid=f"{JOAO_LID}@lid")
        assert (JOAO_JID, 1) == (once["jid"], once["count"])

    def test_known_lid_costs_nothing(self, grpc_stub: Stub, auth: Auth, example: Example) -> None:
        """WhatsApp is asked for a LID only when the store knows none."""
        block(grpc_stub, auth, number=JOAO)
        assert [] == example.sessions.asked_people
        block(grpc_stub, auth, number=MARIA)
        assert [MARIA_JID] == example.sessions.asked_people

    def test_unknown_lid(self, grpc_stub: Stub, auth: Auth) -> None:
        """A LID whose phone number nobody knows is blocked as it is."""
        data = block(grpc_stub, auth, jid=f"{STRANGER_LID}@lid")
        assert (f"{STRANGER_LID}@lid", None) == (data["jid"], data.get("phone_number"))

    @pytest.mark.parametrize("named", [{"jid": MARIA}, {"number": MARIA}])
    def test_target_wins(self, grpc_stub: Stub, auth: Auth, named: dict[str, str]) -> None:
        """What stands beside a target that names somebody is not read."""
        target = BlockTarget(**named)
        assert MARIA_JID == block(grpc_stub, auth, jid=JOAO, number="x", target=target)["jid"]

    def test_empty_target(self, grpc_stub: Stub, auth: Auth) -> None:
        """A target that names nobody leaves it to the other fields."""
        assert MARIA_JID == block(grpc_stub, auth, number=MARIA, target=BlockTarget())["jid"]

    def test_nobody(self, grpc_stub: Stub, auth: Auth, example: Example) -> None:
        """A number that nobody has cannot be blocked."""
        failure = failure_of(lambda: block(grpc_stub, auth, number=NOBODY))
        assert ("NOT_ON_WHATSAPP", []) == (failure.reason, example.sessions.blocked)

    @pytest.mark.parametrize("fields", [{}, {"jid": GROUP}, {"jid": "@lid"}])
    def test_bad_input(self, grpc_stub: Stub, auth: Auth, fields: dict[str, str]) -> None:
        """Nobody and groups cannot be blocked."""
        failure = failure_of(lambda: block(grpc_stub, auth, **fields))
        assert ("VALIDATION_ERROR", ["jid"]) == (failure.reason, failure.fields)

    def test_without_effect(
        self, grpc_stub: Stub, auth: Auth, example: Example, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A list that does not show the change is no success."""

        async def refuse(*_: object, **__: object) -> Blocklist:
            return Blocklist()

        monkeypatch.setattr(example.sessions, "set_blocked", refuse)
        assert "WHATSAPP_ERROR" == failure_of(lambda: block(grpc_stub, auth, number=JOAO)).reason

    def test_refused(
        self, grpc_stub: Stub, auth: Auth, example: Example, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """WhatsApp's wish to slow down is told."""
        monkeypatch.setattr(example.sessions, "blocklist_error", errors.RateLimited(60))
        failure = failure_of(lambda: block(grpc_stub, auth, number=JOAO))
        assert ("RATE_LIMITED", "60") == (failure.reason, failure.trailing["retry-after"])


def check(stub: Stub, auth: Auth, *numbers: str) -> dict[str, bool]:
    """Checks numbers."""
    answer = stub.CheckContacts(pb.CheckContactsRequest(numbers=numbers), metadata=auth)
    assert answer.success
    return dict(answer.data)


class TestCheckContacts:
    """CheckContacts gives WhatsApp's word on each number."""

    def test_documented(self, grpc_stub: Stub, auth: Auth, example: Example) -> None:
        """The keys are the digits, each once, and only WhatsApp's word counts."""
        example.sessions.registered[MARIA] = NumberCheck(MARIA, registered=True)
        numbers = (MARIA, "+55 11 77777-7777", "+55 (11) 99999-9999")
        assert {MARIA: True, NOBODY: False} == check(grpc_stub, auth, *numbers)
        assert [[MARIA, NOBODY]] == example.sessions.asked_numbers

    def test_remembered(self, grpc_stub: Stub, auth: Auth, example: Example) -> None:
        """A number is asked about once; what is remembered needs no connection."""
        first = check(grpc_stub, auth, *STRANGERS)
        example.sessions.states[example.device] = DeviceState.DISCONNECTED
        assert first == check(grpc_stub, auth, *STRANGERS)
        assert 1 == len(example.sessions.asked_numbers)

    def test_other_spelling(self, grpc_stub: Stub, auth: Auth, example: Example) -> None:
        """A number that WhatsApp spells otherwise is on WhatsApp under its own key."""
        short = "551199999999"
        example.sessions.registered[short] = NumberCheck(short, registered=True, pn=MARIA)
        assert {short: True} == check(grpc_stub, auth, short)

    def test_nothing_said(self, grpc_stub: Stub, auth: Auth, example: Example) -> None:
        """A number on which WhatsApp says nothing is neither true nor false."""
        example.sessions.silent.add(STRANGERS[0])
        assert {STRANGERS[1]: False} == check(grpc_stub, auth, *STRANGERS)

    def test_failed(self, grpc_stub: Stub, auth: Auth, example: Example) -> None:
        """Nothing is guessed for a number that cannot be asked about."""
        example.sessions.number_errors[STRANGERS[1]] = errors.WhatsappTimeout()
        failure = failure_of(lambda: check(grpc_stub, auth, *STRANGERS))
        assert "WHATSAPP_TIMEOUT" == failure.reason

    @pytest.mark.parametrize(
        ("numbers", "field"),
        [
            ([], "numbers"),
            ([MARIA] * 161, "numbers"),
            ([MARIA, "123"], "numbers[1]"),
            ([MARIA_JID], "numbers[0]"),
        ],
    )
    def test_bad_input(
        self, grpc_stub: Stub, auth: Auth, example: Example, numbers: list[str], field: str
    ) -> None:
        """The malformed number is named, and nothing is asked."""
        failure = failure_of(lambda: check(grpc_stub, auth, *numbers))
        assert ("VALIDATION_ERROR", [field]) == (failure.reason, failure.fields)
        assert [] == example.sessions.asked_numbers


class TestSyncAppState:
    """SyncAppState is refused with the reason, once the request is a good one."""

    @pytest.mark.parametrize(
        "scopes", [[], ["contacts", "chats"], ["settings", "pins", "critical"]]
    )
    def test_engine_cannot(self, grpc_stub: Stub, auth: Auth, scopes: list[str]) -> None:
        """Whatever is wanted, the engine cannot be made to do it."""
        request = pb.SyncAppStateRequest(scopes=scopes, full=True)
        failure = failure_of(lambda: grpc_stub.SyncAppState(request, metadata=auth))
        expected = (grpc.StatusCode.UNIMPLEMENTED, "NOT_IMPLEMENTED", {"why": "ENGINE_CANNOT"})
        assert expected == (failure.code, failure.reason, failure.metadata)
        assert "by itself" in failure.message

    def test_unknown_scope(self, grpc_stub: Stub, auth: Auth) -> None:
        """A word that is no scope is refused by its place."""
        request = pb.SyncAppStateRequest(scopes=["chats", "labels"])
        failure = failure_of(lambda: grpc_stub.SyncAppState(request, metadata=auth))
        assert ("VALIDATION_ERROR", ["scopes[1]"]) == (failure.reason, failure.fields)


CALLS: list[Callable[[Stub, Auth], object]] = [
    lambda stub, auth: stub.GetContactProfile(
        pb.GetContactProfileRequest(number=MARIA), metadata=auth
    ),
    lambda stub, auth: stub.GetBlocklist(pb.GetBlocklistRequest(), metadata=auth),
    lambda stub, auth: stub.BlockContact(pb.BlockContactRequest(number=MARIA), metadata=auth),
    lambda stub, auth: stub.UnblockContact(pb.UnblockContactRequest(number=MARIA), metadata=auth),
    lambda stub, auth: stub.CheckContacts(pb.CheckContactsRequest(numbers=[MARIA]), metadata=auth),
    lambda stub, auth: stub.SyncAppState(pb.SyncAppStateRequest(), metadata=auth),
]


class TestCallers:
    """Who may call."""

    @pytest.mark.parametrize("call", CALLS)
    def test_no_token(self, grpc_stub: Stub, call: Callable[[Stub, Auth], object]) -> None:
        """Nobody without a token."""
        assert "UNAUTHORIZED" == failure_of(lambda: call(grpc_stub, ())).reason

    @pytest.mark.parametrize("call", CALLS)
    def test_no_device(
        self, grpc_stub: Stub, example: Example, call: Callable[[Stub, Auth], object]
    ) -> None:
        """Nobody without a device."""
        auth = (("authorization", example.add_user(f"n{CALLS.index(call)}", devices=0)),)
        assert "DEVICE_NOT_READY" == failure_of(lambda: call(grpc_stub, auth)).reason
