"""What every LiveSessions does, in memory and over real processes."""

from __future__ import annotations

import signal
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import pytest

from fakes_sessions import SINCE, FakeSessions
from session.harness import ACCOUNT, FAST, A, B, Watch, eventually, watching
from session.stand_in import CANONICAL, PAIR_CODE, Ask, Behaviour
from wuts.domain.blocklist import Blocklist
from wuts.domain.device import PairCode
from wuts.domain.enquiry import Change, ChangeKind, NumberCheck
from wuts.domain.errors import (
    AlreadyLinked,
    DeviceNotReady,
    DomainError,
    GroupForbidden,
    GroupNotFound,
    NotOnWhatsapp,
    PictureHidden,
    PictureNotSet,
    QrTimeout,
    RateLimited,
    StoreUnavailable,
    WhatsappError,
    WhatsappTimeout,
)
from wuts.domain.group import Participant, Roster
from wuts.domain.jid import Jid, Server, lid_jid, pn_jid
from wuts.domain.picture import Picture, Unchanged
from wuts.domain.profile import UserInfo
from wuts.domain.state import DeviceState, Reason
from wuts.ports import Linked, QrText

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable
    from pathlib import Path

    from wuts.ports import LiveSessions

MARIA = pn_jid("5511999999999")
CODE = QrText("code", 60)
SHOWN_PAIR_CODE = PairCode(PAIR_CODE, MARIA, SINCE)
GROUP = Jid("120363039000000000", Server.GROUP)
PICTURE = Picture(url="https://pps.example/a", id="1700000000", kind="image", direct_path="/a")
ROSTER = Roster(
    [
        Participant("5511999999999", "112233445566778"),
        Participant(lid="112233445566779", redacted_phone="+55 11 ****-**12"),
    ]
)

NUMBERS = [
    NumberCheck(MARIA.user, registered=True, pn=MARIA.user, lid=f"9{MARIA.user}"),
    NumberCheck(Ask.RESPELT, registered=True, pn=CANONICAL, lid=f"9{Ask.RESPELT}"),
    NumberCheck(Ask.NOBODY, registered=False),
]

CHANGES = [
    Change(ChangeKind.PICTURE, MARIA),
    Change(ChangeKind.PICTURE, lid_jid("112233445566778")),
    Change(ChangeKind.GROUP, GROUP),
]

FAILURES: list[tuple[str, DomainError]] = [
    (Ask.HIDDEN, PictureHidden()),
    (Ask.NOT_SET, PictureNotSet()),
    (Ask.RATE_LIMITED, RateLimited(60)),
    (Ask.TIMED_OUT, WhatsappTimeout()),
    (Ask.SERVER_ERROR, WhatsappError(463)),
    (Ask.MALFORMED, WhatsappError(0)),
    (Ask.UNKNOWN_TEXT, WhatsappError(0)),
    (
        Ask.NOT_CONNECTED,
        DeviceNotReady(DeviceState.RECONNECTING, reason=Reason.CONNECTION_LOST, retry_after=1),
    ),
    (Ask.STORE_LOCKED, StoreUnavailable()),
]
NUMBER_FAILURES = [
    (user, error)
    for user, error in FAILURES
    if not isinstance(error, PictureHidden | PictureNotSet)
]
PERSON_FAILURES: list[tuple[str, DomainError]] = [
    *NUMBER_FAILURES,
    (Ask.NOT_ON_WHATSAPP, NotOnWhatsapp()),
]
MARIA_INFO = UserInfo("Hello", PICTURE.id, (str(MARIA),), f"9{MARIA.user}")
MARIA_LID = lid_jid(MARIA_INFO.lid)
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

    def lose_connection(self) -> None:
        """Takes the connection of device A away, for a while."""

    def show_nothing(self) -> None:
        """Lets device B show no code."""

    async def change(self) -> None:
        """Lets WhatsApp tell device A what changed."""


@dataclass
class InMemory:
    """The fake, taught what the stand-in process answers."""

    sessions: FakeSessions

    def scan(self) -> None:
        """Lets linking succeed after the code that was shown."""
        self.sessions.link_steps[B] = [CODE, Linked(ACCOUNT)]

    def fail_pairing(self) -> None:
        """Lets linking fail after the code that was shown."""
        refused = DeviceNotReady(DeviceState.NEW, reason=Reason.PAIRING_REFUSED)
        self.sessions.link_steps[B] = [CODE, refused]

    def lose_connection(self) -> None:
        """Enters the state."""
        self.sessions.enter(A, DeviceState.RECONNECTING, Reason.CONNECTION_LOST)

    def show_nothing(self) -> None:
        """Leaves no step of linking."""
        self.sessions.link_steps.clear()

    async def change(self) -> None:
        """Tells of each change."""
        for change in CHANGES:
            self.sessions.change(A, change)


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

    def lose_connection(self) -> None:
        """Tells the process of device A that its connection is lost."""
        self.watch.signal(signal.SIGUSR2, A)

    def show_nothing(self) -> None:
        """Leaves the process of device B without codes."""
        self.watch.behave(Behaviour(linked=False), device=B)

    async def change(self) -> None:
        """Asks the process of device A what makes it tell of changes."""
        await self.sessions.roster(A, Jid(Ask.CHANGES, Server.GROUP))


def in_memory() -> InMemory:
    """Makes the fake."""
    return InMemory(
        FakeSessions(
            states={A: DeviceState.CONNECTED},
            accounts={A: ACCOUNT},
            link_steps={B: [CODE, SHOWN_PAIR_CODE]},
            pictures={
                str(MARIA): PICTURE,
                str(GROUP): PICTURE,
                str(lid_jid("112233445566778")): PICTURE,
                **{str(pn_jid(user)): error for user, error in FAILURES},
            },
            registered={check.asked: check for check in NUMBERS if check.registered},
            silent={Ask.UNSAID},
            number_errors=dict(NUMBER_FAILURES),
            infos={
                str(MARIA): MARIA_INFO,
                **{str(pn_jid(user)): error for user, error in PERSON_FAILURES},
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
    async with watching(tmp_path, limits=replace(FAST, code_wait_seconds=2)) as watch:
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


class TestCheckNumbers:
    """Asking which phone numbers are on WhatsApp."""

    async def test_found(self, subject: Subject) -> None:
        """Each number has its own answer; one on which nothing is said is missing."""
        asked = [NUMBERS[0].asked, Ask.UNSAID, *(check.asked for check in NUMBERS[1:])]
        answer = await subject.sessions.check_numbers(A, asked)
        assert answer == {check.asked: check for check in NUMBERS}

    async def test_nothing_said(self, subject: Subject) -> None:
        """An answer in which nobody stands is no error."""
        assert await subject.sessions.check_numbers(A, [Ask.UNSAID]) == {}

    async def test_failures(self, subject: Subject) -> None:
        """Every situation has its own error, and fails all numbers of the query."""
        told = [
            await error_of(subject.sessions.check_numbers(A, [number, MARIA.user]))
            for number, _ in NUMBER_FAILURES
        ]
        assert told == [facts(error) for _, error in NUMBER_FAILURES]

    async def test_not_connected(self, subject: Subject) -> None:
        """A device that is not linked is asked nothing."""
        with pytest.raises(DeviceNotReady):
            await subject.sessions.check_numbers(B, [MARIA.user])


class TestUserInfo:
    """Asking what people tell of themselves."""

    async def test_found(self, subject: Subject) -> None:
        """All that is told comes, with the LID."""
        assert await subject.sessions.user_info(A, MARIA) == MARIA_INFO

    async def test_failures(self, subject: Subject) -> None:
        """Every situation has its own error."""
        told = [
            await error_of(subject.sessions.user_info(A, pn_jid(user)))
            for user, _ in PERSON_FAILURES
        ]
        assert told == [facts(error) for _, error in PERSON_FAILURES]

    async def test_not_connected(self, subject: Subject) -> None:
        """A device that is not linked is asked nothing."""
        with pytest.raises(DeviceNotReady):
            await subject.sessions.user_info(B, MARIA)


class TestBlocklist:
    """Reading and changing the blocklist."""

    async def test_changes(self, subject: Subject) -> None:
        """People are listed by LID, once, and the list is told as it is after each change."""
        sessions, empty = subject.sessions, Blocklist((), "2:")
        listed = Blocklist((MARIA_LID,), f"2:{MARIA_LID.user}")
        assert await sessions.blocklist(A) == empty
        assert await sessions.set_blocked(A, MARIA, blocked=True) == listed
        assert await sessions.set_blocked(A, MARIA_LID, blocked=True) == listed
        assert await sessions.blocklist(A) == listed
        assert await sessions.set_blocked(A, MARIA, blocked=False) == empty

    async def test_failures(self, subject: Subject) -> None:
        """Every situation has its own error."""
        told = [
            await error_of(subject.sessions.set_blocked(A, pn_jid(user), blocked=True))
            for user, _ in PERSON_FAILURES
        ]
        assert told == [facts(error) for _, error in PERSON_FAILURES]

    async def test_not_connected(self, subject: Subject) -> None:
        """A device that is not linked has no list."""
        with pytest.raises(DeviceNotReady):
            await subject.sessions.blocklist(B)
        with pytest.raises(DeviceNotReady):
            await subject.sessions.set_blocked(B, MARIA, blocked=True)


class TestListen:
    """Hearing of changes."""

    async def test_heard(self, subject: Subject) -> None:
        """The listener hears the device and each change of a known kind, in order."""
        heard: list[tuple[str, Change]] = []
        subject.sessions.listen(lambda device, change: heard.append((device, change)))
        await subject.change()
        assert heard == [(A, change) for change in CHANGES]

    async def test_nobody_listens(self, subject: Subject) -> None:
        """Without a listener changes are of no consequence."""
        await subject.change()
        assert await subject.sessions.roster(A, GROUP) == ROSTER


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
        assert steps == [CODE, Linked(ACCOUNT)]
        assert subject.sessions.state(B) == DeviceState.CONNECTED

    async def test_failed(self, subject: Subject) -> None:
        """A pairing that fails raises the state it ended in."""
        if isinstance(subject, InMemory):
            subject.fail_pairing()
        with pytest.raises(DeviceNotReady) as caught:
            await fail_at_first_code(subject)
        assert caught.value.state == subject.sessions.state(B) == DeviceState.NEW
        assert caught.value.reason == Reason.PAIRING_REFUSED

    async def test_pair_code(self, subject: Subject) -> None:
        """With a phone number one pair code comes in place of QR codes."""
        async with aclosing(subject.sessions.link(B, phone=MARIA)) as steps:
            step = await anext(steps)
        assert isinstance(step, PairCode)
        assert (step.code, step.phone) == (PAIR_CODE, MARIA)


class TestQrCode:
    """Giving QR codes."""

    async def test_codes(self, subject: Subject) -> None:
        """A code is given, and given again while it is valid."""
        assert subject.sessions.qr_status(B) is None
        fresh = await subject.sessions.qr_code(B, reuse=True, refresh=False)
        again = await subject.sessions.qr_code(B, reuse=True, refresh=False)
        status = subject.sessions.qr_status(B)
        assert status is not None
        assert [each.text for each in (fresh, again, status)] == ["code"] * 3
        assert (fresh.cached, again.cached) == (False, True)
        assert (fresh.expires_at - fresh.made_at).total_seconds() == 60
        assert subject.sessions.state(B) == DeviceState.LINKING

    @pytest.mark.parametrize(("reuse", "refresh"), [(False, False), (True, True)])
    async def test_fresh(self, subject: Subject, reuse: bool, refresh: bool) -> None:
        """A fresh code is given to those who want no other."""
        await subject.sessions.qr_code(B, reuse=True, refresh=False)
        code = await subject.sessions.qr_code(B, reuse=reuse, refresh=refresh)
        assert not code.cached

    async def test_linked_already(self, subject: Subject) -> None:
        """A linked device shows no code, connected or not."""
        with pytest.raises(AlreadyLinked):
            await subject.sessions.qr_code(A, reuse=True, refresh=False)
        await subject.sessions.disconnect(A)
        with pytest.raises(AlreadyLinked):
            await subject.sessions.qr_code(A, reuse=True, refresh=False)

    async def test_no_code_in_time(self, subject: Subject) -> None:
        """Without a code in time the caller is told so."""
        subject.show_nothing()
        with pytest.raises(QrTimeout):
            await subject.sessions.qr_code(B, reuse=True, refresh=False)


class TestPairCode:
    """Giving pair codes."""

    async def test_codes(self, subject: Subject) -> None:
        """A code is given, and given again while it is valid."""
        fresh = await subject.sessions.pair_code(B, MARIA, reuse=True, refresh=False)
        again = await subject.sessions.pair_code(B, MARIA, reuse=True, refresh=False)
        other = await subject.sessions.pair_code(B, ACCOUNT, reuse=True, refresh=False)
        told = [(each.code, each.phone, each.cached) for each in (fresh, again, other)]
        assert told == [
            (PAIR_CODE, MARIA, False),
            (PAIR_CODE, MARIA, True),
            (PAIR_CODE, ACCOUNT, False),
        ]

    async def test_linked_already(self, subject: Subject) -> None:
        """A linked device gets no code."""
        with pytest.raises(AlreadyLinked):
            await subject.sessions.pair_code(A, MARIA, reuse=True, refresh=False)

    async def test_no_code_in_time(self, subject: Subject) -> None:
        """Without a code in time the caller is told so."""
        subject.show_nothing()
        with pytest.raises(QrTimeout):
            await subject.sessions.pair_code(B, MARIA, reuse=True, refresh=False)


class TestConnect:
    """Connecting and disconnecting."""

    async def test_disconnect_and_connect(self, subject: Subject) -> None:
        """A disconnected device stays so until it is connected again."""
        await subject.sessions.disconnect(A)
        status = subject.sessions.status(A)
        told = (status.state, status.reason, status.next_retry_at)
        assert told == (DeviceState.DISCONNECTED, Reason.DISCONNECTED_BY_REQUEST, None)
        assert status.last_connected is not None
        with pytest.raises(DeviceNotReady) as caught:
            await subject.sessions.require_connected(A)
        assert caught.value.retry_after == 0
        assert (await subject.sessions.connect(A)).state == DeviceState.CONNECTED
        await subject.sessions.require_connected(A)

    async def test_connected_already(self, subject: Subject) -> None:
        """Connecting a connected device changes nothing."""
        before = subject.sessions.status(A)
        after = await subject.sessions.connect(A)
        assert (after.state, after.since) == (before.state, before.since)

    async def test_never_linked(self, subject: Subject) -> None:
        """A device that was never linked is left as it is."""
        await subject.sessions.disconnect(B)
        assert subject.sessions.status(B).reason == ""
        assert (await subject.sessions.connect(B)).state == DeviceState.NEW

    async def test_ends_linking(self, subject: Subject) -> None:
        """Disconnecting a device that is being linked ends that."""
        await subject.sessions.qr_code(B, reuse=True, refresh=False)
        await subject.sessions.disconnect(B)
        assert subject.sessions.state(B) == DeviceState.NEW
        assert subject.sessions.qr_status(B) is None


class TestLogout:
    """Logging devices out."""

    async def test_logout(self, subject: Subject) -> None:
        """A device that is logged out must be linked again."""
        await subject.sessions.logout(A)
        status = subject.sessions.status(A)
        assert status.state == DeviceState.LOGGED_OUT
        assert status.reason == Reason.LOGGED_OUT_BY_REQUEST
        assert (await subject.sessions.connect(A)).state == DeviceState.LOGGED_OUT

    async def test_not_connected(self, subject: Subject) -> None:
        """Only a connected device can be logged out."""
        await subject.sessions.disconnect(A)
        with pytest.raises(DeviceNotReady) as caught:
            await subject.sessions.logout(A)
        assert caught.value.state == DeviceState.DISCONNECTED


class TestForget:
    """Removing devices."""

    async def test_forget(self, subject: Subject) -> None:
        """Nothing is left of a device."""
        await subject.sessions.forget(A)
        assert subject.sessions.state(A) == DeviceState.NEW
        if isinstance(subject, OverProcesses):
            assert not (subject.watch.directory / A).exists()
            assert A not in subject.watch.sessions.pids()

    async def test_unknown(self, subject: Subject) -> None:
        """A device of which there is nothing can be forgotten, twice."""
        await subject.sessions.forget(B)
        await subject.sessions.forget(B)
        assert subject.sessions.state(B) == DeviceState.NEW


class TestWatch:
    """Watching the state."""

    async def test_changes(self, subject: Subject) -> None:
        """The present state comes first, then each change."""
        async with aclosing(subject.sessions.watch(A)) as statuses:
            first = await anext(statuses)
            subject.lose_connection()
            second = await anext(statuses)
        assert (first.state, second.state) == (DeviceState.CONNECTED, DeviceState.RECONNECTING)
        assert second.reason == Reason.CONNECTION_LOST
        assert second.since >= first.since

    async def test_last_value(self, subject: Subject) -> None:
        """Who reads slowly gets the last state, not each one."""
        async with aclosing(subject.sessions.watch(A)) as statuses:
            await anext(statuses)
            subject.lose_connection()
            assert await eventually(lambda: subject.sessions.state(A) == DeviceState.RECONNECTING)
            await subject.sessions.disconnect(A)
            assert (await anext(statuses)).state == DeviceState.DISCONNECTED
