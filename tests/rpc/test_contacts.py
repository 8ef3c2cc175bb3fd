"""ContactsService through a real channel."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from google.protobuf.json_format import MessageToDict
from structlog.testing import capture_logs

from failing import failure_of
from fakes import GROUP, HIDDEN_LID, JOAO, JOAO_LID, MARIA, PICTURE, STRANGER_LID, Example
from wuts.contacts.v1 import contacts_service_pb2 as pb
from wuts.domain import errors
from wuts.domain.contact import Names
from wuts.domain.state import DeviceState

Stub = Any  # the plugin's fixture is untyped
Auth = tuple[tuple[str, str], ...]


def as_json(message: Any) -> Any:  # any message
    """Prints a message as the gateway does."""
    return MessageToDict(message, preserving_proto_field_name=True)


class TestListContacts:
    """ListContacts gives what the store holds."""

    def test_basic_prints_the_documented_fields(self, grpc_stub: Stub, auth: Auth) -> None:
        """Without a view neither LIDs nor empty names are told."""
        answer = as_json(grpc_stub.ListContacts(pb.ListContactsRequest(), metadata=auth))
        joao = {"jid": f"{JOAO}@s.whatsapp.net", "full_name": "Joao Pereira", "push_name": "Joao"}
        assert (2, True) == (answer["count"], joao in answer["contacts"])

    def test_full_adds_the_lid(self, grpc_stub: Stub, auth: Auth) -> None:
        """Under view FULL a known LID is told."""
        answer = grpc_stub.ListContacts(pb.ListContactsRequest(view="FULL"), metadata=auth)
        assert {"", f"{JOAO_LID}@lid"} == {contact.lid_jid for contact in answer.contacts}

    @pytest.mark.parametrize(
        ("state", "view", "expected"),
        [
            (DeviceState.CONNECTED, "FULL", True),
            (DeviceState.SYNCING, "FULL", False),
            (DeviceState.SYNCING, "BASIC", None),
        ],
    )
    def test_says_whether_it_is_whole(
        self,
        grpc_stub: Stub,
        auth: Auth,
        example: Example,
        monkeypatch: pytest.MonkeyPatch,
        state: DeviceState,
        view: str,
        expected: bool | None,
    ) -> None:
        """Under view FULL the list says whether the first sync is finished."""
        monkeypatch.setitem(example.sessions.states, example.device, state)
        answer = grpc_stub.ListContacts(pb.ListContactsRequest(view=view), metadata=auth)
        assert expected == (answer.synced if answer.HasField("synced") else None)

    def test_pages_are_the_list(self, grpc_stub: Stub, auth: Auth) -> None:
        """Pages of one, chained by their tokens, are the whole list; the last has no token."""
        whole = grpc_stub.ListContacts(pb.ListContactsRequest(), metadata=auth)
        found, token = [], None
        while token != "":
            request = pb.ListContactsRequest(page_size=1, page_token=token)
            page = grpc_stub.ListContacts(request, metadata=auth)
            found += page.contacts
            token = page.next_page_token
        assert list(whole.contacts) == found

    @pytest.mark.parametrize("size", [0, -1, 5001])
    def test_refuses_a_page_size(self, grpc_stub: Stub, auth: Auth, size: int) -> None:
        """A page size out of range is refused by name."""
        request = pb.ListContactsRequest(page_size=size)
        failure = failure_of(lambda: grpc_stub.ListContacts(request, metadata=auth))
        assert ("VALIDATION_ERROR", ["page_size"]) == (failure.reason, failure.fields)

    @pytest.mark.parametrize(
        ("field", "value"), [("view", "full"), ("view", "EVERYTHING"), ("page_token", "AAAA")]
    )
    def test_refuses_other_words(self, grpc_stub: Stub, auth: Auth, field: str, value: str) -> None:
        """A word outside the closed list, or a foreign token, is refused by name."""
        request = pb.ListContactsRequest(**{field: value})  # type: ignore[arg-type]  # the field is a parameter
        failure = failure_of(lambda: grpc_stub.ListContacts(request, metadata=auth))
        assert ("VALIDATION_ERROR", [field]) == (failure.reason, failure.fields)

    def test_needs_a_connected_session(
        self, grpc_stub: Stub, auth: Auth, example: Example, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """While disconnected the list is refused, with the state."""
        monkeypatch.setitem(example.sessions.states, example.device, DeviceState.RECONNECTING)
        failure = failure_of(
            lambda: grpc_stub.ListContacts(pb.ListContactsRequest(), metadata=auth)
        )
        expected = (grpc.StatusCode.UNAVAILABLE, "DEVICE_NOT_READY", {"state": "RECONNECTING"})
        assert expected == (failure.code, failure.reason, failure.metadata)

    def test_too_long_a_list_must_be_paged(
        self, grpc_stub: Stub, auth: Auth, example: Example
    ) -> None:
        """Beyond the limit a call without page_size is refused, with the advice to page."""
        jids = [f"55110000000{n}@s.whatsapp.net" for n in range(2)]
        for jid in jids:
            example.store.add_row(example.device, jid, Names(push="x"))
        failure = failure_of(
            lambda: grpc_stub.ListContacts(pb.ListContactsRequest(), metadata=auth)
        )
        example.store.remove_rows(example.device, jids)
        assert ("VALIDATION_ERROR", ["page_size"]) == (failure.reason, failure.fields)


class TestGetProfilePicture:
    """GetProfilePicture gives the picture, or says exactly why not."""

    def test_equals_the_documented_example(self, grpc_stub: Stub, auth: Auth) -> None:
        """The full picture by number has the documented fields."""
        request = pb.GetProfilePictureRequest(number=f"+{MARIA}", preview=False)
        expected = {
            "jid": f"{MARIA}@s.whatsapp.net",
            "url": PICTURE.url,
            "id": PICTURE.id,
            "type": "image",
            "direct_path": PICTURE.direct_path,
        }
        assert expected == as_json(grpc_stub.GetProfilePicture(request, metadata=auth))["data"]

    def test_the_preview_is_the_default(self, grpc_stub: Stub, auth: Auth) -> None:
        """Without `preview` the low resolution comes."""
        request = pb.GetProfilePictureRequest(jid=f"{MARIA}@c.us")
        assert grpc_stub.GetProfilePicture(request, metadata=auth).data.type == "preview"

    def test_unchanged_has_a_null_url(self, grpc_stub: Stub, auth: Auth) -> None:
        """The id that still matches gives null, the id and the flag, nothing else."""
        request = pb.GetProfilePictureRequest(number=MARIA, existing_id=PICTURE.id)
        expected = {
            "jid": f"{MARIA}@s.whatsapp.net",
            "url": None,
            "id": PICTURE.id,
            "unchanged": True,
        }
        assert expected == as_json(grpc_stub.GetProfilePicture(request, metadata=auth))["data"]

    def test_jid_wins_over_number(self, grpc_stub: Stub, auth: Auth) -> None:
        """With both, the number is not even read."""
        request = pb.GetProfilePictureRequest(jid=f"{MARIA}@s.whatsapp.net", number="nonsense")
        answer = grpc_stub.GetProfilePicture(request, metadata=auth)
        assert f"{MARIA}@s.whatsapp.net" == answer.data.jid

    @pytest.mark.parametrize(
        ("field", "fields"),
        [
            ("jid", {}),
            ("jid", {"jid": "", "number": ""}),
            ("jid", {"jid": "12@newsletter"}),
            ("number", {"number": "123"}),
            ("number", {"number": f"{MARIA}@s.whatsapp.net"}),
            ("existing_id", {"number": MARIA, "existing_id": "x" * 65}),
            ("existing_id", {"number": MARIA, "existing_id": "a b"}),
        ],
    )
    def test_refuses_bad_input(
        self, grpc_stub: Stub, auth: Auth, field: str, fields: dict[str, str]
    ) -> None:
        """Each malformed field is refused by its name."""
        request = pb.GetProfilePictureRequest(**fields)  # type: ignore[arg-type]  # the fields are a parameter
        failure = failure_of(lambda: grpc_stub.GetProfilePicture(request, metadata=auth))
        assert ("VALIDATION_ERROR", [field]) == (failure.reason, failure.fields)

    @pytest.mark.parametrize(
        ("error", "code", "reason"),
        [
            (errors.PictureHidden(), grpc.StatusCode.PERMISSION_DENIED, "PICTURE_HIDDEN"),
            (errors.PictureNotSet(), grpc.StatusCode.NOT_FOUND, "PICTURE_NOT_SET"),
            (errors.RateLimited(60), grpc.StatusCode.RESOURCE_EXHAUSTED, "RATE_LIMITED"),
            (errors.WhatsappTimeout(), grpc.StatusCode.DEADLINE_EXCEEDED, "WHATSAPP_TIMEOUT"),
            (errors.WhatsappError(500), grpc.StatusCode.UNAVAILABLE, "WHATSAPP_ERROR"),
            (errors.StoreUnavailable(), grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE"),
            (errors.NotImplementedHere(), grpc.StatusCode.UNIMPLEMENTED, "NOT_IMPLEMENTED"),
        ],
    )
    def test_keeps_situations_apart(  # fixtures and a row
        self,
        grpc_stub: Stub,
        auth: Auth,
        example: Example,
        error: errors.DomainError,
        code: grpc.StatusCode,
        reason: str,
    ) -> None:
        """Hidden, not set, rate limited, timed out and the rest are different answers."""
        example.sessions.pictures[f"{JOAO}@s.whatsapp.net"] = error
        request = pb.GetProfilePictureRequest(number=JOAO)
        failure = failure_of(lambda: grpc_stub.GetProfilePicture(request, metadata=auth))
        assert (code, reason) == (failure.code, failure.reason)

    def test_a_fault_of_ours_tells_nothing(
        self, grpc_stub: Stub, auth: Auth, example: Example, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An unforeseen exception becomes a fixed text; the log says only where it arose."""

        def faulty(*_: object, **__: object) -> None:
            raise RuntimeError(MARIA)

        monkeypatch.setattr(example.sessions, "picture", faulty)
        request = pb.GetProfilePictureRequest(number=MARIA)
        with capture_logs() as logged:
            failure = failure_of(lambda: grpc_stub.GetProfilePicture(request, metadata=auth))
        expected = (grpc.StatusCode.INTERNAL, "INTERNAL_ERROR", "internal error")
        assert expected == (failure.code, failure.reason, failure.message)
        assert ("RuntimeError", False) == (logged[0]["fault"], MARIA in str(logged))
        assert logged[0]["where"][-1].startswith(f"{__name__}:")


class TestResolveIdentifiers:
    """ResolveIdentifiers has one item for each input."""

    def resolve(self, stub: Stub, auth: Auth, *inputs: str, **more: Any) -> list[dict[str, str]]:
        """Resolves inputs; gives the items as the gateway prints them."""
        request = pb.ResolveIdentifiersRequest(jids=inputs, **more)
        answer = stub.ResolveIdentifiers(request, metadata=auth)
        assert len(inputs) == answer.count
        items: list[dict[str, str]] = as_json(answer)["items"]
        return items

    def test_answers_the_documented_question(self, grpc_stub: Stub, auth: Auth) -> None:
        """The documented inputs give three items, in order, names included."""
        inputs = [MARIA, f"{JOAO}@s.whatsapp.net", f"{JOAO_LID}@lid"]
        items = self.resolve(grpc_stub, auth, *inputs, group_jid=GROUP)
        joao = {
            "resolved_jid": f"{JOAO}@s.whatsapp.net",
            "jid": f"{JOAO}@s.whatsapp.net",
            "phone_number": JOAO,
            "lid_jid": f"{JOAO_LID}@lid",
            "full_name": "Joao Pereira",
            "push_name": "Joao",
        }
        maria = {
            "input": MARIA,
            "input_jid": f"{MARIA}@s.whatsapp.net",
            "resolved_jid": f"{MARIA}@s.whatsapp.net",
            "jid": f"{MARIA}@s.whatsapp.net",
            "phone_number": MARIA,
            "full_name": "Maria Silva",
            "push_name": "Maria",
        }
        expected = [maria, *({"input": i, "input_jid": i, **joao} for i in inputs[1:])]
        assert expected == items

    def test_a_bad_input_fails_alone(self, grpc_stub: Stub, auth: Auth) -> None:
        """An unparsable input keeps its place, echoed, with a remedy; the others are resolved."""
        bad, good = self.resolve(grpc_stub, auth, GROUP, MARIA)
        assert ({"input", "status", "detail"}, GROUP) == (set(bad), bad["input"])
        assert ("INVALID_IDENTIFIER", "Maria Silva") == (bad["status"], good["full_name"])

    def test_an_unknown_phone_says_so(self, grpc_stub: Stub, auth: Auth) -> None:
        """Of an unknown number its own spellings are told, and the status."""
        expected = {
            "input": "+55 11 77777-7777",
            "input_jid": "5511777777777@s.whatsapp.net",
            "resolved_jid": "5511777777777@s.whatsapp.net",
            "jid": "5511777777777@s.whatsapp.net",
            "phone_number": "5511777777777",
            "status": "UNKNOWN",
        }
        assert [expected] == self.resolve(grpc_stub, auth, "+55 11 77777-7777")

    @pytest.mark.parametrize(
        ("lid", "group", "more"),
        [
            (STRANGER_LID, "", {"status": "UNKNOWN"}),
            (
                HIDDEN_LID,
                GROUP,
                {"status": "PHONE_HIDDEN", "redacted_phone": "+55 11 ****-**12"},
            ),
            (STRANGER_LID, GROUP, {"status": "NOT_IN_GROUP"}),
        ],
    )
    def test_a_lid_without_phone_stays_a_lid(
        self, grpc_stub: Stub, auth: Auth, lid: str, group: str, more: dict[str, str]
    ) -> None:
        """A LID whose phone is not known has no phone number and no resolved JID."""
        jid = f"{lid}@lid"
        expected = {"input": jid, "input_jid": jid, "jid": jid, "lid_jid": jid, **more}
        assert [expected] == self.resolve(grpc_stub, auth, jid, group_jid=group)

    def test_one_person_twice_is_two_equal_items(self, grpc_stub: Stub, auth: Auth) -> None:
        """Two inputs of one person keep their items, with one identity."""
        items = self.resolve(grpc_stub, auth, JOAO, f"{JOAO_LID}@lid")
        one, other = ({k: v for k, v in i.items() if not k.startswith("input")} for i in items)
        assert one == other

    @pytest.mark.parametrize("number", [0, 161])
    def test_refuses_a_wrong_number_of_inputs(
        self, grpc_stub: Stub, auth: Auth, number: int
    ) -> None:
        """None, or more than 160, are refused by the field's name."""
        request = pb.ResolveIdentifiersRequest(jids=[MARIA] * number)
        failure = failure_of(lambda: grpc_stub.ResolveIdentifiers(request, metadata=auth))
        assert ("VALIDATION_ERROR", ["jids"]) == (failure.reason, failure.fields)

    def test_takes_160_inputs(self, grpc_stub: Stub, auth: Auth) -> None:
        """The largest batch has an item for each input."""
        assert 160 == len(self.resolve(grpc_stub, auth, *[MARIA] * 160))

    def test_works_while_disconnected(
        self, grpc_stub: Stub, auth: Auth, example: Example, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Without a group nothing is asked of WhatsApp."""
        monkeypatch.setitem(example.sessions.states, example.device, DeviceState.LOGGED_OUT)
        assert "Maria Silva" == self.resolve(grpc_stub, auth, MARIA)[0]["full_name"]

    @pytest.mark.parametrize(
        ("group", "answer", "reason"),
        [
            (GROUP, errors.GroupForbidden(), "GROUP_FORBIDDEN"),
            (GROUP, errors.GroupNotFound(), "GROUP_NOT_FOUND"),
            (GROUP, errors.WhatsappTimeout(), "WHATSAPP_TIMEOUT"),
            (f"{MARIA}@s.whatsapp.net", None, "VALIDATION_ERROR"),
        ],
    )
    def test_without_a_roster_the_call_fails(  # fixtures and a row
        self,
        grpc_stub: Stub,
        auth: Auth,
        example: Example,
        monkeypatch: pytest.MonkeyPatch,
        group: str,
        answer: errors.DomainError | None,
        reason: str,
    ) -> None:
        """A group that cannot be asked fails the call as a whole, each reason apart."""
        monkeypatch.setitem(example.sessions.rosters, GROUP, answer)
        request = pb.ResolveIdentifiersRequest(jids=[MARIA], group_jid=group)
        failure = failure_of(lambda: grpc_stub.ResolveIdentifiers(request, metadata=auth))
        assert reason == failure.reason
