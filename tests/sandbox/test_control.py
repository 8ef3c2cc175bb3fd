"""Tests of the control commands, their socket and `wuts-sandbox ctl`."""

from __future__ import annotations

import json
import socket
import stat
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from sandbox.mixed_world import MIXED
from sandbox.running import EmulatorProcess, running_emulator
from wuts_sandbox import client
from wuts_sandbox.cli import main
from wuts_sandbox.control.server import ControlPathError, check_path, run_line
from wuts_sandbox.emulator.faults import Door, Faults, QueryFault, Span
from wuts_sandbox.emulator.kinds import Kind
from wuts_sandbox.emulator.server import Emulator
from wuts_sandbox.world.document import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ONE, OTHER = "5511900000001", "5511900000002"


async def answer(emulator: Emulator, command: str, **fields: object) -> dict[str, Any]:
    """Runs one command in this process."""
    return await run_line(emulator, json.dumps({"command": command, **fields}).encode())


@pytest.fixture
def emulator() -> Emulator:
    """Makes an emulator that is not started."""
    return Emulator(World.model_validate(MIXED))


class TestRunLine:
    """Commands do what they say, or refuse with a code."""

    async def test_accounts(self, emulator: Emulator) -> None:
        """Accounts are listed in the world's order, none of them linked yet."""
        result = (await answer(emulator, "accounts"))["result"]["accounts"]
        assert [(one["pn"], one["linked"]) for one in result] == [(ONE, False), (OTHER, False)]

    async def test_world(self, emulator: Emulator) -> None:
        """The world comes out as a valid document."""
        result = (await answer(emulator, "world"))["result"]
        assert World.model_validate(MIXED) == World.model_validate(result)

    async def test_faults_of_one_account(self, emulator: Emulator) -> None:
        """Lifting the faults of one account leaves those of others and of all."""
        for account in (ONE, OTHER, None):
            told = {} if account is None else {"account": account}
            await answer(emulator, "drop", kind="ping", **told)
            await answer(emulator, "login-failure", reason="503", **told)
        await answer(emulator, "answer", account=ONE)
        await answer(emulator, "login-failure", reason="off", account=ONE)
        faults = emulator.faults
        assert [OTHER, None] == [fault.account for fault in faults.queries]
        assert [OTHER, None] == [fault.account for fault in faults.logins]

    async def test_codes(self, emulator: Emulator) -> None:
        """The number of codes on offer can be lowered, not raised above the usual six."""
        assert {"codes": 1} == (await answer(emulator, "codes", number=1))["result"]
        assert 1 == emulator.faults.codes
        assert "BAD_COMMAND" == (await answer(emulator, "codes", number=7))["code"]

    async def test_a_closed_port_stays_the_emulators(self, emulator: Emulator) -> None:
        """While the door is closed nobody is answered, and nobody else gets the port."""
        await answer(emulator, "door", door="open")
        port = emulator.port
        await answer(emulator, "door", door="closed")
        with socket.socket() as client, pytest.raises(ConnectionRefusedError):
            client.connect(("127.0.0.1", port))
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", port))
        await answer(emulator, "door", door="open")
        assert port == emulator.port
        with socket.create_connection(("127.0.0.1", port), 1):
            await emulator.stop()

    @pytest.mark.parametrize(
        ("command", "fields", "code"),
        [
            ("jump", {}, "BAD_COMMAND"),
            ("count", {"colour": 1}, "BAD_COMMAND"),
            ("drop", {"kind": "everything"}, "BAD_COMMAND"),
            ("drop", {"kind": "login"}, "BAD_COMMAND"),
            ("count", {"account": "1"}, "NO_SUCH_ACCOUNT"),
            ("scan", {"text": "https://example.org"}, "BAD_QR"),
            ("scan", {"text": f"#ref,{'A' * 43}=,{'A' * 43}=,{'A' * 43}=,1"}, "LINKING_FAILED"),
            ("unlink", {}, "ACCOUNT_NOT_CHOSEN"),
            ("unlink", {"account": ONE}, "NOT_LINKED"),
            ("message", {"account": ONE, "sender": "55119@s.whatsapp.net"}, "NOT_LINKED"),
            ("set-picture", {"account": ONE, "jid": "x", "picture": "none"}, "BAD_JID"),
            ("set-picture", {"account": ONE, "jid": "1@lid", "picture": "none"}, "NO_SUCH_JID"),
            ("set-person", {"account": ONE, "fields": {"pn": "x"}}, "BAD_WORLD"),
            ("set-blocklist", {"account": ONE, "jids": ["1@g.us"]}, "BAD_WORLD"),
            ("set-group", {"account": ONE, "jid": "1@g.us", "fields": {"x": 1}}, "BAD_WORLD"),
            ("login-failure", {"reason": "often"}, "BAD_COMMAND"),
        ],
    )
    async def test_refusals(
        self, emulator: Emulator, command: str, fields: dict[str, object], code: str
    ) -> None:
        """What cannot be done is refused with its code and one line."""
        refused = await answer(emulator, command, **fields)
        assert (refused["ok"], refused["code"]) == (False, code)
        assert "\n" not in refused["error"]

    async def test_no_json(self, emulator: Emulator) -> None:
        """A line that is no JSON is refused."""
        assert (await run_line(emulator, b"kill\n"))["code"] == "BAD_COMMAND"

    async def test_set_group(self, emulator: Emulator) -> None:
        """A group is changed field by field, or added."""
        jid = "120363000000000001@g.us"
        changed = await answer(
            emulator, "set-group", account=ONE, jid=jid, fields={"answer": "silent"}
        )
        added = await answer(
            emulator, "set-group", account=ONE, jid="12036399@g.us", fields={"subject": "New"}
        )
        groups = {group.jid: group for group in emulator.accounts[0].document.groups}
        assert (changed["result"], added["result"]) == ({"added": False}, {"added": True})
        assert (groups[jid].subject, groups[jid].answer) == ("Mixed", "silent")

    async def test_set_person(self, emulator: Emulator) -> None:
        """A person is changed by PN or LID, or added."""
        await emulator.accounts[0].fill_collections()
        fields = {"lid": "100000000000003", "picture": "none"}
        changed = await answer(emulator, "set-person", account=ONE, fields=fields)
        added = await answer(emulator, "set-person", account=ONE, fields={"pn": "5599999"})
        people = {person.lid: person for person in emulator.accounts[0].document.people}
        assert (changed["result"], added["result"]) == ({"added": False}, {"added": True})
        assert people["100000000000003"].lid_row.full_name == "C Three"

    async def test_doors(self, emulator: Emulator) -> None:
        """The listener closes, and opens again on its port."""
        await emulator.start()
        port = emulator.port
        closed = await answer(emulator, "door", door="closed")
        opened = await answer(emulator, "door", door="open")
        await emulator.stop()
        assert (closed["result"]["door"], opened["result"]["door"]) == ("closed", "open")
        assert (port, Door.OPEN) == (emulator.port, emulator.faults.door)

    async def test_lifting(self, emulator: Emulator) -> None:
        """Faults of one kind are lifted without the others."""
        await answer(emulator, "drop", kind="picture")
        await answer(emulator, "slow", kind="group", delay=2)
        left = await answer(emulator, "answer", kind="picture")
        assert (left["result"], emulator.faults.queries[0].delay) == ({"faults": 1}, 2.0)


class TestFaults:
    """Faults last as long as told and concern whom they name."""

    def test_times(self) -> None:
        """A fault with a number of times is over after them."""
        faults = Faults(queries=[QueryFault(Kind.PICTURE, Span.of(2, None))])
        met = [faults.for_query(Kind.PICTURE, ONE) is not None for _ in range(3)]
        assert met == [True, True, False]

    def test_seconds(self) -> None:
        """A fault whose time has run out is over."""
        faults = Faults(queries=[QueryFault(Kind.PICTURE, Span.of(None, -1.0))])
        assert faults.for_query(Kind.PICTURE, ONE) is None

    def test_concern(self) -> None:
        """Other kinds and other accounts are answered."""
        faults = Faults(queries=[QueryFault(Kind.PICTURE, Span(), account=ONE)])
        assert faults.for_query(Kind.GROUP, ONE) is None
        assert faults.for_query(Kind.PICTURE, OTHER) is None
        assert faults.for_query(Kind.PICTURE, ONE) is not None


class TestCheckPath:
    """The socket is made where only its owner can reach it."""

    def test_private(self, tmp_path: Path) -> None:
        """A new directory is made with mode 0700."""
        check_path(tmp_path / "new" / "control.sock")
        assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700

    def test_too_long(self, tmp_path: Path) -> None:
        """A path of more than 107 bytes is refused in one line."""
        with pytest.raises(ControlPathError, match="107 bytes"):
            check_path(tmp_path / ("x" * 108))

    def test_open_directory(self, tmp_path: Path) -> None:
        """A directory that others can enter is refused."""
        tmp_path.chmod(0o755)
        with pytest.raises(ControlPathError, match="0700"):
            check_path(tmp_path / "control.sock")

    def test_other_file(self, tmp_path: Path) -> None:
        """A file that is no socket is left alone."""
        (tmp_path / "control.sock").touch()
        with pytest.raises(ControlPathError, match="something else"):
            check_path(tmp_path / "control.sock")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """Runs an emulator process."""
    with running_emulator(tmp_path_factory.mktemp("ctl") / "e") as emulator:
        yield emulator


class TestCtl:
    """The command line reaches the emulator and tells how it went."""

    def run(self, *arguments: str, **variables: str | None) -> tuple[int, str, str]:
        """Runs `wuts-sandbox ctl`."""
        environment = {"WUTS_SANDBOX_CONTROL": None, **variables}
        result = CliRunner().invoke(main, ["ctl", *arguments], env=environment)
        return result.exit_code, result.stdout, result.stderr

    def test_json(self, running: EmulatorProcess) -> None:
        """With --json the answer is one line."""
        code, out, _ = self.run("--control", running.info["control"], "--json", "count")
        assert (code, json.loads(out)) == (0, {"ok": True, "result": {"counts": {}}})

    def test_plain(self, running: EmulatorProcess) -> None:
        """Without --json the answer is for people; the socket may come from the environment."""
        code, out, _ = self.run("kill", WUTS_SANDBOX_CONTROL=running.info["control"])
        assert (code, out) == (0, "connections: 0\n")

    def test_refused(self, running: EmulatorProcess) -> None:
        """A refused command ends with 1 and says why on stderr."""
        code, out, err = self.run("--control", running.info["control"], "scan", "x")
        assert (code, out, "(BAD_QR)" in err) == (1, "", True)

    def test_usage(self) -> None:
        """A wrong command line ends with 2."""
        assert self.run("outage", "perhaps")[0] == 2

    def test_unreachable(self, tmp_path: Path) -> None:
        """Without an emulator the command ends with 3."""
        code, _, err = self.run("--control", str(tmp_path / "none"), "count")
        assert (code, "no emulator answers" in err) == (3, True)

    def test_unknown(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without any hint where the emulator is, the command says what to do."""
        monkeypatch.chdir(tmp_path)
        code, _, err = self.run("count")
        assert (code, "WUTS_SANDBOX_CONTROL" in err) == (3, True)

    def test_ready_file(
        self, running: EmulatorProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The socket of `make run` is found by its ready file."""
        (tmp_path / ".run").mkdir()
        ready = {"emulator": {"control": running.info["control"]}}
        (tmp_path / ".run" / "ready.json").write_text(json.dumps(ready))
        monkeypatch.chdir(tmp_path)
        assert self.run("accounts")[0] == 0

    @pytest.mark.parametrize(
        "arguments",
        [
            ("drop", "picture", "--times", "1"),
            ("refuse", "group", "--code", "403", "--text", "forbidden", "--seconds", "0.1"),
            ("slow", "ping", "--delay", "0.5"),
            ("answer",),
            ("stream-error", "503"),
            ("stream-error", "--conflict", "replaced"),
            ("login-failure", "402", "--attr", "code=101", "--attr", "expire=3600"),
            ("login-failure", "off"),
            ("crash",),
            ("kill", "--how", "close-frame"),
            ("outage", "503"),
            ("blackhole", "on"),
            ("silent-handshake", "on"),
            ("outage", "on"),
            ("outage", "off"),
            ("set-picture", "5511888888888@s.whatsapp.net", "hidden"),
            ("set-picture", "5511888888888@s.whatsapp.net", "none", "--quiet"),
            ("set-person", '{"pn": "5511777777777", "pn_row": {"full_name": "New"}}'),
            ("set-group", "120363039000000000@g.us", '{"subject": "New"}', "--quiet"),
            ("set-group", "120363039000000000@g.us", '{"member": false}'),
            ("set-blocklist", "112233445566778@lid"),
            ("set-blocklist",),
            ("resync",),
            ("world",),
            ("accounts",),
            ("count", "--reset"),
        ],
    )
    def test_every_command(self, running: EmulatorProcess, arguments: tuple[str, ...]) -> None:
        """Every command of the line is one that the emulator knows."""
        code, _, err = self.run("--control", running.info["control"], *arguments)
        assert (code, err) == (0, "")

    def test_client_finds_nothing_to_steer(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An emulator of somebody else cannot be steered."""
        (tmp_path / ".run").mkdir()
        ready = {"emulator": {"proxy": "x", "control": None}}
        (tmp_path / ".run" / "ready.json").write_text(json.dumps(ready))
        monkeypatch.chdir(tmp_path)
        monkeypatch.delenv("WUTS_SANDBOX_CONTROL", raising=False)
        with pytest.raises(client.UnreachableError):
            client.find_control()
