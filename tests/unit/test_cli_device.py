"""`wuts device`, all but linking, against a service whose answers are told beforehand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from cli_service import TOKEN, ToldService, served
from wuts.cli.main import cli
from wuts.devices.v1 import device_pb2, device_state_pb2
from wuts.devices.v1 import devices_service_pb2 as pb
from wuts.domain import errors
from wuts.domain.state import DeviceState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from click.testing import Result

ONE, TWO = "9b2f6c0e-1f5b-4a53-9d3e-0d6f6a0c8a11", "9b2f7777-1f5b-4a53-9d3e-0d6f6a0c8a11"
SINCE = "2026-06-15T13:45:02Z"
FRONT = device_pb2.Device(
    id=ONE,
    user_id="ana",
    name="Front desk",
    whatsapp_jid="5511900000000@s.whatsapp.net",
    connected=True,
    last_seen=SINCE,
    created_at=SINCE,
    updated_at=SINCE,
)
BACK = device_pb2.Device(
    id=TWO, user_id="bob", name="Back office", created_at=SINCE, updated_at=SINCE
)


class Shell:
    """Runs `wuts device` against the service."""

    def __init__(self, service: ToldService) -> None:
        self.service = service
        self.service.answers["ListDevices"] = pb.ListDevicesResponse(
            success=True, devices=[FRONT, BACK]
        )

    def run(self, *words: str, stdin: str | None = None, **environment: str) -> Result:
        """Runs a command line."""
        told = {"WUTS_URL": self.service.url, "WUTS_TOKEN": TOKEN} | environment
        return CliRunner().invoke(cli, ["device", *words], env=told, input=stdin)

    def json(self, *words: str) -> Any:  # as json.loads
        """Runs a command that succeeds and reads its JSON."""
        result = self.run(*words, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)


@pytest.fixture
def shell() -> Iterator[Shell]:
    """Gives a service and a way to call it."""
    with served() as service:
        yield Shell(service)


class TestAdd:
    """Wuts device add."""

    def test_add(self, shell: Shell) -> None:
        """The id stands on standard output, the next step on standard error."""
        shell.service.answers["CreateDevice"] = pb.CreateDeviceResponse(success=True, device=BACK)
        result = shell.run("add", "Back office")
        assert (0, f"added device {TWO}\n") == (result.exit_code, result.stdout)
        assert f"wuts device link {TWO}" in result.stderr
        assert [pb.CreateDeviceRequest(name="Back office")] == shell.service.requests
        assert {f"Bearer {TOKEN}"} == shell.service.tokens

    def test_json(self, shell: Shell) -> None:
        """The JSON is the API's; what is absent there is absent here."""
        shell.service.answers["CreateDevice"] = pb.CreateDeviceResponse(success=True, device=BACK)
        expected = {
            "id": TWO,
            "user_id": "bob",
            "name": "Back office",
            "connected": False,
            "created_at": SINCE,
            "updated_at": SINCE,
        }
        assert expected == shell.json("add", "Back office")

    def test_refused(self, shell: Shell) -> None:
        """The field at fault is named."""
        error = errors.ValidationFailed("name", "must have 1 to 100 characters")
        shell.service.answers["CreateDevice"] = error
        result = shell.run("add", "")
        expected = "Error: VALIDATION_ERROR: name: must have 1 to 100 characters\n"
        assert (1, expected) == (result.exit_code, result.stderr)


class TestList:
    """Wuts device list."""

    def test_table(self, shell: Shell) -> None:
        """A table with one line a device."""
        lines = shell.run("list").stdout.splitlines()
        assert ["id", "name", "user", "number", "connected", "last", "seen"] == lines[0].split()
        assert [ONE, "Front desk", "ana", "+5511900000000", "yes", SINCE] == [
            part.strip() for part in lines[1].split("  ") if part
        ]
        assert [TWO, "Back office", "bob", "-", "no", "-"] == [
            part.strip() for part in lines[2].split("  ") if part
        ]

    def test_json(self, shell: Shell) -> None:
        """The JSON is an array."""
        assert [ONE, TWO] == [device["id"] for device in shell.json("list")]

    def test_none(self, shell: Shell) -> None:
        """Without devices the next step is told."""
        shell.service.answers["ListDevices"] = pb.ListDevicesResponse(success=True)
        result = shell.run("list")
        assert (0, "") == (result.exit_code, result.stdout)
        assert "wuts device add NAME" in result.stderr


class TestNaming:
    """DEVICE in every command."""

    @pytest.mark.parametrize("named", [ONE, "9b2f6", "Front desk"])
    def test_found(self, shell: Shell, named: str) -> None:
        """An id, the start of one, and a name mean the device."""
        shell.service.answers["GetStatus"] = pb.GetStatusResponse(success=True)
        assert 0 == shell.run("status", named).exit_code
        assert pb.GetStatusRequest(device_id=ONE) == shell.service.requests[-1]

    def test_absent(self, shell: Shell) -> None:
        """Without a name the service chooses."""
        shell.service.answers["GetStatus"] = pb.GetStatusResponse(success=True)
        shell.run("status")
        assert [pb.GetStatusRequest()] == shell.service.requests

    @pytest.mark.parametrize(
        ("named", "complaint"),
        [
            ("Nobody", "there is no device 'Nobody'; see `wuts device list`"),
            ("9b2f", f"'9b2f' is several devices: {ONE}, {TWO}"),
            ("9b2", "there is no device '9b2'; see `wuts device list`"),
        ],
    )
    def test_not_found(self, shell: Shell, named: str, complaint: str) -> None:
        """What means none or several is refused before anything is done."""
        result = shell.run("disconnect", named)
        assert (1, f"Error: {complaint}\n") == (result.exit_code, result.stderr)
        assert [pb.ListDevicesRequest()] == shell.service.requests


class TestRemove:
    """Wuts device remove."""

    def test_disconnects(self, shell: Shell) -> None:
        """Without --purge nothing is asked, and the device is only disconnected."""
        shell.service.answers["DeleteDevice"] = pb.DeleteDeviceResponse(
            success=True, message="device disconnected"
        )
        result = shell.run("remove", ONE)
        assert (0, f"device disconnected: {ONE}\n") == (result.exit_code, result.stdout)
        assert [pb.DeleteDeviceRequest(device_id=ONE, purge=False)] == shell.service.requests

    @pytest.mark.parametrize(("words", "stdin"), [(["--yes"], ""), (["-y"], ""), ([], "y\n")])
    def test_purges(self, shell: Shell, words: list[str], stdin: str) -> None:
        """With --purge it is asked first, unless --yes is given."""
        shell.service.answers["DeleteDevice"] = pb.DeleteDeviceResponse(
            success=True, message="device logged out and removed"
        )
        result = shell.run("remove", "Front desk", "--purge", *words, stdin=stdin)
        assert (0, f"device logged out and removed: {ONE}\n") == (result.exit_code, result.stdout)
        assert pb.DeleteDeviceRequest(device_id=ONE, purge=True) == shell.service.requests[-1]

    @pytest.mark.parametrize("stdin", ["n\n", "\n", ""])
    def test_not_confirmed(self, shell: Shell, stdin: str) -> None:
        """Anything but yes, also nobody to ask, leaves the device alone."""
        result = shell.run("remove", ONE, "--purge", stdin=stdin)
        assert (1, []) == (result.exit_code, shell.service.requests)
        assert "Error: not confirmed, nothing was done" in result.stderr

    def test_json(self, shell: Shell) -> None:
        """The JSON tells what was done to what."""
        shell.service.answers["DeleteDevice"] = pb.DeleteDeviceResponse(
            success=True, message="device disconnected"
        )
        expected = {"device_id": ONE, "message": "device disconnected", "purged": False}
        assert expected == shell.json("remove", ONE)


class TestConnection:
    """Wuts device connect, disconnect and logout."""

    @pytest.mark.parametrize("status", ["connected", "connecting"])
    def test_connect(self, shell: Shell, status: str) -> None:
        """What became of it is told."""
        data = device_pb2.Connection(status=status, device_id=ONE)
        shell.service.answers["ConnectDevice"] = pb.ConnectDeviceResponse(success=True, data=data)
        result = shell.run("connect")
        assert (0, f"device {ONE} is {status}\n") == (result.exit_code, result.stdout)

    @pytest.mark.parametrize("words", [[], ["--json"]])
    def test_needs_qr(self, shell: Shell, words: list[str]) -> None:
        """A device that is not linked is exit code 1 and the command that links it."""
        data = device_pb2.Connection(status="needs_qr", device_id=ONE, needs_qr=True)
        shell.service.answers["ConnectDevice"] = pb.ConnectDeviceResponse(success=True, data=data)
        result = shell.run("connect", *words)
        assert (1, True) == (result.exit_code, f"wuts device link {ONE}" in result.stderr)

    def test_disconnect(self, shell: Shell) -> None:
        """Nothing is asked: the device stays linked."""
        data = device_pb2.Outcome(message="device disconnected", device_id=ONE)
        answer = pb.DisconnectDeviceResponse(success=True, data=data)
        shell.service.answers["DisconnectDevice"] = answer
        assert f"disconnected device {ONE}\n" == shell.run("disconnect").stdout
        expected = {"message": "device disconnected", "device_id": ONE}
        assert expected == shell.json("disconnect", ONE)

    def test_logout(self, shell: Shell) -> None:
        """It is asked first."""
        data = device_pb2.Outcome(message="device logged out", device_id=ONE)
        shell.service.answers["LogoutDevice"] = pb.LogoutDeviceResponse(success=True, data=data)
        refused = shell.run("logout", stdin="n\n")
        assert (1, []) == (refused.exit_code, shell.service.requests)
        assert "Log out the device of WhatsApp?" in refused.stderr
        assert f"logged out device {ONE}\n" == shell.run("logout", "--yes").stdout

    def test_logout_while_away(self, shell: Shell) -> None:
        """State, reason and when to retry stand in the one line of the refusal."""
        shell.service.answers["LogoutDevice"] = errors.DeviceNotReady(
            DeviceState.RECONNECTING, reason="PROCESS_DIED", retry_after=3
        )
        expected = (
            "Error: DEVICE_NOT_READY: WhatsApp session is not connected"
            " (state RECONNECTING, reason PROCESS_DIED, retry in 3 s)\n"
        )
        result = shell.run("logout", "--yes")
        assert (1, expected) == (result.exit_code, result.stderr)


class TestStatus:
    """Wuts device status."""

    STATUS = device_state_pb2.DeviceStatus(
        connected=False,
        status="reconnecting",
        device_id=ONE,
        jid="5511900000000@s.whatsapp.net",
        phone_number="5511900000000",
        is_logged_in=True,
        since=SINCE,
        reason="CONNECTION_LOST",
        next_retry_at="2026-06-15T13:45:09Z",
    )

    def test_text(self, shell: Shell) -> None:
        """What is known stands in fixed lines; what is absent is left out."""
        shell.service.answers["GetStatus"] = pb.GetStatusResponse(success=True, data=self.STATUS)
        assert shell.run("status", ONE).stdout.splitlines() == [
            f"device:       {ONE}",
            "state:        RECONNECTING",
            f"since:        {SINCE}",
            "reason:       CONNECTION_LOST",
            "next attempt: 2026-06-15T13:45:09Z",
            "number:       +5511900000000",
        ]

    def test_json(self, shell: Shell) -> None:
        """The JSON is the API's."""
        shell.service.answers["GetStatus"] = pb.GetStatusResponse(success=True, data=self.STATUS)
        told = shell.json("status")
        assert (False, "reconnecting", ONE) == (
            told["connected"],
            told["status"],
            told["device_id"],
        )

    def test_no_device(self, shell: Shell) -> None:
        """A user without a device is told how to get one."""
        data = device_state_pb2.DeviceStatus(status="new")
        shell.service.answers["GetStatus"] = pb.GetStatusResponse(success=True, data=data)
        first, second = shell.run("status").stdout.splitlines()
        assert (
            "device:       none yet; `wuts device add NAME` makes one",
            "state:        NEW",
        ) == (
            first,
            second,
        )

    def test_watch(self, shell: Shell) -> None:
        """Each change is a line, or an object; the end of the service ends it."""
        states = [
            device_state_pb2.DeviceState(device_id=ONE, state="CONNECTED", since=SINCE),
            device_state_pb2.DeviceState(
                device_id=ONE,
                state="RECONNECTING",
                since=SINCE,
                reason="PROCESS_DIED",
                next_retry_at="2026-06-15T13:45:09Z",
            ),
        ]
        shell.service.answers["WatchDevice"] = [pb.WatchDeviceResponse(state=s) for s in states]
        text, lines = shell.run("status", "--watch"), shell.run("status", "-w", "--json")
        assert text.stdout.splitlines() == [
            f"{SINCE}  CONNECTED",
            f"{SINCE}  RECONNECTING   PROCESS_DIED  next attempt 2026-06-15T13:45:09Z",
        ]
        assert (1, True) == (text.exit_code, "the service has ended the watch" in text.stderr)
        told = [json.loads(line) for line in lines.stdout.splitlines()]
        assert ["CONNECTED", "RECONNECTING"] == [one["state"] for one in told]


class TestRefusals:
    """What every command has in common."""

    def test_unreachable(self, shell: Shell) -> None:
        """Nobody there is one line that says so."""
        result = shell.run("list", WUTS_URL="http://127.0.0.1:1")
        expected = "Error: cannot reach the service; is it running, and is --url right?\n"
        assert (1, expected) == (result.exit_code, result.stderr)

    def test_unknown_device(self, shell: Shell) -> None:
        """The service's refusal is passed on."""
        shell.service.answers["GetStatus"] = errors.NotFound("device")
        result = shell.run("status", ONE)
        assert (1, "Error: NOT_FOUND: not found\n") == (result.exit_code, result.stderr)

    @pytest.mark.parametrize(
        "words", [["add"], ["remove"], ["list", "--colour"], ["link", "--code", "12"]]
    )
    def test_wrong_usage(self, shell: Shell, words: list[str]) -> None:
        """Wrong usage is exit code 2, and nothing is asked of the service."""
        assert (2, []) == (shell.run(*words).exit_code, shell.service.requests)

    def test_no_token(self, shell: Shell) -> None:
        """A missing token is wrong usage, and the variable is named."""
        told = {"WUTS_URL": shell.service.url, "WUTS_TOKEN": None}
        result = CliRunner().invoke(cli, ["device", "list"], env=told)
        assert (2, True) == (result.exit_code, "WUTS_TOKEN" in result.stderr)

    @pytest.mark.parametrize(
        "command",
        ["add", "list", "link", "pair", "status", "connect", "disconnect", "logout", "remove"],
    )
    def test_help(self, shell: Shell, command: str) -> None:
        """The help of every command shows an example."""
        assert f"  wuts device {command}" in shell.run(command, "--help").stdout
