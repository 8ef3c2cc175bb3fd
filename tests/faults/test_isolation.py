"""Whatever happens to one device, the others notice nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from faults.load import Load
from faults.stage import Stage, staged
from faults.world import world
from sandboxes import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from faults.subject import Subject

pytestmark = pytest.mark.timeout(300)
USERS = [f"user{number}" for number in range(8)]
RATE = 200.0
CALLS = 800


def ban(subject: Subject) -> None:
    """Bans the account at its next login, and makes it log in."""
    subject.control("login-failure", reason="402", times=1, attrs={"code": "101", "expire": "5"})
    subject.control("kill")


def log_out(subject: Subject) -> None:
    """Removes the device on the phone."""
    subject.control("stream-error", code="401", conflict="device_removed")


def kill(subject: Subject) -> None:
    """Kills the session process."""
    subject.kill()


@pytest.fixture(scope="module")
def stage(alone: None) -> Iterator[Stage]:  # noqa: ARG001 # it is waited for
    """Eight devices of four tenants."""
    with staged(world(USERS, tenants=4)) as stage:
        yield stage


class TestIsolation:
    """Eight devices of four tenants are connected, one is struck, seven go on."""

    @pytest.mark.parametrize(
        ("cause", "victim"), [(kill, "user0"), (ban, "user1"), (log_out, "user2")]
    )
    def test_seven_go_on(self, stage: Stage, cause: Callable[[Subject], None], victim: str) -> None:
        """At 200 calls a second not one call of the seven others fails, or takes long."""
        struck = stage.subject(victim)
        others = [each for each in stage.subjects() if each.user != victim]
        for each in others:
            each.wait_until_back()
        with Load(others, RATE) as load:
            wait_for(lambda: len(load.calls) > CALLS / 4, 10, "the load")
            cause(struck)
            wait_for(lambda: len(load.calls) > CALLS, 20, "the calls")
        assert [] == [call for call in load.calls if not call.answer.is_good]
        assert 0 == load.late
        assert max(call.answer.seconds for call in load.calls) < 2
