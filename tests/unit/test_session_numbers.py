"""Tests of how the engine's answers on numbers become ours."""

from __future__ import annotations

import itertools

import pytest

from fakes_engine import Row, jid
from wuts.session.numbers import checks
from wuts.session.v1 import session_pb2 as pb

CANONICAL = "551188888888"


def read(*rows: Row, asked: str = "5511") -> list[pb.NumberCheck]:
    """Reads rows; the LID 123456 is mapped, all others are not."""
    told = checks(rows, asked.split(), lambda lid: CANONICAL if lid == "123456" else "")
    return sorted(told.checks, key=lambda check: check.asked)


def found(pn: str = "", lid: str = "", asked: str = "5511") -> pb.NumberCheck:
    """Says that somebody has the number."""
    return pb.NumberCheck(asked=asked, registered=True, pn=pn, lid=lid)


class TestChecks:
    """One answer for each number."""

    @pytest.mark.parametrize(
        ("row", "expected"),
        [
            (Row("5511", jid("123456@lid")), found(CANONICAL, "123456")),
            (Row("5511", jid("123456:7@lid")), found(CANONICAL, "123456")),
            (Row("5511", jid("999999@lid")), found("", "999999")),
            (Row("5511", jid("55119@s.whatsapp.net")), found("55119")),
            (Row("5511", jid("")), found()),
            (Row("5511", jid("55119@hosted")), found()),
            (Row("+55 11@c.us", jid("123456@lid")), found(CANONICAL, "123456")),
            (Row("5511", jid("5511@s.whatsapp.net"), IsIn=False), pb.NumberCheck(asked="5511")),
        ],
        ids=["lid", "device", "unmapped", "pn", "not-told", "other-server", "spelt", "nobody"],
    )
    def test_row(self, row: Row, expected: pb.NumberCheck) -> None:
        """A LID is followed to the phone number; whoever is not told stays empty."""
        assert read(row) == [expected]

    def test_joined_by_query(self) -> None:
        """Neither order nor gaps move an answer to another number."""
        rows = [
            Row("3", jid("123456@lid")),
            Row("1", jid("77@s.whatsapp.net")),
            Row("4", jid("78@s.whatsapp.net")),
            Row("", jid("79@s.whatsapp.net")),
        ]
        expected = [found("77", asked="1"), found(CANONICAL, "123456", asked="3")]
        assert read(*rows, asked="1 2 3") == expected

    def test_duplicates(self) -> None:
        """Of several rows on one number the one that tells most counts, in whatever order."""
        rows = [
            Row("5511", jid("5511@s.whatsapp.net"), IsIn=False),
            Row("5511", jid("999999@lid")),
            Row("5511", jid("123456@lid")),
            Row("5511", jid("")),
        ]
        told = [read(*order) for order in itertools.permutations(rows)]
        assert told == [[found(CANONICAL, "123456")]] * 24
