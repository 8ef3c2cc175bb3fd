"""wuts.client: complete, light, and careful about what it does twice."""

from __future__ import annotations

import dataclasses
import inspect
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf.descriptor_pb2 import MethodOptions

import wuts.client
from wuts.client import (
    AsyncClient,
    Client,
    contact_calls,
    contact_values,
    device_calls,
    device_values,
)
from wuts.client.asking import LONG, SHORT, Ask
from wuts.client.reading import value_of
from wuts.contacts.v1 import (
    blocklist_pb2,
    budget_pb2,
    contact_pb2,
    contacts_service_pb2,
    picture_pb2,
    profile_pb2,
    resolved_identifier_pb2,
)
from wuts.devices.v1 import device_pb2, device_state_pb2, devices_service_pb2

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor

REQUIREMENTS = Path(__file__).resolve().parents[2] / "requirements" / "client.txt"
_ARGUMENTS: dict[str, Any] = {
    "jids": ["1"],
    "phone": "1",
    "device_id": "1",
    "name": "1",
    "numbers": ["1"],
}
_OTHER_NAMES = {
    "ContactPage": "ListContactsResponse",
    "Resolution": "ResolveIdentifiersResponse",
    "LinkStep": "LinkDeviceResponse",
    "AppStateSync": "SyncAppStateResponse",
}
_NOT_TOLD = {"success", "count"}
# Always true, and the length of the list.


def _calls() -> dict[str, Ask[object]]:
    """Makes every call, with an argument for each parameter that needs one."""
    made: dict[str, Ask[object]] = {}
    for module in (contact_calls, device_calls):
        for name, call in inspect.getmembers(module, inspect.isfunction):
            if call.__module__ == module.__name__ and not name.startswith("_"):
                needed = [
                    one.name
                    for one in inspect.signature(call).parameters.values()
                    if one.default is inspect.Parameter.empty
                ]
                made[name] = call(**{one: _ARGUMENTS[one] for one in needed})
    return made


def _rpcs() -> dict[str, Any]:
    """Lists the rpcs of both services by path."""
    return {
        f"/{service.full_name}/{rpc.name}": rpc
        for module in (contacts_service_pb2, devices_service_pb2)
        for service in module.DESCRIPTOR.services_by_name.values()
        for rpc in service.methods
    }


def _messages() -> dict[str, Descriptor]:
    modules = (
        *(budget_pb2, contact_pb2, contacts_service_pb2, picture_pb2, resolved_identifier_pb2),
        *(device_pb2, device_state_pb2, devices_service_pb2),
        *(blocklist_pb2, profile_pb2),
    )
    return {
        name: found
        for module in modules
        for name, found in module.DESCRIPTOR.message_types_by_name.items()
    }


def _values() -> list[type]:
    return [
        kind
        for module in (contact_values, device_values)
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if dataclasses.is_dataclass(kind)
    ]


class TestCalls:
    """Every rpc is a call, and every call a method of both clients."""

    def test_every_rpc_has_one(self) -> None:
        """Calls and rpcs are the same set."""
        assert set(_rpcs()) == {call.path for call in _calls().values()}

    @pytest.mark.parametrize("client", [Client, AsyncClient])
    def test_every_call_is_a_method(self, client: type) -> None:
        """Both clients have the same methods, with the parameters of the calls."""
        public = {name for name in vars(client) if not name.startswith("_")}
        assert set(_calls()) | {"contacts", "close"} == public
        for module in (contact_calls, device_calls):
            for name in set(_calls()) & set(vars(module)):
                of_method = inspect.signature(getattr(client, name)).parameters
                of_call = inspect.signature(getattr(module, name)).parameters
                assert ["self", *of_call] == list(of_method)

    def test_only_calls_without_side_effects_are_safe(self) -> None:
        """What may be made twice is what the protos mark NO_SIDE_EFFECTS."""
        marked = {
            path
            for path, rpc in _rpcs().items()
            if rpc.GetOptions().idempotency_level == MethodOptions.NO_SIDE_EFFECTS
        }
        assert marked == {call.path for call in _calls().values() if call.is_safe}
        assert 6 <= len(marked) < len(_rpcs())

    def test_streams_have_no_deadline_of_their_own(self) -> None:
        """Calls have a deadline that suits them; only streams have none."""
        endless = {call.path for call in _calls().values() if call.usual_timeout is None}
        assert {path for path, rpc in _rpcs().items() if rpc.server_streaming} == endless
        assert {SHORT, LONG, None} == {call.usual_timeout for call in _calls().values()}

    def test_streams_with_tokens_can_be_resumed(self) -> None:
        """A stream goes on by itself exactly where its messages say how."""
        resuming = {call.path for call in _calls().values() if call.rest}
        assert resuming == {
            path
            for path, rpc in _rpcs().items()
            if rpc.server_streaming and "next_page_token" in rpc.output_type.fields_by_name
        }


class TestValues:
    """The dataclasses tell what the messages tell."""

    @pytest.mark.parametrize("kind", _values(), ids=lambda kind: kind.__name__)
    def test_fields(self, kind: type[Any]) -> None:
        """A dataclass has the fields of its message."""
        message = _messages()[_OTHER_NAMES.get(kind.__name__, kind.__name__)]
        fields = {one.name for one in dataclasses.fields(kind)}
        # After a change of the blocklist the list itself is not there to be counted.
        left_out = _NOT_TOLD - {"count"} if kind.__name__ == "BlockChange" else _NOT_TOLD
        assert set(message.fields_by_name) - left_out == fields

    def test_a_page_is_a_page(self) -> None:
        """Pages of a stream have the fields of listed ones, by the same numbers."""
        pages = (_messages()[name] for name in ("ListContactsResponse", "StreamContactsResponse"))
        listed, streamed = ([(f.number, f.name) for f in page.fields] for page in pages)
        assert listed == streamed

    def test_all_can_be_imported(self) -> None:
        """Every dataclass is a name of wuts.client."""
        assert {kind.__name__ for kind in _values()} <= set(wuts.client.__all__)

    def test_absence(self) -> None:
        """What is absent is None; what is set to nothing is not."""
        contact = value_of(contact_values.Contact, contact_pb2.Contact(jid="1", push_name=""))
        assert ("1", "", None) == (contact.jid, contact.push_name, contact.full_name)

    def test_a_moment(self) -> None:
        """Timestamps are datetimes in UTC."""
        message = budget_pb2.Budget()
        message.quiet_until.FromJsonString("2026-06-15T13:45:02.5Z")
        found = value_of(contact_values.Budget, message).quiet_until
        assert found is not None
        assert "2026-06-15T13:45:02.500000+00:00" == found.isoformat()

    def test_can_be_told_apart(self) -> None:
        """Values are equal, and hash alike, when they say the same."""
        one, same, other = (
            value_of(device_values.Linked, device_pb2.Linked(jid=jid)) for jid in ("1", "1", "2")
        )
        assert {one, other} == {one, same, other}


class TestWeight:
    """Whoever wants the client alone need not install a server."""

    def test_needs_only_what_its_lock_file_names(self, tmp_path: Path) -> None:
        """It can be imported where only the packages of requirements/client.txt are."""
        names = re.findall(r"^([a-z0-9-]+)==", REQUIREMENTS.read_text(), re.MULTILINE)
        for name in names:
            _lay_out(metadata.distribution(name), tmp_path)
        (tmp_path / "wuts").symlink_to(Path(wuts.client.__file__).parents[1])
        script = f"import sys; sys.path.append({str(tmp_path)!r}); import wuts.client"
        script += "; print(*{one.split('.')[1] for one in sys.modules if one.startswith('wuts.')})"
        done = subprocess.run(
            [sys.executable, "-ISBc", script], capture_output=True, text=True, check=False
        )
        assert ({"client", "contacts", "devices"}, "") == (set(done.stdout.split()), done.stderr)


def _lay_out(package: metadata.Distribution, directory: Path) -> None:
    """Puts the modules of an installed package into a directory, as links."""
    for file in package.files or ():
        if ".." not in file.parts and file.suffix != ".pyc":
            place = directory / file
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(str(package.locate_file(file)))
