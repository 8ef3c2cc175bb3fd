"""`wuts device link`: codes in a terminal, in a pipe, and as JSON."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import segno
from click.testing import CliRunner

from cli_service import TOKEN, ToldService, served
from terminals import Terminal
from wuts.cli.device.code_view import qr_rows
from wuts.cli.main import cli
from wuts.devices.v1 import device_pb2
from wuts.devices.v1 import devices_service_pb2 as pb
from wuts.domain import errors
from wuts.domain.state import DeviceState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from click.testing import Result

DEVICE = "9b2f6c0e-1f5b-4a53-9d3e-0d6f6a0c8a11"
WUTS = str(Path(sys.executable).parent / "wuts")
FIRST, SECOND = ("2@" + letter * 200 + ",key=,key=,key=" for letter in "AB")


def qr(text: str, ttl: int = 20) -> pb.LinkDeviceResponse:
    """Makes a step that shows a code."""
    return pb.LinkDeviceResponse(device_id=DEVICE, qr_code=device_pb2.QrCode(text=text, ttl=ttl))


PAIR_CODE = pb.LinkDeviceResponse(
    device_id=DEVICE,
    pair_code=device_pb2.PairCode(code="ABCD-1234", phone="5511999999999", expires_in=160),
)
LINKED = pb.LinkDeviceResponse(
    device_id=DEVICE, linked=device_pb2.Linked(jid="5511900000000@s.whatsapp.net")
)
TIMED_OUT = errors.DeviceNotReady(DeviceState.NEW, reason="QR_TIMEOUT")


@pytest.fixture
def service() -> Iterator[ToldService]:
    """Gives a service whose answers are told beforehand."""
    with served() as service:
        yield service


def environment(service: ToldService) -> dict[str, str]:
    """Tells the commands where the service is."""
    return {"WUTS_URL": service.url, "WUTS_TOKEN": TOKEN}


def run(service: ToldService, *words: str) -> Result:
    """Runs `wuts device link` without a terminal."""
    return CliRunner().invoke(cli, ["device", "link", *words], env=environment(service))


class TestRows:
    """The drawn code."""

    def test_every_module_is_there(self) -> None:
        """Read back, the half blocks are the code with a border of two."""
        lights = {"█": (0, 0), "▀": (0, 1), "▄": (1, 0), " ": (1, 1)}
        read = []
        for row in qr_rows(FIRST):
            read += [[lights[cell][half] for cell in row] for half in (0, 1)]
        code = segno.make(FIRST, error="l").matrix_iter(border=2)
        expected = [[int(bool(cell)) for cell in row] for row in code]
        assert expected == read[: len(expected)]
        assert all(not any(row) for row in read[len(expected) :])


class TestPipe:
    """Without a terminal."""

    def test_codes_one_after_another(self, service: ToldService) -> None:
        """Each code is printed once, then the linked number."""
        service.answers["LinkDevice"] = [qr(FIRST), qr(SECOND), LINKED]
        result = run(service, DEVICE)
        assert 0 == result.exit_code, result.output
        drawn = [line for line in result.stdout.splitlines() if set(line) & set("█▀▄")]
        assert qr_rows(FIRST) + qr_rows(SECOND) == drawn
        assert result.stdout.endswith(f"linked device {DEVICE} to +5511900000000\n")
        assert [pb.LinkDeviceRequest(device_id=DEVICE)] == service.requests

    def test_linked_already(self, service: ToldService) -> None:
        """A device that is linked is no failure, and not said to be linked just now."""
        service.answers["LinkDevice"] = [LINKED]
        result = run(service)
        expected = f"device {DEVICE} is linked to +5511900000000 already\n"
        assert (0, expected) == (result.exit_code, result.stdout)

    def test_json(self, service: ToldService) -> None:
        """Each step is an object on a line of its own."""
        service.answers["LinkDevice"] = [qr(FIRST), PAIR_CODE, LINKED]
        lines = [json.loads(line) for line in run(service, "--json").stdout.splitlines()]
        assert lines == [
            {"device_id": DEVICE, "event": "qr_code", "text": FIRST, "ttl": 20},
            {
                "device_id": DEVICE,
                "event": "pair_code",
                "code": "ABCD-1234",
                "phone": "5511999999999",
                "expires_in": 160,
            },
            {"device_id": DEVICE, "event": "linked", "jid": "5511900000000@s.whatsapp.net"},
        ]

    @pytest.mark.parametrize("written", ["+55 (11) 99999-9999", "5511999999999"])
    def test_pair_code(self, service: ToldService, written: str) -> None:
        """The number goes out as digits; the code is shown with what to do."""
        service.answers["LinkDevice"] = [PAIR_CODE, LINKED]
        result = run(service, "--code", written)
        assert [pb.LinkDeviceRequest(phone="5511999999999")] == service.requests
        assert "    ABCD-1234\n" in result.stdout
        assert "On the phone with +5511999999999" in result.stdout


class TestFailure:
    """Why a device was not linked."""

    @pytest.mark.parametrize(
        ("error", "expected"),
        [
            (TIMED_OUT, "not linked: nobody used a code in time; run it again (QR_TIMEOUT)"),
            (
                errors.DeviceNotReady(DeviceState.NEW, reason="PAIRING_REFUSED"),
                "not linked: WhatsApp refused the pairing; run it again (PAIRING_REFUSED)",
            ),
            (
                errors.QrTimeout(),
                "not linked: nobody used a code in time; run it again (QR_TIMEOUT)",
            ),
            (
                errors.DeviceNotReady(DeviceState.CRASH_LOOP),
                "DEVICE_NOT_READY: WhatsApp session is not connected (state CRASH_LOOP)",
            ),
            (errors.NotFound("device"), "NOT_FOUND: not found"),
        ],
        ids=["time", "refused", "no code", "state", "unknown"],
    )
    def test_words(self, service: ToldService, error: Exception, expected: str) -> None:
        """The reason is told in words, on stderr, with exit code 1."""
        service.answers["LinkDevice"] = [qr(FIRST), error]
        result = run(service, DEVICE)
        assert (1, f"Error: {expected}\n") == (result.exit_code, result.stderr)

    def test_json(self, service: ToldService) -> None:
        """The last object says why."""
        service.answers["LinkDevice"] = [TIMED_OUT]
        result = run(service, "--json")
        assert (1, "failed", "QR_TIMEOUT", "NEW") == (
            result.exit_code,
            *(json.loads(result.stdout)[key] for key in ("event", "reason", "state")),
        )

    def test_an_end_without_a_word(self, service: ToldService) -> None:
        """A stream that just ends is no success."""
        service.answers["LinkDevice"] = [qr(FIRST)]
        result = run(service)
        expected = "Error: not linked: the service has ended the attempt\n"
        assert (1, expected) == (result.exit_code, result.stderr)


class TestTerminal:
    """In a terminal."""

    def test_redraws_in_place(self, service: ToldService) -> None:
        """The next code is drawn over the last one; in the end no code is left."""
        rotated, scanned = threading.Event(), threading.Event()
        service.answers["LinkDevice"] = [qr(FIRST), rotated, qr(SECOND, 60), scanned, LINKED]
        with Terminal([WUTS, "device", "link"], environment(service)) as terminal:
            terminal.expect("Good for 19 s.")
            assert all(row in terminal.text for row in qr_rows(FIRST))
            rotated.set()
            terminal.expect("Good for 59 s.")
            shown = terminal.frame.splitlines()
            assert qr_rows(SECOND) == [line for line in shown if set(line) & set("█▀▄")]
            assert terminal.redraws >= 2
            scanned.set()
            assert 0 == terminal.end()
            assert f"linked device {DEVICE} to +5511900000000" == terminal.frame.strip()

    def test_time_runs_out(self, service: ToldService) -> None:
        """A code whose time is over is said to be waiting for the next one."""
        service.answers["LinkDevice"] = [qr(FIRST, 1), ToldService.HOLD]
        with Terminal([WUTS, "device", "link"], environment(service)) as terminal:
            terminal.expect("Waiting for the next code ...")
            terminal.type("\x03")
            assert 130 == terminal.end()

    @pytest.mark.parametrize("words", [["link"], ["status", "--watch"]])
    def test_interrupted(self, service: ToldService, words: list[str]) -> None:
        """Ctrl-C ends the call and the command: no traceback, the cursor is back, 130."""
        state = pb.WatchDeviceResponse()
        state.state.state = "CONNECTED"
        service.answers["WatchDevice"] = [state, ToldService.HOLD]
        service.answers["LinkDevice"] = [qr(FIRST), ToldService.HOLD]
        with Terminal([WUTS, "device", *words], environment(service)) as terminal:
            terminal.expect("Good for" if words == ["link"] else "CONNECTED")
            terminal.type("\x03")
            assert 130 == terminal.end()
            assert "Traceback" not in terminal.text
            assert terminal.raw.count("\x1b[?25l") == terminal.raw.count("\x1b[?25h")
        assert service.gone.wait(30)

    def test_told_to_end(self, service: ToldService) -> None:
        """SIGTERM gives the cursor back, too."""
        service.answers["LinkDevice"] = [qr(FIRST), ToldService.HOLD]
        with Terminal([WUTS, "device", "link"], environment(service)) as terminal:
            terminal.expect("Good for")
            terminal.process.terminate()
            assert 143 == terminal.end()
            assert terminal.raw.count("\x1b[?25l") == terminal.raw.count("\x1b[?25h")

    def test_interrupted_question(self, service: ToldService) -> None:
        """Ctrl-C at a question is no answer: nothing is done, 130."""
        with Terminal([WUTS, "device", "logout"], environment(service)) as terminal:
            terminal.expect("Log out the device of WhatsApp? [y/N]: ")
            assert 130 == terminal.interrupt()
        assert [] == service.requests

    def test_too_small(self, service: ToldService) -> None:
        """Where the code does not fit it is never cut; enlarging the window shows it."""
        service.answers["LinkDevice"] = [qr(FIRST, 60), ToldService.HOLD]
        command = [WUTS, "device", "link"]
        with Terminal(command, environment(service), columns=80, lines=24) as terminal:
            terminal.expect("this terminal has 80 and 24")
            assert "█" not in terminal.text
            terminal.resize(columns=100, lines=50)
            terminal.expect("Good for")
            assert all(row in terminal.text for row in qr_rows(FIRST))
            terminal.type("\x03")
            assert 130 == terminal.end()

    def test_not_utf8(self, service: ToldService) -> None:
        """A terminal without the blocks is told what to set, and shown no garbage."""
        service.answers["LinkDevice"] = [qr(FIRST), LINKED]
        told = environment(service) | {"LANG": "C", "LC_ALL": "C", "PYTHONIOENCODING": "ascii"}
        with Terminal([WUTS, "device", "link"], told) as terminal:
            assert 0 == terminal.end()
            assert "?" not in terminal.text.partition("linked")[0]
