"""A world with two tenants who know the same people, and with every kind of answer."""

from __future__ import annotations

from typing import Any

ANA, BOB, EVE = "acme/ana", "globex/bob", "acme/eve"
SHARED, SHARED_LID = "5511911111111", "211111111111111"
HIDDEN, SILENT, LIMITED, PLAIN = "5511922222222", "5511933333333", "5511944444444", "5511955555555"
ONLY_LID = "266666666666666"
UNMAPPED, UNMAPPED_LID = "5511977777777", "277777777777777"
REDACTED_LID = "288888888888888"
OPEN = "120363000000000001@g.us"
GONE = "120363000000000002@g.us"
BUSY = "120363000000000003@g.us"
MUTE = "120363000000000004@g.us"
FOREIGN = "120363000000000005@g.us"
PICTURE = {
    "id": "42",
    "full": {"url": "https://pps.whatsapp.net/v/full.jpg", "direct_path": "/v/full.jpg"},
    "preview": {"url": "https://pps.whatsapp.net/v/small.jpg", "direct_path": "/v/small.jpg"},
}


def _person(pn: str, picture: object = "none", **more: object) -> dict[str, Any]:
    return {"pn": pn, "pn_row": {"full_name": f"Person {pn[-3:]}"}, "picture": picture, **more}


def _ana() -> dict[str, Any]:
    participants = [
        {"pn": SHARED, "lid": SHARED_LID},
        {"pn": UNMAPPED, "lid": UNMAPPED_LID},
        {"lid": REDACTED_LID, "redacted": "+55 11 ****-**88"},
    ]
    return {
        "tenant": "acme",
        "user": "ana",
        "pn": "5511900000001",
        "lid": "900000000000011",
        "push_name": "Ana",
        "people": [
            _person(SHARED, PICTURE, lid=SHARED_LID, mapped=True),
            _person(HIDDEN, "hidden"),
            _person(SILENT, "silent"),
            _person(LIMITED, "rate_limited"),
            _person(PLAIN),
            {"lid": ONLY_LID, "lid_row": {"push_name": "Only"}},
            {"pn": UNMAPPED, "lid": UNMAPPED_LID, "mapped": False, "lid_row": {"push_name": "Un"}},
        ],
        "groups": [
            {"jid": OPEN, "addressing": "lid", "picture": PICTURE, "participants": participants},
            {"jid": GONE, "answer": "not_found"},
            {"jid": BUSY, "answer": "rate_limited"},
            {"jid": MUTE, "answer": "silent"},
            {"jid": FOREIGN, "member": False},
        ],
    }


def _bob() -> dict[str, Any]:
    """Bob knows the same person under the LID only: the phone is hidden from him."""
    return {
        "tenant": "globex",
        "user": "bob",
        "pn": "5511900000002",
        "lid": "900000000000022",
        "push_name": "Bob",
        "people": [{"lid": SHARED_LID, "lid_row": {"push_name": "Shared"}}],
        "groups": [],
    }


def _eve(number: int) -> dict[str, Any]:
    """Eve has two devices."""
    return {
        "tenant": "acme",
        "user": "eve",
        "pn": f"551190000003{number}",
        "lid": f"90000000000003{number}",
        "push_name": "Eve",
        "people": [_person("5511966666666")],
        "groups": [],
    }


WORLD = {"accounts": [_ana(), _bob(), _eve(0), _eve(1)]}
