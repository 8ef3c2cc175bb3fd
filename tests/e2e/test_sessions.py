"""A session process may die at any moment; the service lives on."""

from __future__ import annotations

import os
import signal
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from e2e_world import ANA, BOB, SHARED, SHARED_LID, SILENT
from sandboxes import Sandbox, is_alive, wait_for

RECOVERY = 20.0


def picture(town: Sandbox, number: str) -> Any:  # httpx's
    """Asks for a picture as Ana."""
    return town.get(f"/contacts/profile-picture?number={number}", token=town.token_of(ANA))


def kill(town: Sandbox, pid: int) -> None:
    """Kills the session process."""
    assert town.ready["pids"]["service"] != pid
    os.kill(pid, signal.SIGKILL)


def crash(town: Sandbox, pid: int) -> None:
    """Sends the frame that panics the Go core."""
    assert is_alive(pid)
    town.control("crash", account="5511900000001")


class TestDeath:
    """The end of Ana's session process, however it comes, harms nobody else."""

    @pytest.mark.parametrize("end", [kill, crash], ids=["SIGKILL", "crash frame"])
    def test_in_the_middle_of_a_call(self, town: Sandbox, end: Any) -> None:  # a function
        """The call under way is answered at once, others go on, and the device comes back."""
        device = town.device_of(ANA)
        pid = town.session_pid(device)
        assert pid is not None
        town.control("count", reset=True)
        with ThreadPoolExecutor(1) as pool:
            asking: Future[Any] = pool.submit(picture, town, SILENT)
            wait_for(lambda: town.control("count")["counts"].get("picture"), 5, "the question")
            end(town, pid)
            answer = asking.result(5)
        assert (503, "DEVICE_NOT_READY") == (answer.status_code, answer.json()["error_code"])
        assert 200 == town.get("/contacts", token=town.token_of(BOB)).status_code
        wait_for(lambda: picture(town, SHARED).status_code == 200, RECOVERY, "recovery")
        assert pid != town.session_pid(device)
        assert not is_alive(pid)

    def test_resolve_needs_no_session(self, town: Sandbox) -> None:
        """While the process is dead, the store still answers."""
        pid = town.session_pid(town.device_of(ANA))
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        body = {"jids": [f"{SHARED_LID}@lid"]}
        answer = town.call("POST", "/contacts/resolve", json=body, token=town.token_of(ANA))
        assert SHARED == answer.json()["items"][0]["phone_number"]
        wait_for(lambda: picture(town, SHARED).status_code == 200, RECOVERY, "recovery")


class TestReconnecting:
    """A connection lost for a moment is waited for."""

    def test_the_list_waits(self, town: Sandbox) -> None:
        """Right after a broken connection the list answers all the same."""
        town.control("kill", account="5511900000001")
        assert 200 == town.get("/contacts", token=town.token_of(ANA)).status_code
