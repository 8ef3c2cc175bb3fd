"""`wuts backup` and `wuts restore` on data directories that somebody is writing."""

from __future__ import annotations

import hashlib
import io
import json
import sqlite3
import stat
import subprocess
import sys
import tarfile
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from terminals import Terminal
from whatsmeow_files import WhatsmeowFiles
from wuts.adapters import backup as backups
from wuts.adapters.data_directory import DataDirectory
from wuts.adapters.registry import Registry
from wuts.cli.main import cli
from wuts.cli.progress import Meter
from wuts.domain.caller import DeviceId

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from click.testing import Result

DEVICE = DeviceId("phone-1")
PN = "5511900000000"
MARIA = "5511999999999@s.whatsapp.net"
SINGLE = {"registry.db", "page_token.key", ".wuts-sandbox"}


def run(*words: object) -> Result:
    """Runs `wuts`."""
    return CliRunner().invoke(cli, [str(word) for word in words])


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """Gives a directory that a service holds: its registry is open, a key is there."""
    data = tmp_path / "data"
    directory = DataDirectory(data)
    directory.hold()
    directory.page_token_key(32)
    registry = Registry(data)
    registry.add_tenant("acme")
    registry.add_user("acme", "ana")
    registry.create_device("acme", "ana", device_id=DEVICE)
    WhatsmeowFiles(data).link(DEVICE, PN)
    yield data
    registry.close()


@pytest.fixture
def saved(data: Path, tmp_path: Path) -> Path:
    """Gives a backup of it."""
    file = tmp_path / "backup.tar"
    backups.save(data, file)
    return file


def names_in(store: Path) -> list[tuple[str, str]]:
    """Reads the contacts of a store."""
    with closing(sqlite3.connect(store)) as connection:
        return connection.execute("SELECT their_jid, full_name FROM whatsmeow_contacts").fetchall()


def modes_in(directory: Path) -> set[tuple[str, int]]:
    """Tells kind and mode of a directory and all in it."""
    found = [directory, *directory.rglob("*")]
    return {("d" if p.is_dir() else "f", stat.S_IMODE(p.stat().st_mode)) for p in found}


def rewritten(file: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """Writes a backup with other members."""
    with tarfile.open(file) as tar:
        members = {m.name: tar.extractfile(m).read() for m in tar}  # type: ignore[union-attr]
    change(members)
    target = file.with_name("changed.tar")
    with tarfile.open(target, "w") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return target


def with_manifest(members: dict[str, bytes], **changes: Any) -> None:
    """Changes keys of the manifest."""
    manifest = json.loads(members["manifest.json"]) | changes
    members["manifest.json"] = json.dumps(manifest).encode()


class TestRoundTrip:
    """What was saved is there again."""

    def test_content(self, data: Path, tmp_path: Path) -> None:
        """Store, registry, key and marker come back; so does what only the -wal holds."""
        (data / ".wuts-sandbox").touch(mode=0o600)
        store = data / "devices" / DEVICE / "store.db"
        with closing(sqlite3.connect(store)) as writer:
            # A connection that stays open keeps SQLite from moving the log into the file.
            writer.execute(
                "INSERT INTO whatsmeow_contacts (our_jid, their_jid, full_name)"
                " SELECT jid, ?, 'Maria Silva' FROM whatsmeow_device",
                [MARIA],
            )
            writer.commit()
            assert store.with_name("store.db-wal").stat().st_size > 0
            assert 0 == run("backup", tmp_path / "b.tar", "--data", data).exit_code
        target = tmp_path / "restored"
        result = run("restore", tmp_path / "b.tar", "--data", target)
        assert (0, True) == (result.exit_code, result.stdout.startswith("restored 1 device of "))
        files = {str(p.relative_to(target)) for p in target.rglob("*") if p.is_file()}
        assert {*SINGLE, f"devices/{DEVICE}/store.db"} == files
        assert {("d", 0o700), ("f", 0o600)} == modes_in(target)
        assert [(MARIA, "Maria Silva")] == names_in(target / "devices" / DEVICE / "store.db")
        key = "page_token.key"
        assert (data / key).read_bytes() == (target / key).read_bytes()
        registry = Registry(target)
        assert [DEVICE] == [device.id for device in registry.devices("acme")]
        registry.close()

    def test_while_it_is_written(self, data: Path, tmp_path: Path) -> None:
        """A writer is neither held up nor seen half done: pairs of rows stay pairs."""
        store = data / "devices" / DEVICE / "store.db"
        with closing(sqlite3.connect(store)) as connection, connection:
            connection.execute("CREATE TABLE twins (number INTEGER)")
            connection.execute("CREATE TABLE ballast AS SELECT zeroblob(4000000) AS room")
        writing = (
            "import sqlite3, sys\n"
            "c = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)\n"
            "for n in range(10**9):\n"
            "    c.execute('BEGIN IMMEDIATE')\n"
            "    c.execute('INSERT INTO twins VALUES (?)', [n])\n"
            "    c.execute('INSERT INTO twins VALUES (?)', [n])\n"
            "    c.execute('COMMIT')\n"
            "    if n == 9: print('writing', flush=True)\n"
        )
        writer = subprocess.Popen(
            [sys.executable, "-c", writing, str(store)], stdout=subprocess.PIPE, text=True
        )
        try:
            assert writer.stdout is not None
            assert "writing\n" == writer.stdout.readline()
            for number in range(5):
                backups.save(data, tmp_path / f"{number}.tar")
            assert writer.poll() is None
        finally:
            writer.kill()
            writer.communicate()
        # What a killed writer has left in its log is saved too.
        backups.save(data, tmp_path / "5.tar")
        counts = []
        for number in range(6):
            target = tmp_path / f"restored-{number}"
            backups.restore(tmp_path / f"{number}.tar", target)
            with closing(sqlite3.connect(target / "devices" / DEVICE / "store.db")) as copy:
                assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                (count,) = copy.execute("SELECT count(*) FROM twins").fetchone()
                counts.append(count)
        assert all(count % 2 == 0 for count in counts)
        assert sorted(counts) == counts

    def test_into_an_empty_directory(self, saved: Path, tmp_path: Path) -> None:
        """An existing directory is made private."""
        target = tmp_path / "empty"
        target.mkdir(mode=0o755)
        assert 0 == run("restore", saved, "--data", target).exit_code
        assert {("d", 0o700), ("f", 0o600)} == modes_in(target)


class TestBackup:
    """Wuts backup."""

    def test_file(self, data: Path, tmp_path: Path) -> None:
        """The file is private, nothing is left beside it, and the JSON describes it."""
        directory = tmp_path / "backups"
        directory.mkdir()
        file = directory / "b.tar"
        result = run("backup", file, "--data", data, "--json")
        told = json.loads(result.stdout)
        assert (str(file), file.stat().st_size, 1, []) == tuple(
            told[key] for key in ("file", "size", "devices", "left_out")
        )
        assert 0o600 == stat.S_IMODE(file.stat().st_mode)
        assert [file] == list(directory.iterdir())

    def test_manifest(self, saved: Path) -> None:
        """Versions, schemas and checksums stand in the last member."""
        with tarfile.open(saved) as tar:
            members = tar.getmembers()
            content = {m.name: tar.extractfile(m).read() for m in members}  # type: ignore[union-attr]
        manifest = json.loads(content["manifest.json"])
        assert "manifest.json" == members[-1].name
        assert (1, "neonize 0.5.2") == (manifest["format"], manifest["engine"])
        sums = {entry["name"]: entry["sha256"] for entry in manifest["files"]}
        del content["manifest.json"]
        assert {name: hashlib.sha256(c).hexdigest() for name, c in content.items()} == sums
        schemas = {entry["name"]: entry["schema_version"] for entry in manifest["files"]}
        assert (None, 15) == (schemas["page_token.key"], schemas[f"devices/{DEVICE}/store.db"])

    def test_damaged_store(self, data: Path, tmp_path: Path) -> None:
        """A damaged store is left out and named; everything else is saved; exit code 1."""
        broken = data / "devices" / "phone-2" / "store.db"
        broken.parent.mkdir(mode=0o700)
        broken.write_bytes(b"\xa5" * 8_192)
        result = run("backup", tmp_path / "b.tar", "--data", data)
        assert (1, True) == (result.exit_code, result.stdout.startswith("saved 1 device to "))
        expected = "left out devices/phone-2/store.db: NOTADB; see `wuts doctor`\n"
        assert expected == result.stderr
        restored = run("restore", tmp_path / "b.tar", "--data", tmp_path / "new")
        assert (0, True) == (restored.exit_code, "lacks devices/phone-2" in restored.stderr)

    def test_damaged_registry(self, tmp_path: Path) -> None:
        """Without a registry there is nothing to save; no file is left."""
        data = tmp_path / "data"
        data.mkdir()
        (data / "registry.db").write_bytes(b"\xa5" * 8_192)
        result = run("backup", tmp_path / "b.tar", "--data", data)
        expected = f"Error: {data}/registry.db cannot be read: NOTADB\n"
        assert (1, expected) == (result.exit_code, result.stderr)
        assert [data] == list(tmp_path.iterdir())

    def test_no_room(self, data: Path, tmp_path: Path) -> None:
        """When the copy cannot be written the whole backup fails, and nothing is left of it."""
        program = (
            "import resource, sys\n"
            "from wuts.cli.main import cli\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
            "cli(sys.argv[1:])\n"
        )
        file = tmp_path / "b.tar"
        done = subprocess.run(
            [sys.executable, "-c", program, "backup", str(file), "--data", str(data)],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert (1, True) == (done.returncode, "cannot be written: IOERR_WRITE" in done.stderr)
        assert [data] == list(tmp_path.iterdir())

    def test_told_to_end(self, data: Path, tmp_path: Path) -> None:
        """SIGTERM in the middle leaves nothing beside the file that was to be."""
        program = (
            "import os, signal, sys\n"
            "from wuts.adapters.backup import archive\n"
            "from wuts.cli.main import cli\n"
            "archive.digest_of = lambda *_: os.kill(os.getpid(), signal.SIGTERM)\n"
            "cli(sys.argv[1:])\n"
        )
        command = [sys.executable, "-c", program, "backup", str(tmp_path / "b.tar")]
        done = subprocess.run([*command, "--data", str(data)], timeout=30, check=False)
        assert (143, [data]) == (done.returncode, list(tmp_path.iterdir()))

    def test_refusals(self, data: Path, tmp_path: Path) -> None:
        """An existing file, a wrong directory and a missing one are one line each."""
        (tmp_path / "b.tar").touch()
        existing = run("backup", tmp_path / "b.tar", "--data", data)
        assert (1, True) == (existing.exit_code, "exists already" in existing.stderr)
        foreign = run("backup", tmp_path / "c.tar", "--data", tmp_path)
        assert (1, True) == (foreign.exit_code, "is no data directory" in foreign.stderr)
        nowhere = run("backup", tmp_path / "no" / "c.tar", "--data", data)
        assert (1, True) == (nowhere.exit_code, "No such file or directory" in nowhere.stderr)


class TestRestore:
    """Wuts restore refuses, and then leaves everything as it was."""

    def test_not_empty(self, saved: Path, tmp_path: Path) -> None:
        """A directory with anything in it is left alone."""
        target = tmp_path / "full"
        target.mkdir()
        (target / "note").write_text("mine")
        result = run("restore", saved, "--data", target)
        assert (1, True) == (result.exit_code, "is not empty" in result.stderr)
        assert [target / "note"] == list(target.iterdir())

    def test_held(self, saved: Path, data: Path) -> None:
        """A directory that a service holds is refused, naming the holder."""
        result = run("restore", saved, "--data", data)
        assert (1, True) == (result.exit_code, "is held by a service, pid " in result.stderr)
        assert (data / "registry.db").exists()

    @pytest.mark.parametrize(
        ("change", "complaint"),
        [
            (lambda m: m.update({"page_token.key": b"x" * 32}), "wrong checksum"),
            (lambda m: m.update({"page_token.key": b""}), "is damaged"),
            (lambda m: m.pop("page_token.key"), "exactly what its manifest lists"),
            (lambda m: m.update({"../evil": b""}), "exactly what its manifest lists"),
            (lambda m: m.pop("manifest.json"), "it has no manifest"),
            (lambda m: m.update({"manifest.json": b"{"}), "manifest is malformed"),
            (lambda m: with_manifest(m, format=2), "format 2, made by a newer release"),
            (
                lambda m: with_manifest(
                    m, files=[{"name": "devices/../x/store.db", "size": 0, "sha256": "0" * 64}]
                ),
                "manifest is malformed",
            ),
        ],
        ids=["sum", "size", "missing", "extra", "none", "json", "format", "name"],
    )
    def test_damaged(
        self,
        saved: Path,
        tmp_path: Path,
        change: Callable[[dict[str, bytes]], None],
        complaint: str,
    ) -> None:
        """Anything that is not as it was saved is refused before anything is written."""
        target = tmp_path / "target"
        result = run("restore", rewritten(saved, change), "--data", target)
        assert (1, True) == (result.exit_code, complaint in result.stderr), result.stderr
        assert not target.exists()

    @pytest.mark.parametrize("name", ["registry.db", f"devices/{DEVICE}/store.db"])
    def test_newer_schema(self, saved: Path, tmp_path: Path, name: str) -> None:
        """What this release could not open is refused."""

        def change(members: dict[str, bytes]) -> None:
            files = json.loads(members["manifest.json"])["files"]
            newer = [f | ({"schema_version": 99} if f["name"] == name else {}) for f in files]
            with_manifest(members, files=newer)

        result = run("restore", rewritten(saved, change), "--data", tmp_path / "target")
        assert (1, True) == (result.exit_code, "schema 99" in result.stderr)

    @pytest.mark.parametrize("content", [b"", b"no tar", b"\0" * 20_000])
    def test_no_backup(self, tmp_path: Path, content: bytes) -> None:
        """A file that is no backup is refused in one line."""
        file = tmp_path / "file"
        file.write_bytes(content)
        result = run("restore", file, "--data", tmp_path / "target")
        assert (1, 1) == (result.exit_code, len(result.stderr.splitlines()))

    def test_cut_short(self, saved: Path, tmp_path: Path) -> None:
        """A backup whose end is missing is refused."""
        cut = tmp_path / "cut.tar"
        cut.write_bytes(saved.read_bytes()[:-30_000])
        result = run("restore", cut, "--data", tmp_path / "target")
        assert (1, False) == (result.exit_code, (tmp_path / "target").exists())

    def test_failure_on_the_way(
        self, saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """When the disk fills up, nothing is left of the attempt."""

        def full(_handle: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("os.fsync", full)
        result = run("restore", saved, "--data", tmp_path / "target")
        assert (1, "Error: No space left on device\n") == (result.exit_code, result.stderr)
        assert not (tmp_path / "target").exists()

    @pytest.mark.parametrize("command", ["backup", "restore"])
    def test_help(self, command: str) -> None:
        """The help shows an example."""
        assert f"  wuts {command} wuts-" in run(command, "--help").stdout


class TestMeter:
    """Progress."""

    def test_quiet_at_first(self, capsys: pytest.CaptureFixture[str]) -> None:
        """The first two seconds are silent; then a line comes every ten."""
        now = [0.0]
        meter = Meter("saving", clock=lambda: now[0])
        for second in (0.0, 1.9, 2.1, 3.0, 11.0, 12.2):
            now[0] = second
            meter.tell(int(second * 1e6), 20_000_000)
        meter.close()
        expected = ["saving ... 2.1 MB of 20.0 MB", "saving ... 12.2 MB of 20.0 MB"]
        assert expected == capsys.readouterr().err.splitlines()

    def test_bar(self) -> None:
        """A terminal shows a bar, and none at the end."""
        program = (
            "import time\n"
            "from wuts.cli.progress import Meter\n"
            "now = [0.0]\n"
            "meter = Meter('saving', clock=lambda: now[0])\n"
            "now[0] = 3.0\n"
            "meter.tell(10_000_000, 20_000_000)\n"
            "meter.close()\n"
            "print('done')\n"
        )
        with Terminal([sys.executable, "-c", program], {}) as terminal:
            terminal.expect("10.0/20.0 MB")
            assert 0 == terminal.end()
            assert "done" == terminal.frame.strip()
