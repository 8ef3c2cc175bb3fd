"""The connection to WhatsApp is lost, or cannot be made; it comes back by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from faults.checks import assert_recovered, assert_retry_told, assert_told

if TYPE_CHECKING:
    from collections.abc import Callable

    from faults.observed import Observed

    See = Callable[[str, str], Observed]

pytestmark = pytest.mark.timeout(300)
LOST, UNREACHABLE = "RECONNECTING CONNECTION_LOST", "RECONNECTING CANNOT_CONNECT"
NO_ANSWER, REFUSED = "RECONNECTING NO_ANSWER", "RECONNECTING LOGIN_REFUSED"


class TestMoments:
    """A connection that ends is replaced before a caller has waited long."""

    @pytest.mark.parametrize("how", ["abort", "close-frame", "xmlstreamend"])
    def test_an_end(self, see: See, how: str) -> None:
        """However the connection ends, nobody is refused for more than a moment."""
        seen = see("connections", f"connection ended: {how}")
        assert_told(seen)
        assert seen.recovery is not None
        assert seen.recovery < 15
        assert "kept" == seen.keys

    @pytest.mark.parametrize("code", ["503", "515", "999"])
    def test_a_stream_error(self, see: See, code: str) -> None:
        """Stream errors that mean no harm, unknown ones among them, do none."""
        seen = see("connections", f"stream error {code}")
        assert_told(seen)
        assert seen.recovery is not None
        assert seen.recovery < 15
        assert "kept" == seen.keys


class TestOutages:
    """WhatsApp is away for longer; the device says so, and keeps trying."""

    def test_down_for_half_a_minute(self, see: See) -> None:
        """Callers hear DEVICE_NOT_READY in three seconds; the device is back soon after it."""
        seen = see("outage", "WhatsApp down for 30 s")
        assert_recovered(seen, LOST, within=20)
        assert_retry_told(seen)

    def test_down_at_start_and_for_long(self, see: See) -> None:
        """A service that starts without WhatsApp serves, says CONNECTING, and never gives up."""
        seen = see("down_at_start", "WhatsApp down at start, for ever")
        assert_told(seen)
        assert_retry_told(seen)
        assert "connecting" == seen.status["status"]
        assert seen.recovery is not None
        assert seen.recovery < 80, "tries are at most a minute apart"
        assert seen.notes["processes"] > 1
        assert "kept" == seen.keys
        assert not any(state.startswith("CRASH_LOOP") for state in seen.states)

    def test_a_black_hole(self, see: See) -> None:
        """A dial that is never answered ends at the service's own deadline."""
        seen = see("black_hole", "TCP black hole for 35 s")
        assert_recovered(seen, NO_ANSWER, within=45)
        assert_retry_told(seen)

    def test_a_silent_handshake(self, see: See) -> None:
        """A handshake that is never answered is given up."""
        seen = see("silent_handshake", "silent Noise handshake for 35 s")
        assert_recovered(seen, seen.states[0], within=45)
        assert_retry_told(seen)

    def test_keep_alive_unanswered(self, see: See) -> None:
        """A connection that only seems open is noticed, and callers are not left to wait."""
        seen = see("keep_alive", "keep-alive unanswered")
        assert_recovered(seen, NO_ANSWER, within=60)


class TestRefusals:
    """WhatsApp refuses the login for a reason that may pass."""

    @pytest.mark.parametrize("reason", ["409", "415", "500", "503"])
    def test_a_login_failure(self, see: See, reason: str) -> None:
        """The device is tried again, at growing intervals, and comes back with its keys."""
        seen = see("refusals", f"login failure {reason}")
        assert_recovered(seen, seen.states[0], within=20)
        assert_retry_told(seen)

    @pytest.mark.parametrize("reason", ["409", "415"])
    def test_the_reason(self, see: See, reason: str) -> None:
        """Where WhatsApp names a number, known or not, the state says that it refused."""
        assert REFUSED in see("refusals", f"login failure {reason}").states
