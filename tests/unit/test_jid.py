"""The grammar of identifiers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wuts.domain.jid import (
    Jid,
    JidError,
    Server,
    UnsupportedIdentifier,
    parse_chat,
    parse_group,
    parse_phone,
    parse_user,
)

DIGITS = "0123456789"


class TestParseUser:
    """parse_user reads phones, PN JIDs and LID JIDs."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("5511999999999", "5511999999999@s.whatsapp.net"),
            ("+55 (11) 99999-9999", "5511999999999@s.whatsapp.net"),
            ("(+55) 11 99999-9999", "5511999999999@s.whatsapp.net"),
            (" 5511999999999 ", "5511999999999@s.whatsapp.net"),
            ("112233445566778", "112233445566778@s.whatsapp.net"),
            ("5511999999999@s.whatsapp.net", "5511999999999@s.whatsapp.net"),
            ("5511999999999@c.us", "5511999999999@s.whatsapp.net"),
            ("5511999999999:12@s.whatsapp.net", "5511999999999@s.whatsapp.net"),
            ("112233445566778@lid", "112233445566778@lid"),
            ("112233445566778:3@lid", "112233445566778@lid"),
            ("12345@lid", "12345@lid"),
            ("12345678901234567890@s.whatsapp.net", "12345678901234567890@s.whatsapp.net"),
        ],
    )
    def test_reads(self, text: str, expected: str) -> None:
        """Every spelling of a person becomes one JID without device part."""
        assert expected == str(parse_user(text))

    @pytest.mark.parametrize(
        "text",
        [
            "",
            " ",
            "123456789",
            "1234567890123456",
            "++5511999999999",
            "55+11999999999",
            "5511.99999.9999",
            "٥٥١١٩٩٩٩٩٩٩٩٩",
            "1234@lid",
            "123456789012345678901@lid",
            "120363039000000000@g.us",
            "120363039000000000@newsletter",
            "5511999999999@S.WHATSAPP.NET",
            "5511999999999@s.whatsapp.net\n",
            "+5511999999999@s.whatsapp.net",
            "5511999999999@example.com",
            "abc@lid",
            "@lid",
            "5511999999999\x00",
        ],
    )
    def test_refuses(self, text: str) -> None:
        """Anything else is refused, with a remedy that does not repeat the text."""
        with pytest.raises(JidError) as caught:
            parse_user(text)
        assert "10 to 15 digits" in str(caught.value)

    @pytest.mark.parametrize(
        "text",
        [
            "@joao",
            "@Joao.Pereira_1",
            "@abc",
            "@" + "a" * 35,
            "BR.1502576394655843",
            "US.ENT.1502576394655843",
        ],
    )
    def test_unsupported(self, text: str) -> None:
        """Usernames and business-scoped user ids are recognised, and what to write instead."""
        with pytest.raises(UnsupportedIdentifier, match=r"cannot be resolved.*10 to 15 digits"):
            parse_user(text)

    @pytest.mark.parametrize(
        "text",
        [
            "joao",
            "@jo",
            "@" + "a" * 36,
            "@jo\u00e3o",
            "@joao pereira",
            "@lid",
            "@s.whatsapp.net",
            "@g.us",
            "joao@lid",
            "br.1502576394655843",
            "BRA.1502576394655843",
            "BR.",
            "BR.15x",
            "BR.ENT",
        ],
    )
    def test_neither(self, text: str) -> None:
        """What is no username and no business-scoped user id is no identifier at all."""
        with pytest.raises(JidError) as caught:
            parse_user(text)
        assert not isinstance(caught.value, UnsupportedIdentifier)

    @given(st.text(DIGITS, min_size=10, max_size=15), st.data())
    def test_ignores_punctuation(self, digits: str, data: st.DataObject) -> None:
        """Spaces, dashes and parentheses anywhere never change the number."""
        noise = data.draw(st.lists(st.sampled_from(" -()"), max_size=len(digits)))
        text = "".join(a + b for a, b in zip(digits, [*noise, *[""] * len(digits)], strict=False))
        assert Jid(digits, Server.PN) == parse_user("+" + text)

    @given(st.text())
    def test_never_fails_otherwise(self, text: str) -> None:
        """Any text either is refused or prints as a JID that reads as itself."""
        try:
            jid = parse_user(text)
        except JidError:
            return
        assert jid == parse_user(str(jid))


class TestParsePhone:
    """parse_phone reads bare numbers only."""

    def test_refuses_a_jid(self) -> None:
        """A JID is no phone number."""
        with pytest.raises(JidError):
            parse_phone("5511999999999@s.whatsapp.net")


class TestParseChat:
    """parse_chat reads contacts and groups."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("120363039000000000@g.us", Jid("120363039000000000", Server.GROUP)),
            ("5511999999999-1400000000@g.us", Jid("5511999999999-1400000000", Server.GROUP)),
            ("112233445566778@lid", Jid("112233445566778", Server.LID)),
            ("5511999999999", Jid("5511999999999", Server.PN)),
        ],
    )
    def test_reads(self, text: str, expected: Jid) -> None:
        """Whatever may have a picture is read."""
        assert expected == parse_chat(text)

    @pytest.mark.parametrize("text", ["", "x@g.us", "1@newsletter", "status@broadcast"])
    def test_refuses(self, text: str) -> None:
        """Channels, broadcasts and nonsense are refused."""
        with pytest.raises(JidError):
            parse_chat(text)

    @pytest.mark.parametrize("text", ["@joao", "BR.1502576394655843"])
    def test_unsupported(self, text: str) -> None:
        """A username or a business-scoped user id is refused as such."""
        with pytest.raises(UnsupportedIdentifier, match="cannot be resolved"):
            parse_chat(text)


class TestParseGroup:
    """parse_group reads groups only."""

    def test_refuses_a_person(self) -> None:
        """A person's JID is no group, and the remedy says what one looks like."""
        with pytest.raises(JidError, match=r"@g\.us"):
            parse_group("5511999999999@s.whatsapp.net")
