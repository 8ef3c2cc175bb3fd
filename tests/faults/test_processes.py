"""The session process dies; the service and the device's keys live on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from faults.checks import NOT_READY, assert_recovered

if TYPE_CHECKING:
    from collections.abc import Callable

    from faults.observed import Observed

    See = Callable[[str, str], Observed]

pytestmark = pytest.mark.timeout(300)
DIED = "RECONNECTING PROCESS_DIED"


class TestProcess:
    """One process more or less is nobody's business but the device's own."""

    def test_killed_while_idle(self, see: See) -> None:
        """Callers wait, or hear DEVICE_NOT_READY within three seconds, and are served again."""
        assert_recovered(see("processes", "process killed, idle"), DIED, within=10)

    def test_killed_in_mid_call(self, see: See) -> None:
        """Calls under way are answered DEVICE_NOT_READY at once, not at their deadline."""
        seen = see("processes", "process killed in mid-call")
        assert_recovered(seen, DIED, within=10)
        assert {NOT_READY} == seen.codes

    def test_a_crash_of_the_engine(self, see: See) -> None:
        """A frame that aborts the engine costs one process, and nothing else."""
        assert_recovered(see("processes", "crash frame"), DIED, within=10)

    def test_nothing_runs_between_fork_and_exec(self, see: See) -> None:
        """The fork handlers of gRPC, which now and then abort a new process, are off."""
        assert "fork() handlers" not in see("processes", "crash frame").notes["log"]

    def test_killed_while_linking(self, see: See) -> None:
        """The person sees another code, scans it, and is linked."""
        seen = see("linking", "process killed while linking")
        assert ["qr_code", "qr_code", "linked"] == seen.notes["steps"][-3:]
        assert seen.recovery is not None
        assert seen.recovery < 60
        assert "LINKING PROCESS_DIED" in seen.states

    def test_a_crash_loop(self, see: See) -> None:
        """After five deaths tries are two minutes apart, unless someone asks for one."""
        seen = see("crash_loop", "process dies five times")
        assert_recovered(seen, "CRASH_LOOP PROCESS_DIED", within=10)
        assert "crash_loop" == seen.status["status"]
        assert seen.status["next_retry_at"] > seen.status["since"]


class TestSilence:
    """WhatsApp says nothing."""

    def test_many_silent_pictures(self, see: See) -> None:
        """64 calls end within eleven seconds: a time-out, or no turn; the list is served."""
        seen = see("silence", "64 silent pictures at once")
        assert seen.codes <= {(504, "WHATSAPP_TIMEOUT"), (429, "RATE_LIMITED")}
        assert (504, "WHATSAPP_TIMEOUT") in seen.codes
        assert seen.slowest < 11.5
        assert seen.notes["list meanwhile"].is_good
        assert seen.notes["list meanwhile"].seconds < 3
        assert seen.is_readable
        assert "kept" == seen.keys
        assert seen.recovery is not None
