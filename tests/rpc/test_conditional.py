"""ETag and If-None-Match over a real channel."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from failing import failure_of
from fakes import OWN, Example
from wuts.adapters.revisions.limits import Limits
from wuts.adapters.revisions.revisions import ListRevisions
from wuts.contacts.v1 import contacts_service_pb2 as pb
from wuts.contacts.v1 import contacts_service_pb2_grpc as pb_grpc
from wuts.devices.v1 import devices_service_pb2 as devices_pb
from wuts.devices.v1 import devices_service_pb2_grpc as devices_grpc
from wuts.domain.contact import Names
from wuts.domain.state import DeviceState

from .conftest import ServerThread

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wuts.rpc.server import Ports

_LIMIT = 10
ANA = "5511777777777@s.whatsapp.net"


class Answer:
    """A list, and what was told ahead of it."""

    def __init__(self, message: pb.ListContactsResponse, told: dict[str, Any]) -> None:
        self.message = message
        self.told = told

    @property
    def is_unchanged(self) -> bool:
        """Whether the caller's copy is still good: then there is nothing else."""
        is_empty = self.message == pb.ListContactsResponse()
        assert (self.told.get("x-status") == "304") == is_empty
        return is_empty

    @property
    def tag(self) -> str:
        """The list's tag."""
        return str(self.told["etag"])


class Caller:
    """Calls a server that keeps revisions."""

    def __init__(self, directory: Path, limits: Limits | None = None) -> None:
        self.example = Example()
        (directory / self.example.device).mkdir()
        self._directory, self._limits = directory, limits
        self.thread = ServerThread(self.example, change=self._ports)
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.thread.server.port}")
        self.stub = pb_grpc.ContactsServiceStub(self.channel)

    def _ports(self, ports: Ports) -> Ports:
        # On the server's loop, to which they belong.
        self._revisions = ListRevisions(self.example.store, self._directory, limits=self._limits)
        return dataclasses.replace(ports, revisions=self._revisions)

    def list(self, *held: str, token: str = "", **parameters: Any) -> Answer:
        """Lists, with tags that are held."""
        tags = (("if-none-match", tag) for tag in held)
        metadata = (("authorization", token or self.example.token), *tags)
        request = pb.ListContactsRequest(**parameters)
        message, call = self.stub.ListContacts.with_call(request, metadata=metadata, timeout=_LIMIT)
        return Answer(message, dict(call.initial_metadata()))

    def close(self) -> None:
        """Ends it."""
        self.channel.close()
        self.thread.run(self._revisions.close())
        self.thread.close()


@pytest.fixture
def caller(tmp_path: Path) -> Iterator[Caller]:
    """A caller of a server of its own."""
    made = Caller(tmp_path)
    yield made
    made.close()


class TestIfNoneMatch:
    """If-None-Match on ListContacts."""

    def test_unchanged(self, caller: Caller) -> None:
        """A caller who has the list gets nothing but the word that it is unchanged."""
        first = caller.list()
        again = caller.list(first.tag)
        assert (False, True) == (first.is_unchanged, again.is_unchanged)
        assert first.tag == again.tag

    def test_what_is_told(self, caller: Caller) -> None:
        """The tag is weak, and the answer is the caller's own for five seconds."""
        told = caller.list().told
        assert told["etag"].startswith('W/"')
        expected = ("private, max-age=5", "authorization")
        assert expected == (told["cache-control"], told["vary"])
        assert "x-status" not in told

    def test_what_an_unchanged_list_tells(self, caller: Caller) -> None:
        """The same, with the status for the gateway."""
        told = caller.list(caller.list().tag).told
        expected = ("304", "private, max-age=5", "authorization")
        assert expected == (told["x-status"], told["cache-control"], told["vary"])

    def test_is_not_read(self, caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
        """An unchanged list is not read."""
        tag = caller.list().tag
        monkeypatch.delattr(type(caller.example.store), "page")
        assert caller.list(tag).is_unchanged

    @pytest.mark.parametrize(
        "form", ["{}", '"other", {}', 'W/"other",{}', "*", "  {} ", '{}, "x"', 'garbage {} "']
    )
    def test_forms(self, caller: Caller, form: str) -> None:
        """Tags come alone, in lists, or as a star."""
        tag = caller.list().tag
        assert caller.list(form.format(tag)).is_unchanged

    def test_strong_form(self, caller: Caller) -> None:
        """Tags are compared weakly: caches may have dropped the mark."""
        assert caller.list(caller.list().tag.removeprefix("W/")).is_unchanged

    def test_several_entries(self, caller: Caller) -> None:
        """Several entries are one list."""
        assert caller.list('"other"', caller.list().tag).is_unchanged

    @pytest.mark.parametrize("held", ['"other"', "", "garbage", 'W/""', "304", '"', ",,,"])
    def test_other_tags(self, caller: Caller, held: str) -> None:
        """Whatever else is sent, the list comes."""
        caller.list()
        assert not caller.list(held).is_unchanged

    def test_nothing_is_known(self, caller: Caller) -> None:
        """Until a list was read nothing is said of it."""
        assert not caller.list('"any"').is_unchanged


class TestTag:
    """What a tag stands for."""

    def test_parameters(self, caller: Caller) -> None:
        """Every parameter that changes the answer changes the tag."""
        page = caller.list(page_size=1)
        answers = [
            caller.list(),
            caller.list(view="FULL"),
            caller.list(page_size=10),
            caller.list(page_size=1),
            caller.list(page_size=1, page_token=page.message.next_page_token),
        ]
        assert 5 == len({answer.tag for answer in answers})

    def test_default_view(self, caller: Caller) -> None:
        """Two ways to ask the same have the same tag."""
        assert caller.list().tag == caller.list(view="BASIC").tag

    def test_syncing(self, caller: Caller) -> None:
        """A list that is still being synced is not the list afterwards."""
        caller.example.sessions.states[caller.example.device] = DeviceState.SYNCING
        before = caller.list().tag
        caller.example.sessions.states[caller.example.device] = DeviceState.CONNECTED
        assert before != caller.list().tag

    def test_devices(self, caller: Caller) -> None:
        """The same list of another device has another tag."""
        token = caller.example.add_user("twin", devices=1)
        twin = caller.example.directory.authenticate(token)
        assert twin is not None
        store, device = caller.example.store, twin.device()
        store.link(device, OWN)
        store.link(caller.example.device, OWN)
        caller.example.sessions.states[device] = DeviceState.CONNECTED
        one, other = caller.list(), caller.list(token=token)
        assert one.message == other.message
        assert one.tag != other.tag
        assert not caller.list(one.tag, token=token).is_unchanged

    def test_tells_nothing(self, caller: Caller) -> None:
        """A tag is short and no text of the list."""
        assert len('W/""') + 20 == len(caller.list().tag)

    def test_page(self, caller: Caller) -> None:
        """A page of a list that is known is recognised, too."""
        caller.list()
        tag = caller.list(page_size=1).tag
        assert caller.list(tag, page_size=1).is_unchanged


class TestChange:
    """A list that changes."""

    @pytest.fixture
    def strict(self, tmp_path: Path) -> Iterator[Caller]:
        """A caller of a server that trusts no knowledge of before."""
        made = Caller(tmp_path, Limits(stale_seconds=0, settle_seconds=60))
        yield made
        made.close()

    def test_changed(self, strict: Caller) -> None:
        """A changed list comes whole, under another tag."""
        tag = strict.list().tag
        strict.example.store.add_row(strict.example.device, ANA, Names(push="Ana"))
        changed = strict.list(tag)
        assert (3, True) == (changed.message.count, changed.tag != tag)

    def test_changed_and_back(self, strict: Caller) -> None:
        """A list that is the same again is recognised once it has been read."""
        tag = strict.list().tag
        store, device = strict.example.store, strict.example.device
        store.add_row(device, ANA, Names(push="Ana"))
        changed = strict.list(tag).tag
        store.remove_rows(device, [ANA])
        assert strict.list(tag).is_unchanged
        assert not strict.list(changed).is_unchanged

    def test_other_writes(self, strict: Caller) -> None:
        """After a write that changed no contact the list is read, and recognised."""
        tag = strict.list().tag
        strict.example.store.touch()
        assert strict.list(tag).is_unchanged


class TestRefusals:
    """What If-None-Match does not get past."""

    def test_not_connected(self, caller: Caller) -> None:
        """A device that is not connected is told so, whatever the caller holds."""
        tag = caller.list().tag
        caller.example.sessions.states[caller.example.device] = DeviceState.LOGGED_OUT
        assert "DEVICE_NOT_READY" == failure_of(lambda: caller.list(tag)).reason

    def test_unknown_token(self, caller: Caller) -> None:
        """A tag is no token."""
        held = caller.list().tag
        token = "00000000-0000-4000-8000-000000000000"
        assert "UNAUTHORIZED" == failure_of(lambda: caller.list(held, token=token)).reason

    @pytest.mark.parametrize(
        ("parameters", "field"),
        [
            ({"page_size": 0}, "page_size"),
            ({"page_token": "x"}, "page_token"),
            ({"view": "x"}, "view"),
        ],
    )
    def test_bad_parameters(self, caller: Caller, parameters: dict[str, Any], field: str) -> None:
        """A request that is refused is refused with a tag, too, and has none itself."""
        failure = failure_of(lambda: caller.list(caller.list().tag, **parameters))
        assert [field] == failure.fields


class TestPurge:
    """DeleteDevice with revisions."""

    def test_forgets(self, caller: Caller) -> None:
        """Nothing of a removed device is known any more."""
        tag = caller.list().tag
        stub = devices_grpc.DevicesServiceStub(caller.channel)
        request = devices_pb.DeleteDeviceRequest(device_id=caller.example.device, purge=True)
        metadata = (("authorization", caller.example.token),)
        stub.DeleteDevice(request, metadata=metadata, timeout=9)
        assert "DEVICE_NOT_READY" == failure_of(lambda: caller.list(tag)).reason
