"""Changes of the protos that would break callers are refused; additions are not."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROTOS = Path(__file__).resolve().parents[2] / "protos"
CONTACT = "contacts/v1/contact.proto"
SERVICE = "contacts/v1/contacts_service.proto"
ROUTE = "ContactsService.ListContacts: get /contacts body '' was released and is no more"


def _compare(protos: Path) -> tuple[int, str]:
    """Compares a copy of the protos with what was released, as `make check` does."""
    command: list[str | Path] = [sys.executable, protos / "breaking.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def protos(tmp_path: Path) -> Path:
    """A copy of the protos that may be changed."""
    return Path(shutil.copytree(PROTOS, tmp_path / "protos"))


def _change(protos: Path, name: str, old: str, new: str) -> None:
    path = protos / "wuts" / name
    text = path.read_text()
    assert 1 == text.count(old)
    path.write_text(text.replace(old, new))


class TestBreaking:
    """protos/breaking.py."""

    def test_the_protos_as_they_are(self) -> None:
        """What is committed keeps every promise of the last release."""
        assert (0, "") == _compare(PROTOS)

    @pytest.mark.parametrize(
        ("name", "old", "new", "told"),
        [
            (CONTACT, "  optional string push_name = 4;\n", "", 'field "4" with name "push_name"'),
            (CONTACT, "string push_name = 4;", "string nickname = 4;", '"push_name" to "nickname"'),
            (CONTACT, "optional string push_name = 4;", "optional int32 push_name = 4;", '"int32"'),
            (CONTACT, "string push_name = 4;", "string push_name = 14;", 'field "4"'),
            (CONTACT, "optional string push_name", "string push_name", '"push_name"'),
            (
                "contacts/v1/error_reason.proto",
                "  ERROR_REASON_QR_TIMEOUT = 21;\n",
                "",
                'enum value "21"',
            ),
            (
                "devices/v1/devices_service.proto",
                "  rpc LinkDevice(LinkDeviceRequest) returns (stream LinkDeviceResponse);\n",
                "",
                'RPC "LinkDevice"',
            ),
            (SERVICE, '{get: "/contacts"}', '{get: "/people"}', ROUTE),
        ],
        ids=[
            "removed",
            "renamed",
            "retyped",
            "renumbered",
            "presence",
            "enum value",
            "rpc",
            "route",
        ],
    )
    def test_a_break(self, protos: Path, name: str, old: str, new: str, told: str) -> None:
        """What was released and is no more, or is another thing, is named."""
        _change(protos, name, old, new)
        status, output = _compare(protos)
        assert 1 == status, output
        assert told in output

    def test_an_addition(self, protos: Path) -> None:
        """A new field breaks nobody."""
        old = "  optional string lid_jid = 6;\n"
        _change(protos, CONTACT, old, f"{old}  optional string colour = 60;\n")
        assert (0, "") == _compare(protos)
