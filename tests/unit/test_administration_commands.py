"""`wuts tenant`, `wuts user` and `wuts token` on a data directory."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import click
import pytest
from click.testing import CliRunner

from wuts.adapters.registry import Registry
from wuts.cli.tenant import tenant
from wuts.cli.token import token
from wuts.cli.user import user
from wuts.domain.caller import Role

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

CLI = click.Group("wuts", commands={"tenant": tenant, "user": user, "token": token})


class Shell:
    """Runs commands on one data directory."""

    def __init__(self, data: Path) -> None:
        self.data = data

    def run(self, command: str, stdin: str | None = None) -> Result:
        """Runs a command line."""
        environment = {"WUTS_DATA_DIR": str(self.data)}
        return CliRunner().invoke(CLI, command.split(), env=environment, input=stdin)

    def json(self, command: str) -> Any:  # as json.loads
        """Runs a command that succeeds and reads its JSON."""
        result = self.run(f"{command} --json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """Gives a data directory with tenant acme, its user ana and her device."""
    data = tmp_path / "data"
    registry = Registry(data)
    registry.add_tenant("acme")
    registry.add_user("acme", "ana", Role.ADMIN)
    registry.create_device("acme", "ana", device_id="phone-1")
    registry.close()
    return Shell(data)


class TestTenant:
    """Wuts tenant."""

    def test_first_use(self, tmp_path: Path) -> None:
        """The first command makes a private data directory."""
        data = tmp_path / "new"
        result = CliRunner().invoke(CLI, ["tenant", "add", "acme", "--data", str(data)])
        assert (result.exit_code, result.stdout) == (0, "added tenant acme\n")
        assert data.stat().st_mode & 0o777 == 0o700

    def test_list(self, shell: Shell) -> None:
        """Tenants are listed as a table and as JSON."""
        assert shell.json("tenant add b") == {"tenant": "b"}
        assert shell.json("tenant list") == [{"tenant": "acme"}, {"tenant": "b"}]
        assert shell.run("tenant list").stdout == "tenant\nacme\nb\n"

    def test_empty_list(self, tmp_path: Path) -> None:
        """Without tenants the table is empty and the JSON an empty array."""
        shell = Shell(tmp_path / "data")
        assert (shell.run("tenant list").stdout, shell.json("tenant list")) == ("", [])

    def test_remove(self, shell: Shell) -> None:
        """A tenant with users goes by force only, and what stays on disk is named."""
        refused = shell.run("tenant remove acme")
        removed = shell.run("tenant remove acme --force")
        assert (refused.exit_code, refused.stderr) == (1, "Error: tenant acme has users\n")
        assert (removed.exit_code, removed.stdout) == (0, "removed tenant acme\n")
        assert str(shell.data / "devices" / "phone-1") in removed.stderr


class TestUser:
    """Wuts user."""

    def test_add(self, shell: Shell) -> None:
        """A user is added with a role, "user" unless told otherwise."""
        added = [shell.json("user add acme/bob"), shell.json("user add acme/eve --role manager")]
        assert added == [
            {"tenant": "acme", "user": "bob", "role": "user"},
            {"tenant": "acme", "user": "eve", "role": "manager"},
        ]
        assert shell.run("user list acme").stdout.splitlines() == [
            "tenant  user  role",
            "acme    ana   admin",
            "acme    bob   user",
            "acme    eve   manager",
        ]

    def test_remove(self, shell: Shell) -> None:
        """A user with devices goes by force only."""
        refused = shell.run("user remove acme/ana")
        assert (refused.exit_code, refused.stderr) == (1, "Error: user acme/ana has devices\n")
        assert shell.json("user remove acme/ana --force") == {"tenant": "acme", "user": "ana"}
        assert shell.json("user list") == []

    @pytest.mark.parametrize("owner", ["acme", "/ana", "acme/", "a/b/c", "/"])
    def test_form(self, shell: Shell, owner: str) -> None:
        """A user is written as TENANT/USER; all else is a usage error."""
        result = shell.run(f"user add {owner}")
        assert result.exit_code == 2
        assert "is not of the form TENANT/USER" in result.stderr


class TestToken:
    """Wuts token."""

    def test_add(self, shell: Shell) -> None:
        """Standard output is the token and nothing else; it works."""
        result = shell.run("token add acme/ana --device phone-1")
        made = result.stdout.removesuffix("\n")
        registry = Registry(shell.data)
        caller = registry.authenticate(made)
        registry.close()
        assert (0, str(uuid.UUID(made))) == (result.exit_code, made)
        assert caller is not None
        assert caller.bound_device == "phone-1"

    def test_list(self, shell: Shell) -> None:
        """The list tells the id, never the token."""
        made = shell.json("token add acme/ana")
        (listed,) = shell.json("token list acme/ana")
        assert {"id": made["id"], "tenant": "acme", "user": "ana", "device": None} == {
            key: listed[key] for key in ("id", "tenant", "user", "device")
        }
        assert made["token"] not in shell.run("token list").output

    def test_revoke(self, shell: Shell) -> None:
        """A token is revoked by id, by itself and from standard input."""
        made = [shell.json("token add acme/ana") for _ in range(3)]
        results = [
            shell.run(f"token revoke {made[0]['id']}"),
            shell.run(f"token revoke {made[1]['token']}"),
            shell.run("token revoke -", stdin=made[2]["token"] + "\n"),
        ]
        assert [f"revoked token {one['id']}\n" for one in made] == [r.stdout for r in results]
        assert all(one["revoked_at"] for one in shell.json("token list"))

    def test_unknown(self, shell: Shell) -> None:
        """An unknown token is refused without being repeated."""
        unknown = str(uuid.uuid4())
        result = shell.run(f"token revoke {unknown}")
        assert (result.exit_code, result.stderr) == (1, "Error: there is no such token\n")


class TestRefusals:
    """Every command, on a data directory that is of no use."""

    def test_damaged(self, tmp_path: Path) -> None:
        """A damaged registry is one clear line and exit 1."""
        (tmp_path / "registry.db").write_bytes(b"\xa5" * 8_192)
        result = Shell(tmp_path).run("tenant list")
        expected = f"Error: {tmp_path}/registry.db is locked, damaged or no registry\n"
        assert (1, expected) == (result.exit_code, result.stderr)

    def test_no_directory(self, tmp_path: Path) -> None:
        """A data directory that cannot be made is one clear line and exit 1."""
        (tmp_path / "file").touch()
        result = Shell(tmp_path / "file" / "data").run("tenant list")
        expected = (
            f"Error: the data directory {tmp_path}/file/data cannot be used: Not a directory\n"
        )
        assert (1, expected) == (result.exit_code, result.stderr)

    @pytest.mark.parametrize("command", ["add", "list", "remove"])
    @pytest.mark.parametrize("group", ["tenant", "user", "token"])
    def test_help(self, shell: Shell, group: str, command: str) -> None:
        """The help of every command shows an example."""
        command = {"remove": "revoke"}.get(command, command) if group == "token" else command
        result = shell.run(f"{group} {command} --help")
        assert f"  wuts {group} {command}" in result.stdout
