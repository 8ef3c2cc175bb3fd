"""The settings of budgets and memory: how they are read, and where they pass."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from wuts.adapters.backup import save
from wuts.adapters.data_directory import DataDirectory
from wuts.adapters.enquiries import Policy
from wuts.adapters.registry import Registry
from wuts.cli.main import cli
from wuts.domain.budget import Allowance
from wuts.domain.enquiry import QueryClass
from wuts.enquiring import policy_of
from wuts.settings import Settings
from wuts_sandbox.run.options import Options, RunFailed, read_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

CHANGED = {
    "WUTS_BUDGET_NUMBERS": "1/h burst 2",
    "WUTS_BUDGET_USERS": "3/h burst 4",
    "WUTS_BUDGET_PICTURES": "5/h burst 6",
    "WUTS_BUDGET_GROUPS": "7/h burst 8",
    "WUTS_QUIET_HOURS": "0.5",
    "WUTS_PICTURE_SECONDS": "11",
    "WUTS_ROSTER_SECONDS": "12",
    "WUTS_HIDDEN_PICTURE_SECONDS": "13",
    "WUTS_NO_PICTURE_SECONDS": "14",
    "WUTS_NOT_REGISTERED_SECONDS": "15",
}


def policy(monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str]) -> Policy:
    """The policy that follows from variables."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return policy_of(Settings())


class TestPolicyOf:
    """From variables to a policy."""

    def test_defaults(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without variables the policy is the cautious one."""
        assert Policy() == policy(monkeypatch, {})

    def test_all(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Every variable arrives where it belongs."""
        expected = Policy(
            allowances={
                QueryClass.NUMBER_CHECK: Allowance(1, 2),
                QueryClass.USER_INFO: Allowance(3, 4),
                QueryClass.PICTURE: Allowance(5, 6),
                QueryClass.GROUP_INFO: Allowance(7, 8),
            },
            quiet=timedelta(minutes=30),
            picture=timedelta(seconds=11),
            roster=timedelta(seconds=12),
            hidden_picture=timedelta(seconds=13),
            no_picture=timedelta(seconds=14),
            not_registered=timedelta(seconds=15),
        )
        assert expected == policy(monkeypatch, CHANGED)


class TestSettings:
    """What an operator is told of a setting that is none."""

    @pytest.mark.parametrize(
        ("name", "value", "complaint"),
        [
            ("WUTS_BUDGET_NUMBERS", "120", 'write it as "120/h burst 60"'),
            ("WUTS_BUDGET_PICTURES", "0/h burst 5", "each number from 1 to 1000000"),
            ("WUTS_QUIET_HOURS", "-1", "greater than or equal to 0"),
            ("WUTS_QUIET_HOURS", "nan", "should be"),
            ("WUTS_PICTURE_SECONDS", "soon", "valid integer"),
            ("WUTS_NO_PICTURE_SECONDS", "2592001", "less than or equal to 2592000"),
        ],
    )
    def test_refused(
        self,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        name: str,
        value: str,
        complaint: str,
    ) -> None:
        """`wuts serve` names the variable and how to write it, and ends with 1."""
        monkeypatch.setenv("WUTS_DATA_DIR", str(tmp_path))
        monkeypatch.setenv(name, value)
        outcome = CliRunner().invoke(cli, ["serve"])
        assert (1, True) == (outcome.exit_code, outcome.output.startswith(f"wuts: {name}: "))
        assert complaint in outcome.output


class TestReadSettings:
    """SETTINGS of `make run`."""

    def test_passed_on(self) -> None:
        """Settings are read as a shell reads them."""
        text = "WUTS_BUDGET_PICTURES='6000/h burst 600' WUTS_QUIET_HOURS=1"
        expected = {"WUTS_BUDGET_PICTURES": "6000/h burst 600", "WUTS_QUIET_HOURS": "1"}
        assert expected == read_settings(text)

    def test_none(self) -> None:
        """A demo has no quiet time: its devices are always just linked."""
        options = Options(0, 0, Path("ready.json"), None, 0, None)
        assert {"WUTS_QUIET_HOURS": "0"} == read_settings("") == options.settings

    def test_every_setting(self) -> None:
        """Each setting of budgets and memory passes."""
        text = " ".join(f"{name}='{value}'" for name, value in CHANGED.items())
        assert CHANGED == read_settings(text)

    @pytest.mark.parametrize(
        "text",
        ["WUTS_SANDBOX=false", "WUTS_DRAIN_SECONDS=1", "WUTS_QUIET_HOURS", "quiet", "A='b"],
    )
    def test_refused(self, text: str) -> None:
        """Any other setting, and what is none, is refused."""
        with pytest.raises(RunFailed, match=r"^SETTINGS: "):
            read_settings(text)


class TestBackup:
    """What is remembered is no part of a backup."""

    def test_left_out(self, tmp_path: Path) -> None:
        """A backup holds the stores, and nothing of the answers."""
        data = DataDirectory(tmp_path / "data")
        data.hold()
        registry = Registry(data.path)
        registry.close()
        directory = data.devices / "phone-1"
        directory.mkdir()
        (directory / "answers.db").write_bytes(b"anything")
        manifest = save(data.path, tmp_path / "backup.tar").manifest
        assert ["registry.db"] == [entry.name for entry in manifest.files]
        assert [] == manifest.left_out
