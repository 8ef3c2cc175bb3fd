"""One programme of faults for all tests of this folder."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from faults.programme import Programme

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from faults.observed import Observed

PROGRAMME_SECONDS = 240.0
_running: dict[str, threading.Thread] = {}


@pytest.fixture(scope="session")
def programme() -> Iterator[Programme]:
    """Starts every fault at once; the tests wait for theirs."""
    programme = Programme()
    thread = _running["programme"] = threading.Thread(target=programme.run, daemon=True)
    thread.start()
    yield programme
    thread.join(PROGRAMME_SECONDS)


@pytest.fixture(scope="session")
def see(programme: Programme) -> Callable[[str, str], Observed]:
    """Gives what was seen of a lane's fault."""
    return lambda lane, fault: programme.wait_for(lane, fault, PROGRAMME_SECONDS)


@pytest.fixture(scope="session")
def alone() -> None:
    """Waits until the programme, if it was started, has ended: load needs the machine."""
    if "programme" in _running:
        _running["programme"].join(PROGRAMME_SECONDS)
