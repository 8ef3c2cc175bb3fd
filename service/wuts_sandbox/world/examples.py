"""Holds the default world, which is the documented example, and makes seeded people."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from wuts_sandbox.world.document import Person, Row, World

if TYPE_CHECKING:
    from wuts_sandbox.world.document import Account

FIRST_NAMES = (
    "Ana",
    "Bruno",
    "Carla",
    "Diego",
    "Elisa",
    "Fabio",
    "Gloria",
    "Hugo",
    "Ines",
    "Jorge",
)
LAST_NAMES = ("Alves", "Barros", "Castro", "Dias", "Esteves", "Farias", "Gomes", "Horta", "Lima")

SEEDED_PN = 5521900000000
SEEDED_LID = 700000000000000

PICTURE_HOST = "https://pps.whatsapp.net"
MARIA_FULL = "/v/t61.24694-24/abc123.jpg"
MARIA_PREVIEW = "/v/t61.24694-24/abc123_preview.jpg"

MARIA = {
    "pn": "5511999999999",
    "pn_row": {
        "first_name": "Maria",
        "full_name": "Maria Silva",
        "push_name": "Maria",
        "business_name": "Silva Comercio",
    },
    "picture": {
        "id": "1700000000",
        "full": {"url": PICTURE_HOST + MARIA_FULL, "direct_path": MARIA_FULL},
        "preview": {"url": PICTURE_HOST + MARIA_PREVIEW, "direct_path": MARIA_PREVIEW},
    },
}

JOAO = {
    "pn": "5511888888888",
    "lid": "112233445566778",
    "pn_row": {"full_name": "Joao Pereira", "push_name": "Joao"},
}

EXAMPLE_GROUP = {
    "jid": "120363039000000000@g.us",
    "subject": "Example",
    "addressing": "pn",
    "participants": [
        {"pn": MARIA["pn"]},
        {"pn": JOAO["pn"], "lid": JOAO["lid"]},
    ],
}


def default_world() -> World:
    """Returns the documented example: one account, Maria, Joao and their group."""
    return World.model_validate(
        {
            "accounts": [
                {
                    "tenant": "demo",
                    "user": "demo",
                    "pn": "5511900000000",
                    "lid": "900000000000001",
                    "push_name": "Sandbox",
                    "people": [MARIA, JOAO],
                    "groups": [EXAMPLE_GROUP],
                }
            ]
        }
    )


def add_people(account: Account, count: int, *, seed: int = 0) -> None:
    """Adds `count` people to an account; the same seed gives the same people.

    Every person has a PN and a full name, every second one also a mapped LID, every tenth a push
    name: the library stores push names one by one, so they decide how long a large sync takes.
    """
    source = random.Random(seed)  # noqa: S311  # repeatable people, no secret
    account.people = [*account.people, *(_person(index, source) for index in range(count))]


def _person(index: int, source: random.Random) -> Person:
    first = source.choice(FIRST_NAMES)
    # Built without validation: 100,000 people would otherwise take seconds.
    row = Row.model_construct(
        first_name=first,
        full_name=f"{first} {source.choice(LAST_NAMES)} {index + 1}",
        push_name=first.lower() if index % 10 == 0 else "",
    )
    lid = str(SEEDED_LID + index) if index % 2 == 0 else None
    return Person.model_construct(pn=str(SEEDED_PN + index), lid=lid, pn_row=row)
