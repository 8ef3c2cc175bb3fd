"""The file that holds a device's revision."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import pytest

from wuts.adapters.revisions.record import NAME, renew

if TYPE_CHECKING:
    from pathlib import Path


class TestRenew:
    """record.renew."""

    def test_counts_changes(self, tmp_path: Path) -> None:
        """Each new content has the next number; the same content keeps its own."""
        found = [renew(tmp_path, content) for content in ("a", "a", "b", "a", "a")]
        assert [(1, True), (1, False), (2, True), (3, True), (3, False)] == found

    def test_is_private(self, tmp_path: Path) -> None:
        """Nobody else may read the file, and no other one is left behind."""
        renew(tmp_path, "a")
        assert [NAME] == [path.name for path in tmp_path.iterdir()]
        assert 0o600 == stat.S_IMODE((tmp_path / NAME).stat().st_mode)

    def test_holds_number_and_content(self, tmp_path: Path) -> None:
        """The file holds nothing but its format, the number and the fingerprint."""
        renew(tmp_path, "a")
        expected = {"format": 1, "revision": 1, "content": "a"}
        assert expected == json.loads((tmp_path / NAME).read_text())

    @pytest.mark.parametrize(
        "content",
        ["", "{", "[]", "null", '{"format": 2}', '{"format": 1, "revision": "x", "content": ""}'],
    )
    def test_starts_over(self, tmp_path: Path, content: str) -> None:
        """A file that cannot be understood is replaced."""
        (tmp_path / NAME).write_text(content)
        assert (1, True) == renew(tmp_path, "a")

    def test_leftover(self, tmp_path: Path) -> None:
        """What a service that was killed has left half-written is in nobody's way."""
        (tmp_path / NAME).with_suffix(".new").write_text("half")
        assert (1, True) == renew(tmp_path, "a")

    def test_removed_device(self, tmp_path: Path) -> None:
        """The directory of a removed device is not made again."""
        with pytest.raises(FileNotFoundError):
            renew(tmp_path / "gone", "a")
        assert [] == list(tmp_path.iterdir())
