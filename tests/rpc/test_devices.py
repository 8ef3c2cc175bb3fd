"""DevicesService: who may do what, what is answered, and what is remembered."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import grpc
import pytest
import segno
from google.protobuf.json_format import MessageToDict
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from failing import Failure, failure_of
from fakes_sessions import SINCE
from wuts.devices.v1 import devices_service_pb2 as pb
from wuts.domain.caller import DeviceId, Role
from wuts.domain.device import PairCode
from wuts.domain.errors import WhatsappTimeout
from wuts.domain.jid import pn_jid
from wuts.domain.state import DeviceState, Reason
from wuts.ports import Linked, QrText

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fakes import Example

Stub = Any  # made at run time
ACCOUNT = pn_jid("5511900000001")
ACTS = ("GetStatus", "ConnectDevice", "DisconnectDevice", "LogoutDevice", "GetQrCode")
STREAMS = ("LinkDevice", "WatchDevice")


class Caller:
    """A user of the tenant `works` with a token, who calls by the name of the rpc."""

    def __init__(self, example: Example, stub: Stub, token: str) -> None:
        self.example, self._stub = example, stub
        self.token = token

    def call(self, rpc: str, **fields: object) -> Any:
        """Calls; gives the answer as the gateway prints it."""
        request = getattr(pb, f"{rpc}Request")(**fields)
        answer = getattr(self._stub, rpc)(request, metadata=self.metadata, timeout=10)
        return MessageToDict(
            answer, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
        )

    def stream(self, rpc: str, **fields: object) -> Any:
        """Calls; gives the stream."""
        request = getattr(pb, f"{rpc}Request")(**fields)
        return getattr(self._stub, rpc)(request, metadata=self.metadata, timeout=10)

    def fail(self, rpc: str, **fields: object) -> Failure:
        """Calls; gives the failure that must come."""
        if rpc in STREAMS:
            return failure_of(lambda: list(self.stream(rpc, **fields)))
        return failure_of(lambda: self.call(rpc, **fields))

    @property
    def metadata(self) -> list[tuple[str, str]]:
        """Whose call it is."""
        return [("authorization", f"Bearer {self.token}")]


class Staff:
    """Callers of tenant `works`, and one of tenant `rivals`, each with a device."""

    def __init__(self, example: Example, stub: Stub) -> None:
        self._example, self._stub = example, stub
        self.ana = self._hire("ana")
        self.bob = self._hire("bob")
        self.manager = self._hire("manager", Role.MANAGER)
        self.admin = self._hire("admin", Role.ADMIN)
        self.rival = self._hire("ana", Role.ADMIN, tenant="rivals")

    def bound(self, device: DeviceId) -> Caller:
        """Ana, with a token bound to a device of hers."""
        return self._caller(self._example.directory.add_token("works", "ana", device))

    def device(
        self, user: str = "ana", state: DeviceState = DeviceState.NEW, tenant: str = "works"
    ) -> DeviceId:
        """Makes a device in that state."""
        example = self._example
        device = example.directory.create_device(tenant, user, name="Front desk")
        if state is not DeviceState.NEW:
            example.sessions.enter(device, state)
            example.sessions.accounts[device] = ACCOUNT
            example.directory.record_linked(device, ACCOUNT)
        return device

    def _hire(self, user: str, role: Role = Role.USER, tenant: str = "works") -> Caller:
        self._example.directory.add_user(tenant, user, role)
        return self._caller(self._example.directory.add_token(tenant, user))

    def _caller(self, token: str) -> Caller:
        return Caller(self._example, self._stub, token)


@pytest.fixture
def staff(example: Example, devices_stub: Stub) -> Iterator[Staff]:
    """The callers; whatever devices they made are gone afterwards."""
    yield Staff(example, devices_stub)
    for tenant in ("works", "rivals"):
        for device in example.directory.devices(tenant):
            example.directory.remove_device(device.id)


class TestVisibility:
    """Which devices exist for whom."""

    @pytest.mark.parametrize("rpc", [*ACTS, *STREAMS, "DeleteDevice", "GetQrStatus"])
    def test_others(self, staff: Staff, rpc: str) -> None:
        """Another user's or tenant's device, and no device at all, are the same answer."""
        mine, theirs = staff.device("ana"), staff.device("ana", tenant="rivals")
        asked = [(staff.bob, mine), (staff.admin, theirs), (staff.rival, mine), (staff.ana, "x")]
        answers = [caller.fail(rpc, device_id=device) for caller, device in asked]
        expected = (grpc.StatusCode.NOT_FOUND, "NOT_FOUND", {"what": "device"})
        assert {expected[1]} == {answer.reason for answer in answers}
        assert [expected] * 4 == [(a.code, a.reason, a.metadata) for a in answers]

    @pytest.mark.parametrize("who", ["manager", "admin"])
    def test_superiors(self, staff: Staff, who: str) -> None:
        """Managers and admins see and touch every device of the tenant."""
        mine = staff.device("ana", DeviceState.CONNECTED)
        superior = getattr(staff, who)
        listed = [device["id"] for device in superior.call("ListDevices")["devices"]]
        status = superior.call("GetStatus", device_id=mine)["data"]["status"]
        message = superior.call("DeleteDevice", device_id=mine)["message"]
        assert ([mine], "connected", "device disconnected") == (listed, status, message)

    def test_users(self, staff: Staff) -> None:
        """A user lists own devices, oldest first."""
        mine = [staff.device("ana") for _ in range(2)]
        staff.device("bob")
        assert mine == [device["id"] for device in staff.ana.call("ListDevices")["devices"]]

    def test_bound(self, staff: Staff) -> None:
        """A token that is bound to a device is good for no other, and for making none."""
        one, other = staff.device(), staff.device()
        bound = staff.bound(one)
        listed = [device["id"] for device in bound.call("ListDevices")["devices"]]
        refused = bound.fail("GetStatus", device_id=other)
        assert ([one], "NOT_FOUND") == (listed, refused.reason)
        assert "FORBIDDEN" == bound.fail("CreateDevice", name="third").reason
        assert one == bound.call("GetStatus")["data"]["device_id"]

    @pytest.mark.parametrize("rpc", [*ACTS, *STREAMS, "CreatePairCode"])
    def test_not_chosen(self, staff: Staff, rpc: str) -> None:
        """Without an id, a user with several devices has to choose."""
        staff.device()
        staff.device()
        more = {"phone": "5511999999999"} if rpc == "CreatePairCode" else {}
        assert "DEVICE_NOT_CHOSEN" == staff.ana.fail(rpc, **more).reason


class TestKeep:
    """CreateDevice, ListDevices, DeleteDevice."""

    def test_create(self, staff: Staff) -> None:
        """The answer has the documented fields, and nothing of an account."""
        device = staff.ana.call("CreateDevice", name="Front desk")["device"]
        assert re.fullmatch("[0-9a-f-]{36}", device.pop("id"))
        expected = {"user_id": "ana", "name": "Front desk", "connected": False}
        times = {"created_at": "2026-06-15T13:45:02Z", "updated_at": "2026-06-15T13:45:02Z"}
        assert expected | times == device

    def test_delete_only_disconnects(self, staff: Staff, example: Example) -> None:
        """Without purge the device stays, linked, and is not connected by a restart."""
        device = staff.device(state=DeviceState.CONNECTED)
        staff.ana.call("DeleteDevice", device_id=device)
        (listed,) = staff.ana.call("ListDevices")["devices"]
        assert (False, str(ACCOUNT)) == (listed["connected"], listed["whatsapp_jid"])
        assert DeviceState.DISCONNECTED == example.sessions.state(device)
        assert device not in example.directory.should_connect

    def test_purge(self, staff: Staff, example: Example) -> None:
        """With purge device, directory and bound tokens are gone, after a log-out."""
        device = staff.device(state=DeviceState.CONNECTED)
        bound = staff.bound(device)
        answer = staff.ana.call("DeleteDevice", device_id=device, purge=True)
        assert "device logged out and removed" == answer["message"]
        assert [] == staff.ana.call("ListDevices")["devices"]
        assert device in example.sessions.forgotten
        assert "UNAUTHORIZED" == bound.fail("ListDevices").reason

    @pytest.mark.parametrize(
        ("state", "error"),
        [
            (DeviceState.NEW, None),
            (DeviceState.BANNED, None),
            (DeviceState.CONNECTED, WhatsappTimeout()),
        ],
    )
    def test_purge_without_a_log_out(
        self,
        staff: Staff,
        example: Example,
        monkeypatch: pytest.MonkeyPatch,
        state: DeviceState,
        error: WhatsappTimeout | None,
    ) -> None:
        """A device that WhatsApp cannot be told of is removed all the same, and that is said."""
        monkeypatch.setattr(example.sessions, "logout_error", error)
        device = staff.device(state=state)
        answer = staff.ana.call("DeleteDevice", device_id=device, purge=True)
        assert "device removed; WhatsApp was not told" == answer["message"]
        assert device in example.sessions.forgotten

    def test_who_may_purge(self, staff: Staff) -> None:
        """The owner and an admin may; a manager, who may disconnect it, may not."""
        first, second = staff.device(), staff.device()
        refused = staff.manager.fail("DeleteDevice", device_id=first, purge=True)
        assert (grpc.StatusCode.PERMISSION_DENIED, "FORBIDDEN") == (refused.code, refused.reason)
        for caller, device in ((staff.admin, first), (staff.ana, second)):
            assert caller.call("DeleteDevice", device_id=device, purge=True)["success"]

    def test_delete_without_an_id(self, staff: Staff) -> None:
        """The only device is not meant by an empty id here."""
        staff.device()
        failure = staff.ana.fail("DeleteDevice", device_id="", purge=True)
        assert ("VALIDATION_ERROR", ["device_id"]) == (failure.reason, failure.fields)


class TestConnect:
    """ConnectDevice, DisconnectDevice, LogoutDevice: also what a restart will do."""

    def test_connect(self, staff: Staff, example: Example) -> None:
        """A disconnected device is connected, now and after a restart."""
        device = staff.device(state=DeviceState.DISCONNECTED)
        example.directory.set_should_connect(device, should_connect=False)
        data = staff.ana.call("ConnectDevice")["data"]
        assert {"status": "connected", "device_id": device, "needs_qr": False} == data
        assert device in example.directory.should_connect

    def test_connect_a_new_one(self, staff: Staff, example: Example) -> None:
        """A device that was never linked needs a code, and a restart leaves it alone."""
        device = staff.device()
        data = staff.ana.call("ConnectDevice")["data"]
        assert {"status": "needs_qr", "device_id": device, "needs_qr": True} == data
        assert device not in example.directory.should_connect

    def test_disconnect(self, staff: Staff, example: Example) -> None:
        """A disconnected device keeps its account, and a restart leaves it alone."""
        device = staff.device(state=DeviceState.CONNECTED)
        data = staff.ana.call("DisconnectDevice")["data"]
        assert {"message": "device disconnected", "device_id": device} == data
        status = staff.ana.call("GetStatus")["data"]
        assert ("disconnected", True) == (status["status"], status["is_logged_in"])
        assert device not in example.directory.should_connect

    def test_logout(self, staff: Staff) -> None:
        """A device that is logged out has no account any more."""
        device = staff.device(state=DeviceState.CONNECTED)
        data = staff.ana.call("LogoutDevice")["data"]
        assert {"message": "device logged out", "device_id": device} == data
        status = staff.ana.call("GetStatus")["data"]
        expected = ("logged_out", False, "LOGGED_OUT_BY_REQUEST")
        assert expected == (status["status"], status["is_logged_in"], status["reason"])
        assert "jid" not in status

    def test_logout_needs_a_connection(self, staff: Staff) -> None:
        """Without a connection the log-out is refused with the state."""
        staff.device(state=DeviceState.DISCONNECTED)
        failure = staff.ana.fail("LogoutDevice")
        assert ("DEVICE_NOT_READY", "DISCONNECTED") == (failure.reason, failure.metadata["state"])


class TestNotReady:
    """DEVICE_NOT_READY says how the device is and when to come back."""

    def test_while_reconnecting(self, staff: Staff, example: Example) -> None:
        """State and reason are told, and the seconds until the next attempt."""
        device = staff.device(state=DeviceState.CONNECTED)
        later = SINCE + timedelta(seconds=7)
        example.sessions.enter(
            device, DeviceState.RECONNECTING, Reason.CONNECTION_LOST, next_retry_at=later
        )
        failure = staff.ana.fail("LogoutDevice")
        expected = {"state": "RECONNECTING", "reason": "CONNECTION_LOST"}
        assert (expected, "7") == (failure.metadata, failure.trailing["retry-after"])

    def test_retry_info(self, staff: Staff, example: Example) -> None:
        """Native callers get the wait as RetryInfo."""
        example.sessions.enter(staff.device(), DeviceState.CONNECTING)
        with pytest.raises(grpc.RpcError) as caught:
            staff.ana.call("LogoutDevice")
        status = rpc_status.from_call(caught.value)  # type: ignore[arg-type]  # an error is its call
        assert status is not None
        retry = error_details_pb2.RetryInfo()
        assert [True] == [d.Unpack(retry) for d in status.details if d.Is(retry.DESCRIPTOR)]
        assert 1 == retry.retry_delay.seconds

    @pytest.mark.parametrize(
        "state",
        [DeviceState.BANNED, DeviceState.OUTDATED, DeviceState.REPLACED, DeviceState.CRASH_LOOP],
    )
    def test_no_cure(
        self,
        staff: Staff,
        example: Example,
        monkeypatch: pytest.MonkeyPatch,
        state: DeviceState,
    ) -> None:
        """A device that connecting does not help stays as it is, and that is said."""
        device = staff.device(state=state)
        status = replace(example.sessions.status(device), reason="BECAUSE")

        async def connect(_: DeviceId) -> object:
            return status

        monkeypatch.setattr(example.sessions, "connect", connect)
        failure = staff.ana.fail("ConnectDevice")
        expected = {"state": str(state), "reason": "BECAUSE"}
        assert ("DEVICE_NOT_READY", expected) == (failure.reason, failure.metadata)


class TestStatus:
    """GetStatus never fails for the state of a device."""

    @pytest.mark.parametrize("state", list(DeviceState))
    def test_every_state(self, staff: Staff, state: DeviceState) -> None:
        """Each state has its word in lower case."""
        device = staff.device(state=state)
        data = staff.ana.call("GetStatus", device_id=device)["data"]
        is_up = state in {DeviceState.CONNECTED, DeviceState.SYNCING}
        assert (state.lower(), is_up) == (data["status"], data["connected"])

    def test_without_any_device(self, staff: Staff) -> None:
        """Who has no device is told that it is new, without an id."""
        expected = {"connected": False, "status": "new", "device_id": "", "is_logged_in": False}
        assert expected == staff.ana.call("GetStatus")["data"]

    def test_ban(self, staff: Staff, example: Example) -> None:
        """A ban has its end."""
        end = datetime(2026, 12, 24, 18, tzinfo=UTC)
        device = staff.device()
        example.sessions.enter(device, DeviceState.BANNED, Reason.BANNED, banned_until=end)
        data = staff.ana.call("GetStatus")["data"]
        assert ("2026-12-24T18:00:00Z", "BANNED") == (data["banned_until"], data["reason"])


class TestCodes:
    """GetQrCode, GetQrStatus, CreatePairCode."""

    def test_image(self, staff: Staff, example: Example) -> None:
        """The image is a PNG of the code, big enough to be scanned."""
        example.sessions.link_steps[staff.device()] = [QrText("2@code")]
        data = staff.ana.call("GetQrCode")["data"]
        kind, _, text = data["image"].partition(",")
        drawn = io.BytesIO()
        segno.make(data["qr_code"], error="l", micro=False).save(drawn, kind="png", scale=5)
        assert ("data:image/png;base64", drawn.getvalue()) == (kind, base64.b64decode(text))

    def test_cache(self, staff: Staff, example: Example) -> None:
        """The second question gets the same code, marked; a refresh a new one."""
        example.sessions.link_steps[staff.device()] = [QrText("2@code")]
        asked = [{}, {}, {"reuse_cache": False}, {"refresh": True}, {"force_new": True}]
        cached = [staff.ana.call("GetQrCode", **fields)["data"]["cached"] for fields in asked]
        assert [False, True, False, False, False] == cached

    def test_no_code(self, staff: Staff) -> None:
        """When no code comes in time, that has an answer of its own."""
        staff.device()
        failure = staff.ana.fail("GetQrCode")
        assert (grpc.StatusCode.DEADLINE_EXCEEDED, "QR_TIMEOUT") == (failure.code, failure.reason)

    @pytest.mark.parametrize("rpc", ["GetQrCode", "CreatePairCode"])
    def test_linked(self, staff: Staff, rpc: str) -> None:
        """A linked device is refused by the field's name."""
        staff.device(state=DeviceState.DISCONNECTED)
        more = {"phone": "5511999999999"} if rpc == "CreatePairCode" else {}
        failure = staff.ana.fail(rpc, **more)
        assert ("VALIDATION_ERROR", ["device_id"]) == (failure.reason, failure.fields)

    def test_status(self, staff: Staff, example: Example) -> None:
        """Whether a code is shown is told without starting anything."""
        device = staff.device()
        before = staff.ana.call("GetQrStatus", device_id=device)["data"]
        state = example.sessions.state(device)
        example.sessions.link_steps[device] = [QrText("2@code")]
        staff.ana.call("GetQrCode")
        after = staff.ana.call("GetQrStatus", device_id=device)["data"]
        assert ({"exists": False}, DeviceState.NEW) == (before, state)
        assert {"exists": True, "generated_at": "2026-01-02T03:04:05Z"} == after

    def test_pair_code(self, staff: Staff, example: Example) -> None:
        """A pair code comes with its number as digits and the seconds left."""
        ends = datetime.now(UTC) + timedelta(seconds=160)
        code = PairCode("ABCD-1234", ACCOUNT, ends)
        example.sessions.link_steps[staff.device()] = [code]
        data = staff.ana.call("CreatePairCode", phone="+55 (11) 99999-9999")["data"]
        assert ("ABCD-1234", "5511999999999") == (data["code"], data["phone"])
        assert 100 < data["expires_in"] <= 160

    @pytest.mark.parametrize("rpc", ["GetQrCode", "CreatePairCode"])
    def test_makes_the_first_device(self, staff: Staff, rpc: str) -> None:
        """A user without any device gets one on the way."""
        more = {"phone": "5511999999999"} if rpc == "CreatePairCode" else {}
        assert "QR_TIMEOUT" == staff.ana.fail(rpc, **more).reason
        assert 1 == len(staff.ana.call("ListDevices")["devices"])


class TestStreams:
    """LinkDevice and WatchDevice."""

    def test_link_by_phone(self, staff: Staff, example: Example) -> None:
        """With a phone number one pair code comes, then the account."""
        ends = datetime.now(UTC) + timedelta(seconds=160)
        code = PairCode("ABCD-1234", ACCOUNT, ends)
        example.sessions.link_steps[staff.device()] = [QrText("2@code"), code, Linked(ACCOUNT)]
        found = list(staff.ana.stream("LinkDevice", phone="5511900000001"))
        kinds = [step.WhichOneof("step") for step in found]
        assert ["pair_code", "linked"] == kinds
        assert ("ABCD-1234", str(ACCOUNT)) == (found[0].pair_code.code, found[1].linked.jid)

    @pytest.mark.parametrize("phone", ["12", "0511900000001"])
    def test_link_with_a_bad_phone(self, staff: Staff, phone: str) -> None:
        """A malformed phone number is refused before a device is made for it."""
        failure = staff.ana.fail("LinkDevice", phone=phone)
        assert ("VALIDATION_ERROR", ["phone"]) == (failure.reason, failure.fields)
        assert [] == staff.ana.call("ListDevices")["devices"]

    def test_link_a_linked_one(self, staff: Staff) -> None:
        """A device that is linked is reported as linked at once."""
        staff.device(state=DeviceState.CONNECTED)
        (step,) = staff.ana.stream("LinkDevice")
        assert str(ACCOUNT) == step.linked.jid

    def test_time_left(self, staff: Staff, example: Example) -> None:
        """Each QR code says for how long it is shown."""
        example.sessions.link_steps[staff.device()] = [QrText("2@code", ttl=60)]
        (step,) = staff.ana.stream("LinkDevice")
        assert ("2@code", 60) == (step.qr_code.text, step.qr_code.ttl)

    def test_watch(self, staff: Staff, example: Example, grpc_server: Any) -> None:
        """The state comes at once, whole, and again after each change."""
        device = staff.device(state=DeviceState.CONNECTED)

        async def change() -> None:
            later = SINCE + timedelta(seconds=2)
            example.sessions.enter(
                device, DeviceState.RECONNECTING, Reason.PROCESS_DIED, next_retry_at=later
            )

        stream = staff.ana.stream("WatchDevice")
        first = next(stream).state
        grpc_server.run(change())
        second = MessageToDict(next(stream).state, preserving_proto_field_name=True)
        stream.cancel()
        assert ("CONNECTED", "2026-01-02T03:04:05Z") == (first.state, first.since)
        assert {
            "device_id": device,
            "state": "RECONNECTING",
            "since": "2026-01-02T03:04:05Z",
            "reason": "PROCESS_DIED",
            "next_retry_at": "2026-01-02T03:04:07Z",
        } == second
