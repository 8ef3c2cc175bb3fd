"""Runs all lanes side by side: most faults only wait."""

from __future__ import annotations

import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from faults import doors, lanes
from faults.services import services
from faults.stage import staged
from faults.stores import stores
from faults.world import world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from faults.lanes import Lane
    from faults.observed import Observed
    from faults.stage import Stage
    from faults.subject import Subject

DEVICE_LANES: tuple[Callable[[Subject], Lane], ...] = (
    lanes.processes,
    lanes.crash_loop,
    lanes.connections,
    lanes.keep_alive,
    lanes.refusals,
    lanes.stopped,
    lanes.banned,
    lanes.log_outs,
    lanes.silence,
)
LINK_LANES: tuple[Callable[[Subject], Lane], ...] = (lanes.linking, lanes.never_scanned)
STAGE_LANES: tuple[tuple[Callable[[Stage], Lane], int], ...] = (
    (doors.outage, 1),
    (doors.black_hole, 1),
    (doors.silent_handshake, 2),
    (doors.down_at_start, 1),
    (services, 2),
    (stores, 2),
)
"""With the number of devices of each stage."""
MANY = 16
UNLINKED = ("silent_handshake1",)


@dataclass
class Programme:
    """Everything that was seen so far, by lane and fault."""

    seen: dict[str, dict[str, Observed]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    _news: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, lane: str, fault: str, seconds: float) -> Observed:
        """Waits until a fault has been seen; fails with what went wrong in its lane."""
        with self._news:
            self._news.wait_for(
                lambda: fault in self.seen.get(lane, {}) or lane in self.ended, seconds
            )
            assert fault in self.seen.get(lane, {}), self.errors.get(lane, "it takes too long")
            return self.seen[lane][fault]

    def follow(self, lane: str, steps: Iterator[tuple[str, Observed]]) -> None:
        """Takes what a lane yields, until it ends or fails."""
        try:
            for fault, observed in steps:
                with self._news:
                    self.seen.setdefault(lane, {})[fault] = observed
                    self._news.notify_all()
        except Exception:  # noqa: BLE001 # each of the lane's tests tells it
            self.errors[lane] = traceback.format_exc()
        finally:
            with self._news:
                self.ended.add(lane)
                self._news.notify_all()

    def run(self, only: frozenset[str] = frozenset(), *, width: int = MANY) -> None:
        """Runs all lanes, or only some, to their end; so many of each kind at a time."""
        wanted = [entry for entry in STAGE_LANES if not only or entry[0].__name__ in only]
        with ThreadPoolExecutor(width + 1) as pool:
            pool.submit(self._on_one_stage, only, width)
            for lane, devices in wanted:
                pool.submit(self._on_own_stage, lane, devices)

    def _on_own_stage(self, lane: Callable[[Stage], Lane], devices: int) -> None:
        def steps() -> Lane:
            users = [f"{lane.__name__}{number}" for number in range(devices)]
            with staged(world(users), unlinked=UNLINKED) as stage:
                yield from lane(stage)

        self.follow(lane.__name__, steps())

    def _on_one_stage(self, only: frozenset[str], width: int) -> None:
        """One stage for all faults that concern one device only."""
        wanted = [
            lane for lane in (*DEVICE_LANES, *LINK_LANES) if not only or lane.__name__ in only
        ]
        if not wanted:
            return
        unlinked = [lane.__name__ for lane in LINK_LANES]
        try:
            with (
                staged(world([lane.__name__ for lane in wanted]), unlinked=unlinked) as stage,
                ThreadPoolExecutor(width) as pool,
            ):
                for lane in wanted:
                    pool.submit(self._on_device, lane, stage.subject(lane.__name__))
        except Exception:  # noqa: BLE001 # as in follow()
            with self._news:
                for lane in wanted:
                    self.errors.setdefault(lane.__name__, traceback.format_exc())
                    self.ended.add(lane.__name__)
                self._news.notify_all()

    def _on_device(self, lane: Callable[[Subject], Lane], subject: Subject) -> None:
        self.follow(lane.__name__, lane(subject))
