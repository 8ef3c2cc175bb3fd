"""What a picture's address tells of its end."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from wuts.domain.picture import Picture


class TestExpiresAt:
    """Picture.expires_at."""

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("?ccb=11-4&oh=01_Q5&oe=6A2F1B80&_nc_sid=5e03e0", 0x6A2F1B80),
            ("?oe=6a2f1b80", 0x6A2F1B80),
            ("?oe=0", 0),
            ("", None),
            ("?oe=", None),
            ("?oe=nothex", None),
            ("?oe=6A2F1B80FF", None),
            ("?foe=6A2F1B80", None),
        ],
    )
    def test_addresses(self, query: str, expected: int | None) -> None:
        """The parameter `oe` is the end, in hexadecimal seconds; anything else tells nothing."""
        picture = Picture(f"https://pps.whatsapp.net/v/a.jpg{query}", "1", "image", "/v/a.jpg")
        ends = None if expected is None else datetime.fromtimestamp(expected, UTC)
        assert ends == picture.expires_at
