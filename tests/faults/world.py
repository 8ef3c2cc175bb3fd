"""The worlds in which things go wrong: many small accounts, all alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

FRIEND, FRIEND_LID = "5511911111111", "211111111111111"
SILENT = [f"551193330{number:04}" for number in range(128)]
"""People whose pictures WhatsApp says nothing about; callers of one picture share a question."""
PICTURE = {
    "id": "42",
    "full": {"url": "https://pps.whatsapp.net/v/full.jpg", "direct_path": "/v/full.jpg"},
    "preview": {"url": "https://pps.whatsapp.net/v/small.jpg", "direct_path": "/v/small.jpg"},
}
GROUP = "120363000000000001@g.us"


def world(users: Sequence[str], *, tenants: int = 1) -> dict[str, Any]:
    """Makes a world of users with one device each, spread over so many tenants."""
    accounts = [_account(number, user, number % tenants) for number, user in enumerate(users)]
    return {"accounts": accounts}


def _account(number: int, user: str, tenant: int) -> dict[str, Any]:
    return {
        "tenant": f"tenant{tenant}",
        "user": user,
        "pn": f"55119000{number:05}",
        "people": [
            {
                "pn": FRIEND,
                "lid": FRIEND_LID,
                "pn_row": {"full_name": "A Friend"},
                "picture": PICTURE,
            },
            *({"pn": pn, "picture": "silent"} for pn in SILENT),
        ],
        "groups": [{"jid": GROUP, "participants": [{"pn": FRIEND, "lid": FRIEND_LID}]}],
    }
