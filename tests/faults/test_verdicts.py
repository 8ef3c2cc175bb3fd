"""WhatsApp says what only a person can set right, or what time sets right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from faults.checks import NOT_READY, assert_recovered, assert_told

if TYPE_CHECKING:
    from collections.abc import Callable

    from faults.observed import Observed

    See = Callable[[str, str], Observed]

pytestmark = pytest.mark.timeout(300)


class TestStops:
    """The device keeps its keys, and waits to be asked."""

    def test_replaced(self, see: See) -> None:
        """Another session took the device's place: nothing is tried until POST /connect."""
        seen = see("stopped", "stream error conflict replaced")
        assert_recovered(seen, "REPLACED REPLACED", within=10)
        assert "next_retry_at" not in seen.status

    def test_outdated(self, see: See) -> None:
        """WhatsApp refuses this version: nothing is tried until POST /connect."""
        seen = see("stopped", "login failure 405")
        assert_recovered(seen, "OUTDATED OUTDATED", within=10)
        assert "next_retry_at" not in seen.status

    def test_banned(self, see: See) -> None:
        """A ban is told with its end, and the device is back by itself after it."""
        seen = see("banned", "login failure 402")
        assert_recovered(seen, "BANNED BANNED", within=25)
        assert "banned" == seen.status["status"]
        assert seen.status["banned_until"] > seen.status["since"]


class TestLogOuts:
    """WhatsApp ends the link: the only faults that cost the keys."""

    def test_in_mid_call(self, see: See) -> None:
        """Calls under way are answered at once; the state says what happened."""
        seen = see("log_outs", "removed on the phone in mid-call")
        assert {NOT_READY} == seen.codes
        assert seen.slowest < 3
        assert "LOGGED_OUT REMOVED_FROM_PHONE" in seen.states
        assert ("logged_out", False) == (seen.status["status"], seen.status["is_logged_in"])
        assert "gone" == seen.keys

    @pytest.mark.parametrize("reason", ["401", "403", "406"])
    def test_at_login(self, see: See, reason: str) -> None:
        """The device is logged out, and can be linked anew afterwards."""
        seen = see("log_outs", f"login failure {reason}")
        assert {NOT_READY} == seen.codes
        assert "LOGGED_OUT REMOVED_FROM_PHONE" in seen.states
        assert "gone" == seen.keys


class TestLinking:
    """Linking fails, for a reason that is told."""

    def test_never_scanned(self, see: See) -> None:
        """When the codes are used up the caller hears QR_TIMEOUT, and can begin anew."""
        seen = see("never_scanned", "QR code never scanned")
        assert seen.notes["shown"].is_good
        outcome = {"error": "DEVICE_NOT_READY", "state": "NEW", "reason": "QR_TIMEOUT"}
        assert outcome == seen.notes["outcome"]
        assert seen.notes["seconds"] < 30
        assert ("new", "QR_TIMEOUT") == (seen.status["status"], seen.status["reason"])

    def test_no_code(self, see: See) -> None:
        """GET /qr is answered QR_TIMEOUT, 504, when WhatsApp sends no code."""
        (answer,) = see("silent_handshake", "no code to link with").answers
        assert (504, "QR_TIMEOUT") == (answer.status, answer.code)
        assert answer.seconds < 25

    def test_a_bad_hmac(self, see: See) -> None:
        """A pairing that does not add up is refused by the engine; the caller hears so."""
        seen = see("linking", "pairing with a bad HMAC")
        outcome = {"error": "DEVICE_NOT_READY", "state": "NEW", "reason": "PAIRING_REFUSED"}
        assert outcome == seen.notes["outcome"]
        assert ("new", "PAIRING_REFUSED") == (seen.status["status"], seen.status["reason"])


class TestTold:
    """Whatever the verdict, callers are answered at once."""

    @pytest.mark.parametrize(
        ("lane", "fault"),
        [("stopped", "login failure 405"), ("banned", "login failure 402")],
    )
    def test_answers(self, see: See, lane: str, fault: str) -> None:
        """DEVICE_NOT_READY within three seconds; the store can still be read."""
        assert_told(see(lane, fault))
