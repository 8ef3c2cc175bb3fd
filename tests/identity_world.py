"""A world of spellings: who is stored how, who is a stranger, who hides."""

from __future__ import annotations

from typing import Any

ACCOUNT = "5511900000001"

LONG, LONG_SHORT = "5511987654321", "551187654321"
"""Stored with the ninth digit; asked without."""
SHORT, SHORT_LONG = "553187654322", "5531987654322"
"""Stored without the ninth digit; asked with it."""
MAPPED, MAPPED_SHORT, MAPPED_LID = "5521987650001", "552187650001", "210000000000001"
"""Known by the LID map alone."""
TWIN_LONG, TWIN_LONG_LID = "5511976543210", "210000000000002"
TWIN_SHORT, TWIN_SHORT_LID = "551176543210", "210000000000003"
"""Both spellings stored, with two LIDs: two people."""
LANDLINE, LANDLINE_LONG = "551132345678", "5511932345678"
MEXICO, MEXICO_SHORT = "5215512345678", "525512345678"
ARGENTINA, ARGENTINA_SHORT = "5491123456789", "541123456789"

STRANGER, STRANGER_LID = "5511900001111", "210000000000011"
"""On WhatsApp, and nothing of it is stored."""
RENAMED, RENAMED_ASKED, RENAMED_LID = "553188887777", "5531988887777", "210000000000012"
"""A stranger whom WhatsApp finds under another spelling, too."""
STRICT, STRICT_SHORT, STRICT_LID = "5511977776666", "551177776666", "210000000000013"
"""A stranger whom WhatsApp finds under this spelling only."""
NOBODY = "5511900002222"

HIDDEN_LID, REDACTED = "210000000000021", "+55 11 ****-**21"
"""Seen in a group, without a phone number."""
SPLIT, SPLIT_LID = "5511955554444", "210000000000022"
"""Saved under the phone number, push name under the LID."""

CLUB = "120363000000000101@g.us"
CROWD = "120363000000000102@g.us"
CROWD_SIZE = 1024

PICTURE: dict[str, Any] = {
    "id": "77",
    "full": {"url": "https://pps.whatsapp.net/v/full.jpg", "direct_path": "/v/full.jpg"},
    "preview": {"url": "https://pps.whatsapp.net/v/small.jpg", "direct_path": "/v/small.jpg"},
}


def dated(url: str, expires: int) -> str:
    """Gives a picture's address as WhatsApp dates it: the end in hex seconds."""
    return f"{url}?oh=0123&oe={expires:X}&_nc_sid=1"


def crowd(number: int) -> tuple[str, str]:
    """The phone number and LID of a member of the crowd."""
    return f"55119600{number:05d}", f"2200000000{number:05d}"


def stranger(number: int) -> str:
    """The phone number of one of a thousand strangers who are on WhatsApp."""
    return f"55119700{number:05d}"


def _saved(pn: str, **more: object) -> dict[str, Any]:
    return {"pn": pn, "pn_row": {"full_name": f"Person {pn[-4:]}"}, **more}


def _people() -> list[dict[str, Any]]:
    return [
        _saved(LONG, picture=PICTURE),
        _saved(SHORT),
        {"pn": MAPPED, "lid": MAPPED_LID},
        _saved(TWIN_LONG, lid=TWIN_LONG_LID),
        _saved(TWIN_SHORT, lid=TWIN_SHORT_LID),
        _saved(LANDLINE),
        _saved(MEXICO),
        _saved(ARGENTINA),
        {"pn": STRANGER, "lid": STRANGER_LID, "mapped": False},
        {"pn": RENAMED, "lid": RENAMED_LID, "mapped": False, "answers_to": [RENAMED_ASKED]},
        {"pn": STRICT, "lid": STRICT_LID, "mapped": False},
        _saved(SPLIT, lid=SPLIT_LID, lid_row={"push_name": "Splitty"}, picture=PICTURE),
        *({"pn": stranger(n), "mapped": False} for n in range(1000)),
    ]


def _groups() -> list[dict[str, Any]]:
    members = [{"pn": pn, "lid": lid} for pn, lid in map(crowd, range(CROWD_SIZE - 1))]
    club = [{"pn": LONG}, {"pn": SPLIT, "lid": SPLIT_LID}]
    hidden = {"lid": HIDDEN_LID, "redacted": REDACTED}
    return [
        {"jid": CLUB, "participants": [*club, hidden], "picture": PICTURE},
        {"jid": CROWD, "participants": members},
    ]


IDENTITY_WORLD: dict[str, Any] = {
    "accounts": [
        {
            "tenant": "acme",
            "user": "ana",
            "pn": ACCOUNT,
            "lid": "900000000000011",
            "people": _people(),
            "groups": _groups(),
        }
    ]
}

PLENTY = " ".join(
    f"WUTS_BUDGET_{name}='1000000/h burst 5000'"
    for name in ("NUMBERS", "USERS", "PICTURES", "GROUPS")
)
"""Settings under which no test runs out of budget."""
