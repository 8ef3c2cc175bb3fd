"""Tests of how notices of a change are read and passed on."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from fakes_engine import jid
from wuts.adapters.sessions import answers
from wuts.adapters.sessions.changes import Changes
from wuts.domain.caller import DeviceId
from wuts.domain.enquiry import Change, ChangeKind
from wuts.domain.jid import parse_chat, pn_jid
from wuts.session.changes import group_changed, picture_changed
from wuts.session.v1 import session_pb2 as pb

A = DeviceId("device-a")
CHANGE = Change(ChangeKind.PICTURE, pn_jid("5511999999999"))


class TestEngineNotices:
    """What the engine's notices become."""

    @pytest.mark.parametrize(
        ("chat", "expected"),
        [
            ("5511999999999@s.whatsapp.net", "5511999999999@s.whatsapp.net"),
            ("5511999999999:7@s.whatsapp.net", "5511999999999@s.whatsapp.net"),
            ("112233445566778@lid", "112233445566778@lid"),
            ("120363039000000000@g.us", "120363039000000000@g.us"),
            ("5511999999999-1500000000@g.us", "5511999999999-1500000000@g.us"),
        ],
    )
    def test_picture(self, chat: str, expected: str) -> None:
        """People and groups have pictures; the device part is dropped."""
        event = picture_changed(jid(chat))
        assert event is not None
        assert answers.change(event.changed) == Change(ChangeKind.PICTURE, parse_chat(expected))

    @pytest.mark.parametrize("chat", ["", "120363@newsletter", "x@lid", "@g.us", "1-2-3@g.us"])
    def test_unknown_chat(self, chat: str) -> None:
        """A chat that is absent, or of another kind, is passed over."""
        assert picture_changed(jid(chat)) is None

    def test_group(self) -> None:
        """A group is named by its own JID."""
        event = group_changed(jid("120363039000000000@g.us"))
        assert event is not None
        chat = parse_chat("120363039000000000@g.us")
        assert answers.change(event.changed) == Change(ChangeKind.GROUP, chat)

    def test_no_group(self) -> None:
        """Only groups change as groups do."""
        assert group_changed(jid("5511999999999@s.whatsapp.net")) is None


class TestAnswersChange:
    """What the process's notices mean."""

    @pytest.mark.parametrize(
        "changed",
        [
            pb.Changed(user="5511999999999", server="s.whatsapp.net"),
            pb.Changed(kind=pb.CHANGE_KIND_PICTURE, user="5511999999999", server="x"),
            pb.Changed(kind=pb.CHANGE_KIND_GROUP, server="g.us"),
        ],
        ids=["kind", "server", "user"],
    )
    def test_unknown(self, changed: pb.Changed) -> None:
        """What has no name here means nothing."""
        assert answers.change(changed) is None


class TestChanges:
    """Passing changes on."""

    def test_listener(self) -> None:
        """The last listener hears of each change."""
        heard: list[tuple[DeviceId, Change]] = []
        changes = Changes()
        changes.tell(A, CHANGE)
        changes.listen(lambda device, change: heard.append((device, change)))
        changes.tell(A, CHANGE)
        assert heard == [(A, CHANGE)]

    def test_listener_that_fails(self) -> None:
        """The failure of a listener goes no further, and its log names nobody."""

        def fail(_: DeviceId, change: Change) -> None:
            raise RuntimeError(change.chat)

        changes = Changes()
        changes.listen(fail)
        with capture_logs() as logs:
            changes.tell(A, CHANGE)
        assert [(log["event"], log["error"]) for log in logs] == [
            ("change is not heard", "RuntimeError")
        ]
        assert CHANGE.chat.user not in str(logs)
