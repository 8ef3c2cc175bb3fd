"""A small world behind the real server: the documented example, in memory."""

from __future__ import annotations

import tempfile
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fakes_sessions import FakeSessions
from fakes_store import InMemoryContactStore, InMemoryTokenDirectory
from wuts.adapters.enquiries import Enquirer, Policy
from wuts.domain.budget import Allowance
from wuts.domain.contact import Names
from wuts.domain.enquiry import QueryClass
from wuts.domain.group import Participant, Roster
from wuts.domain.jid import pn_jid
from wuts.domain.picture import Picture
from wuts.domain.profile import UserInfo
from wuts.domain.state import DeviceState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from wuts.domain.caller import DeviceId

MARIA, JOAO, JOAO_LID = "5511999999999", "5511888888888", "112233445566778"
MARIA_LID = "811999999999999"
"""Told to those who ask about her; the store does not know it."""
HIDDEN_LID, STRANGER_LID = "112233445566779", "998877665544332"
OWN, OWN_LID = "5511900000000", "900000000000001"
GROUP = "120363039000000000@g.us"
PICTURE = Picture(
    url="https://pps.whatsapp.net/v/t61.24694-24/abc123.jpg",
    id="1700000000",
    kind="image",
    direct_path="/v/t61.24694-24/abc123.jpg",
)


def allowing(questions: int, **exceptions: int) -> Policy:
    """Allows so many questions of each class at once, but for some classes."""
    bounds = {each: exceptions.get(each, questions) for each in QueryClass}
    return Policy(allowances={each: Allowance(bound, bound) for each, bound in bounds.items()})


@asynccontextmanager
async def enquiries_over(
    sessions: FakeSessions, policy: Policy | None = None
) -> AsyncIterator[Enquirer]:
    """Gives enquiries that remember nothing yet, and may ask much unless a policy says how much."""
    with tempfile.TemporaryDirectory() as directory:
        policy = policy or allowing(10_000)
        enquirer = Enquirer(sessions=sessions, directory=Path(directory), policy=policy)
        try:
            yield enquirer
        finally:
            await enquirer.close()


class Example:
    """The documented people, known to the one device of demo/demo."""

    def __init__(self) -> None:
        self.store = InMemoryContactStore()
        self.sessions = FakeSessions()
        self.directory = InMemoryTokenDirectory()
        self.directory.add_user("demo", "demo")
        self.device = self.directory.create_device("demo", "demo")
        self.token = self.directory.add_token("demo", "demo")
        self._fill(self.device)

    def add_user(self, name: str, devices: int) -> str:
        """Adds a user of the tenant with so many devices; gives an unbound token."""
        self.directory.add_user("demo", name)
        for _ in range(devices):
            self.directory.create_device("demo", name)
        return self.directory.add_token("demo", name)

    def _fill(self, device: DeviceId) -> None:
        self.store.link(device, OWN, OWN_LID)
        maria = Names("Maria", "Maria Silva", "Maria", "Silva Comercio")
        self.store.add_row(device, f"{MARIA}@s.whatsapp.net", maria)
        joao = Names(full="Joao Pereira", push="Joao")
        self.store.add_row(device, f"{JOAO}@s.whatsapp.net", joao)
        self.store.pair(device, JOAO, JOAO_LID)
        self.sessions.states[device] = DeviceState.CONNECTED
        self.sessions.accounts[device] = pn_jid(OWN)
        self.directory.record_linked(device, pn_jid(OWN))
        self.sessions.pictures[f"{MARIA}@s.whatsapp.net"] = PICTURE
        self.sessions.infos = {
            f"{MARIA}@s.whatsapp.net": UserInfo(
                "Hey there! I am using WhatsApp.",
                "1718000000",
                (f"{MARIA}@s.whatsapp.net",),
                MARIA_LID,
            ),
            f"{JOAO}@s.whatsapp.net": UserInfo(
                devices=(f"{JOAO}@s.whatsapp.net", f"{JOAO}:3@s.whatsapp.net"), lid=JOAO_LID
            ),
        }
        self.sessions.rosters[GROUP] = Roster(
            [
                Participant(pn=MARIA),
                Participant(pn=JOAO, lid=JOAO_LID),
                Participant(lid=HIDDEN_LID, redacted_phone="+55 11 ****-**12"),
            ]
        )
