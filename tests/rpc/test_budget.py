"""The budget through a real channel: what is left, and what becomes of who has none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf.json_format import MessageToDict

from failing import failure_of
from fakes import GROUP, JOAO, MARIA, Example, allowing
from wuts.contacts.v1 import contacts_service_pb2 as pb
from wuts.contacts.v1.contacts_service_pb2_grpc import ContactsServiceStub
from wuts.domain.state import DeviceState

from .conftest import ServerThread

if TYPE_CHECKING:
    from collections.abc import Iterator

CLASSES = ["NUMBER_CHECK", "USER_INFO", "PICTURE", "GROUP_INFO"]
STRANGERS = ["351912345670", "351912345671", "351912345672"]


class Poor:
    """A caller whose device may check two numbers, and ask for one of anything else."""

    def __init__(self) -> None:
        self.example = Example()
        self.auth = (("authorization", self.example.token),)
        self.thread = ServerThread(self.example, allowing(1, NUMBER_CHECK=2))
        self._channel = grpc.insecure_channel(f"127.0.0.1:{self.thread.server.port}")
        self.stub: Any = ContactsServiceStub(self._channel)

    def budget(self) -> dict[str, Any]:
        """Asks for the budget; gives `data`."""
        answer = self.stub.GetBudget(pb.GetBudgetRequest(), metadata=self.auth)
        assert answer.success
        data: dict[str, Any] = MessageToDict(
            answer.data, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
        )
        return data

    def picture(self, number: str) -> Any:
        """Asks for a picture."""
        request = pb.GetProfilePictureRequest(number=number)
        return self.stub.GetProfilePicture(request, metadata=self.auth)

    def resolve(self, *inputs: str, **more: Any) -> Any:
        """Resolves inputs."""
        request = pb.ResolveIdentifiersRequest(jids=inputs, **more)
        return self.stub.ResolveIdentifiers(request, metadata=self.auth)

    def close(self) -> None:
        """Ends channel and server."""
        self._channel.close()
        self.thread.close()


@pytest.fixture
def poor() -> Iterator[Poor]:
    """Gives a caller with little budget."""
    caller = Poor()
    yield caller
    caller.close()


class TestGetBudget:
    """GetBudget tells what is left."""

    def test_full(self, poor: Poor) -> None:
        """Each class is told, in a fixed order."""
        items = poor.budget()["items"]
        full = [
            {"query_class": name, "remaining": n, "burst": n, "per_hour": n, "retry_after": 0}
            for name, n in zip(CLASSES, (2, 1, 1, 1), strict=True)
        ]
        assert full == items

    def test_spent(self, poor: Poor) -> None:
        """Each class is spent by its own questions, one for each number."""
        poor.resolve(*STRANGERS, lookup="ALLOW_NETWORK", group_jid=GROUP)
        left = {item["query_class"]: item for item in poor.budget()["items"]}
        assert [0, 1, 1, 0] == [left[name]["remaining"] for name in CLASSES]
        assert [True, False, False, True] == [left[name]["retry_after"] > 0 for name in CLASSES]

    def test_costs_nothing(self, poor: Poor) -> None:
        """Local answers, dry runs and the question itself are free."""
        before = poor.budget()
        poor.resolve(MARIA, *STRANGERS)
        poor.resolve(*STRANGERS, lookup="FORCE", dry_run=True, group_jid=GROUP)
        assert before == poor.budget()

    @pytest.mark.parametrize("state", list(DeviceState))
    def test_any_state(self, poor: Poor, state: DeviceState) -> None:
        """Whatever the device is doing, its budget can be read."""
        poor.example.sessions.states[poor.example.device] = state
        assert 4 == len(poor.budget()["items"])

    def test_needs_a_device(self, poor: Poor) -> None:
        """Who has no device has no budget."""
        poor.auth = (("authorization", poor.example.add_user("nobody", devices=0)),)
        assert "DEVICE_NOT_READY" == failure_of(poor.budget).reason

    def test_needs_a_choice(self, poor: Poor) -> None:
        """Who has several devices must say which one is meant."""
        poor.auth = (("authorization", poor.example.add_user("several", devices=2)),)
        assert "DEVICE_NOT_CHOSEN" == failure_of(poor.budget).reason


class TestExhausted:
    """What a device without budget still answers."""

    def test_picture(self, poor: Poor) -> None:
        """A picture that may not be asked for is refused, with the class and a time."""
        poor.picture(MARIA)
        failure = failure_of(lambda: poor.picture(JOAO))
        expected = (
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            "BUDGET_EXHAUSTED",
            {"query_class": "PICTURE"},
        )
        assert expected == (failure.code, failure.reason, failure.metadata)
        assert 3590 < int(failure.trailing["retry-after"]) <= 3600

    def test_remembered_picture(self, poor: Poor) -> None:
        """A picture that is known still comes."""
        expected = poor.picture(MARIA)
        assert expected == poor.picture(MARIA)

    def test_numbers(self, poor: Poor) -> None:
        """Numbers beyond the budget say so, with a time; the others are resolved."""
        items = poor.resolve(*STRANGERS, MARIA, lookup="ALLOW_NETWORK").items
        statuses = ["NOT_ON_WHATSAPP", "NOT_ON_WHATSAPP", "BUDGET_EXHAUSTED", ""]
        assert statuses == [item.status for item in items]
        assert [False, False, True, False] == [item.retry_after > 0 for item in items]

    def test_group(self, poor: Poor) -> None:
        """Without roster and budget each item has what is known locally, and says why no more."""
        poor.example.sessions.rosters["120363039000000001@g.us"] = poor.example.sessions.rosters[
            GROUP
        ]
        poor.resolve(MARIA, group_jid=GROUP)
        (item,) = poor.resolve(MARIA, group_jid="120363039000000001@g.us").items
        assert ("BUDGET_EXHAUSTED", "Maria Silva") == (item.status, item.full_name)
