"""Holds a world with every spelling and every answer, for the tests with the real client."""

from __future__ import annotations

from typing import Any

OWN_PN = "5511900000001"
OWN_LID = "900000000000009"
GROUP = "120363000000000001@g.us"

PICTURE = {
    "id": "42",
    "full": {"url": "https://pps.whatsapp.net/v/full.jpg", "direct_path": "/v/full.jpg"},
    "preview": {"url": "https://pps.whatsapp.net/v/small.jpg", "direct_path": "/v/small.jpg"},
}

PEOPLE: list[dict[str, Any]] = [
    {
        "pn": "5511000000001",
        "lid": "100000000000001",
        "pn_row": {"first_name": "A", "full_name": "A One", "push_name": "a", "business_name": "A"},
        "lid_row": {"full_name": "A Lid", "push_name": "al", "business_name": "AL"},
        "picture": PICTURE,
    },
    {
        "pn": "5511000000002",
        "lid": "100000000000002",
        "mapped": False,
        "pn_row": {"full_name": "B Two"},
        "lid_row": {"push_name": "b"},
        "picture": "hidden",
    },
    {"lid": "100000000000003", "lid_row": {"full_name": "C Three"}, "picture": "rate_limited"},
    {
        "pn": "551100000004",
        "answers_to": ["5511900000004"],
        "pn_row": {"business_name": "D"},
        "picture": "none",
    },
    {"pn": "5511000000005", "registered": False, "pn_row": {"push_name": "e"}},
    {"pn": "5511000000006", "lid": "100000000000006", "pn_row": {"business_name": "F"}},
    {"pn": "5511000000008", "lid": "100000000000008", "mapped": False, "answered": False},
    {
        "pn": "551100000009",
        "lid": "100000000000009",
        "mapped": False,
        "answers_to": ["5511900000009"],
    },
]

MIXED: dict[str, Any] = {
    "accounts": [
        {
            "tenant": "acme",
            "user": "ana",
            "pn": OWN_PN,
            "lid": OWN_LID,
            "push_name": "Ana",
            "people": PEOPLE,
            "groups": [
                {
                    "jid": GROUP,
                    "subject": "Mixed",
                    "addressing": "lid",
                    "picture": PICTURE,
                    "participants": [
                        {"pn": "5511000000002", "lid": "100000000000002"},
                        {"lid": "100000000000007", "redacted": "+55 11 ****-**07"},
                    ],
                },
                {"jid": "120363000000000002@g.us", "answer": "not_found"},
                {"jid": "120363000000000003@g.us", "answer": "rate_limited"},
                {"jid": "120363000000000004@g.us", "member": False},
            ],
        },
        {"tenant": "other", "user": "otto", "pn": "5511900000002"},
    ]
}
