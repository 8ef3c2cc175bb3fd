"""The service ends, or its disk fails; everything comes back as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from faults.checks import assert_recovered, assert_told

if TYPE_CHECKING:
    from collections.abc import Callable

    from faults.observed import Observed

    See = Callable[[str, str], Observed]

pytestmark = pytest.mark.timeout(300)


class TestService:
    """The service is not the data: it may end at any time."""

    def test_a_second_one(self, see: See) -> None:
        """Two on one data directory: the second ends at once, naming the holder."""
        seen = see("services", "two services on one data directory")
        assert 1 == seen.notes["exit"]
        assert f"pid {seen.notes['holder']}" in seen.notes["told"]
        assert all(answer.is_good for answer in seen.answers)

    def test_killed(self, see: See) -> None:
        """Its processes end within two seconds; restarted, all devices come back by themselves."""
        seen = see("services", "service killed in mid-call")
        assert seen.notes["orphans gone after"] < 2.5
        assert {503} == {answer.status for answer in seen.answers}
        assert seen.slowest < 3
        assert seen.recovery is not None
        assert seen.recovery < 40
        assert "kept" == seen.keys

    def test_told_to_stop(self, see: See) -> None:
        """SIGTERM: the call under way is answered, no process is left, the exit code is 0."""
        seen = see("services", "service told to stop in mid-call")
        assert [200] == [answer.status for answer in seen.answers]
        assert 0 == seen.notes["exit"]
        assert seen.notes["stopped after"] < 14
        assert seen.notes["children gone"]
        assert (503, "SERVICE_UNAVAILABLE") == (
            seen.notes["new call"].status,
            seen.notes["new call"].code,
        )
        assert "kept" == seen.keys

    def test_told_to_stop_twice(self, see: See) -> None:
        """A second SIGTERM does not wait for the calls under way."""
        seen = see("services", "service told to stop twice")
        assert [503] == [answer.status for answer in seen.answers]
        assert 0 == seen.notes["exit"]
        assert seen.notes["stopped after"] < 5

    def test_a_jumping_clock(self, see: See) -> None:
        """The time of day jumps by a month, and back: no call fails but for the process killed."""
        seen = see("services", "clock of the service jumps")
        assert_recovered(seen, "RECONNECTING PROCESS_DIED", within=10)


class TestStore:
    """A store that cannot be used now is never given up."""

    def test_locked(self, see: See) -> None:
        """Eight seconds of a foreign lock on a connected device's store: every call is served."""
        seen = see("stores", "store locked by another process for 8 s")
        assert [] == seen.failures
        assert seen.is_readable
        assert "kept" == seen.keys

    def test_locked_at_the_start(self, see: See) -> None:
        """A process starts and connects all the same while its store is locked for writing."""
        seen = see("stores", "store locked while its process starts")
        assert_recovered(seen, "RECONNECTING PROCESS_DIED", within=15)

    def test_held(self, see: See) -> None:
        """While another session process holds the store, STORE_BUSY is told; then it is back."""
        seen = see("stores", "store held by another session process for 8 s")
        assert_recovered(seen, "RECONNECTING STORE_BUSY", within=15)

    def test_no_room_for_the_process(self, see: See) -> None:
        """Names that cannot be stored would be lost: the process stops, and is tried again."""
        seen = see("stores", "no room for the process to write")
        assert_recovered(seen, "STORE_REFUSED DISK_FULL", within=130)

    def test_a_full_disk(self, see: See) -> None:
        """A process that cannot start for want of room says so; with room it is back."""
        seen = see("stores", "disk full")
        assert_recovered(seen, "STORE_REFUSED DISK_FULL", within=15)

    def test_a_corrupted_store(self, see: See) -> None:
        """A damaged store is refused and kept byte for byte; a good copy put back is used."""
        seen = see("stores", "store corrupted")
        assert "STORE_REFUSED STORE_CORRUPT" in seen.states
        assert seen.notes["kept"]
        allowed = {(503, "DEVICE_NOT_READY"), (503, "STORE_UNAVAILABLE")}
        assert seen.codes <= allowed
        assert {(a.status, a.code) for a in seen.offline if not a.is_good} <= allowed
        assert seen.slowest < 7
        assert seen.recovery is not None
        assert seen.recovery < 40
        assert "kept" == seen.keys

    def test_a_read_only_directory(self, see: See) -> None:
        """Nothing can be written: the state says so, the store is still read, nothing is lost."""
        seen = see("stores", "read-only data directory")
        assert_told(seen)
        assert any(state.startswith("STORE_REFUSED") for state in seen.states)
        assert seen.recovery is not None
        assert seen.recovery < 40
        assert "kept" == seen.keys
