"""Page tokens: sealed, bound to the device, and telling nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wuts.domain.caller import DeviceId
from wuts.domain.errors import ValidationFailed
from wuts.rpc.page_tokens import PageTokens

TOKENS = PageTokens(b"k" * 32)
DEVICE, OTHER = DeviceId("one"), DeviceId("two")
CURSOR = "5511999999999@s.whatsapp.net"
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class TestPageTokens:
    """PageTokens seals and opens cursors."""

    @given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
    def test_opens_what_it_sealed(self, cursor: str) -> None:
        """A token gives back the cursor it was made of."""
        assert cursor == TOKENS.open(TOKENS.seal(cursor, DEVICE), DEVICE)

    def test_shows_no_number(self) -> None:
        """The digits of a cursor do not stand in its token."""
        assert "5511" not in TOKENS.seal(CURSOR, DEVICE)

    def test_is_bound_to_the_device(self) -> None:
        """A token of another device is refused by the field's name."""
        with pytest.raises(ValidationFailed) as caught:
            TOKENS.open(TOKENS.seal(CURSOR, OTHER), DEVICE)
        assert caught.value.violations[0].field == "page_token"

    @pytest.mark.parametrize("token", ["", "x", "!!!!", "ação", "A" * 200, "AAAA="])
    def test_refuses_anything_else(self, token: str) -> None:
        """A text that is no token is refused."""
        with pytest.raises(ValidationFailed):
            TOKENS.open(token, DEVICE)

    @pytest.mark.parametrize("change", [1, 2, 3])
    def test_refuses_another_spelling(self, change: int) -> None:
        """The bits of the last character that carry nothing must be as they were made."""
        token = TOKENS.seal(CURSOR, DEVICE)
        last = ALPHABET[ALPHABET.index(token[-1]) + change]
        with pytest.raises(ValidationFailed):
            TOKENS.open(token[:-1] + last, DEVICE)

    def test_refuses_padding(self) -> None:
        """A token with padding behind it is not the one that was made."""
        with pytest.raises(ValidationFailed):
            TOKENS.open(TOKENS.seal(CURSOR, DEVICE) + "=", DEVICE)

    @given(st.integers(min_value=0), st.integers(min_value=1, max_value=63))
    def test_refuses_an_altered_token(self, place: int, change: int) -> None:
        """One changed character anywhere makes a token invalid."""
        token = TOKENS.seal(CURSOR, DEVICE)
        at = place % len(token)
        other = ALPHABET[(ALPHABET.index(token[at]) + change) % 64]
        with pytest.raises(ValidationFailed):
            TOKENS.open(token[:at] + other + token[at + 1 :], DEVICE)
