"""What every LiveSessions does, in memory and over real processes."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import pytest

from fakes_sessions import FakeSessions
from session.harness import ACCOUNT, A, B, Watch, watching
from session.stand_in import Ask, Behaviour
from wuts.domain.errors import (
    DeviceNotReady,
    DomainError,
    GroupForbidden,
    GroupNotFound,
    PictureHidden,
    PictureNotSet,
    RateLimited,
    StoreUnavailable,
    WhatsappError,
    WhatsappTimeout,
)
from wuts.domain.group import Participant, Roster
from wuts.domain.jid import Jid, Server, lid_jid, pn_jid
from wuts.domain.picture import Picture, Unchanged
from wuts.domain.state import DeviceState
from wuts.ports import Linked, QrText

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable
    from pathlib import Path

    from wuts.ports import LiveSessions

MARIA = pn_jid("5511999999999")
GROUP = Jid("120363039000000000", Server.GROUP)
PICTURE = Picture(url="https://pps.example/a", id="1700000000", kind="image", direct_path="/a")
ROSTER = Roster(
    [
        Participant("5511999999999", "112233445566778"),
        Participant(lid="112233445566779", redacted_phone="+55 11 ****-**12"),
    ]
)

FAILURES: list[tuple[str, DomainError]] = [
    (Ask.HIDDEN, PictureHidden()),
    (Ask.NOT_SET, PictureNotSet()),
    (Ask.RATE_LIMITED, RateLimited(60)),
    (Ask.TIMED_OUT, WhatsappTimeout()),
    (Ask.SERVER_ERROR, WhatsappError(463)),
    (Ask.MALFORMED, WhatsappError(0)),
    (Ask.UNKNOWN_TEXT, WhatsappError(0)),
    (Ask.NOT_CONNECTED, DeviceNotReady(DeviceState.RECONNECTING)),
    (Ask.STORE_LOCKED, StoreUnavailable()),
]
GROUP_FAILURES: list[tuple[str, DomainError]] = [
    (Ask.GROUP_NOT_FOUND, GroupNotFound()),
    (Ask.GROUP_FORBIDDEN, GroupForbidden()),
    (Ask.RATE_LIMITED, RateLimited(60)),
]


class Subject(Protocol):
    """Sessions under test: device A is connected, device B was never linked."""

    @property
    def sessions(self) -> LiveSessions:
        """The sessions."""

    def scan(self) -> None:
        """Scans the code that device B shows."""

    def fail_pairing(self) -> None:
        """Lets the pairing of device B fail."""


@dataclass
class InMemory:
    """The fake, taught what the stand-in process answers."""

    sessions: FakeSessions

    def scan(self) -> None:
        """Lets linking succeed after the code that was shown."""
        self.sessions.link_steps[B] = [QrText("code"), Linked(ACCOUNT)]

    def fail_pairing(self) -> None:
        """Lets linking fail after the code that was shown."""
        self.sessions.link_steps[B] = [QrText("code"), DeviceNotReady(DeviceState.NEW)]


@dataclass
class OverProcesses:
    """The adapter, over stand-in processes."""

    watch: Watch

    @property
    def sessions(self) -> LiveSessions:
        """The sessions."""
        return self.watch.sessions

    def scan(self) -> None:
        """Tells the process of device B that its code was scanned."""
        self.watch.signal(signal.SIGUSR1, B)

    def fail_pairing(self) -> None:
        """Tells the process of device B that the pairing failed."""
        self.watch.signal(signal.SIGUSR2, B)


def in_memory() -> InMemory:
    """Makes the fake."""
    return InMemory(
        FakeSessions(
            states={A: DeviceState.CONNECTED},
            accounts={A: ACCOUNT},
            pictures={
                str(MARIA): PICTURE,
                str(GROUP): PICTURE,
                str(lid_jid("112233445566778")): PICTURE,
                **{str(pn_jid(user)): error for user, error in FAILURES},
            },
            rosters={
                str(GROUP): ROSTER,
                **{str(Jid(user, Server.GROUP)): error for user, error in GROUP_FAILURES},
            },
        )
    )


@pytest.fixture(params=["memory", "processes"])
async def subject(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Subject]:
    """Gives each implementation in turn."""
    if request.param == "memory":
        yield in_memory()
        return
    async with watching(tmp_path) as watch:
        watch.behave(Behaviour(linked=False, codes=["code"]), device=B)
        await watch.connect(A)
        yield OverProcesses(watch)


def facts(error: DomainError) -> tuple[type, dict[str, object]]:
    """Gives what makes two errors equal."""
    return type(error), vars(error)


async def error_of(call: Awaitable[object]) -> tuple[type, dict[str, object]]:
    """Gives the facts of the error that a call ends with."""
    with pytest.raises(DomainError) as caught:
        await call
    return facts(caught.value)


async def fail_at_first_code(subject: Subject) -> None:
    """Links device B, and lets its pairing fail once a code is shown."""
    async for _ in subject.sessions.link(B):
        subject.fail_pairing()


class TestState:
    """Telling whether a device is connected."""

    async def test_state(self, subject: Subject) -> None:
        """A connected device and one that was never linked differ."""
        states = [subject.sessions.state(device) for device in (A, B)]
        assert states == [DeviceState.CONNECTED, DeviceState.NEW]

    async def test_require_connected(self, subject: Subject) -> None:
        """Only the connected device passes; the error names the state."""
        await subject.sessions.require_connected(A)
        with pytest.raises(DeviceNotReady) as caught:
            await subject.sessions.require_connected(B)
        assert caught.value.state == DeviceState.NEW


class TestPicture:
    """Asking for pictures."""

    @pytest.mark.parametrize(
        ("chat", "preview", "kind"),
        [
            (MARIA, False, "image"),
            (MARIA, True, "preview"),
            (lid_jid("112233445566778"), True, "preview"),
            (GROUP, False, "image"),
        ],
    )
    async def test_found(self, subject: Subject, chat: Jid, preview: bool, kind: str) -> None:
        """People and groups have pictures in two sizes."""
        picture = await subject.sessions.picture(A, chat, preview=preview, existing_id="")
        assert picture == Picture(PICTURE.url, PICTURE.id, kind, PICTURE.direct_path)

    async def test_unchanged(self, subject: Subject) -> None:
        """Who holds the present picture is told so."""
        answer = await subject.sessions.picture(A, MARIA, preview=True, existing_id=PICTURE.id)
        assert answer == Unchanged(PICTURE.id)

    async def test_changed(self, subject: Subject) -> None:
        """Who holds another picture gets the present one."""
        answer = await subject.sessions.picture(A, MARIA, preview=False, existing_id="1")
        assert answer == PICTURE

    async def test_failures(self, subject: Subject) -> None:
        """Every situation has its own error."""
        told = [
            await error_of(subject.sessions.picture(A, pn_jid(user), preview=False, existing_id=""))
            for user, _ in FAILURES
        ]
        assert told == [facts(error) for _, error in FAILURES]

    async def test_not_connected(self, subject: Subject) -> None:
        """A device that is not linked is asked nothing."""
        with pytest.raises(DeviceNotReady):
            await subject.sessions.picture(B, MARIA, preview=False, existing_id="")


class TestRoster:
    """Asking for rosters."""

    async def test_found(self, subject: Subject) -> None:
        """Participants come with all that was told of them."""
        assert await subject.sessions.roster(A, GROUP) == ROSTER

    async def test_failures(self, subject: Subject) -> None:
        """Every situation has its own error."""
        groups = [Jid(user, Server.GROUP) for user, _ in GROUP_FAILURES]
        told = [await error_of(subject.sessions.roster(A, group)) for group in groups]
        assert told == [facts(error) for _, error in GROUP_FAILURES]


class TestLink:
    """Linking devices."""

    async def test_linked_already(self, subject: Subject) -> None:
        """A connected device is linked at once."""
        assert [step async for step in subject.sessions.link(A)] == [Linked(ACCOUNT)]

    async def test_scanned(self, subject: Subject) -> None:
        """A code comes first, and `Linked` last; the device is connected then."""
        if isinstance(subject, InMemory):
            subject.scan()
        steps = []
        async for step in subject.sessions.link(B):
            steps.append(step)
            if isinstance(step, QrText):
                subject.scan()
        assert steps == [QrText("code"), Linked(ACCOUNT)]
        assert subject.sessions.state(B) == DeviceState.CONNECTED

    async def test_failed(self, subject: Subject) -> None:
        """A pairing that fails raises the state it ended in."""
        if isinstance(subject, InMemory):
            subject.fail_pairing()
        with pytest.raises(DeviceNotReady) as caught:
            await fail_at_first_code(subject)
        assert caught.value.state == subject.sessions.state(B) == DeviceState.NEW
