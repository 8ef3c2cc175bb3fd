"""What is looked at only when somebody reads the metrics."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Protocol

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from wuts.domain.state import DeviceState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from prometheus_client.metrics_core import Metric

    from wuts.domain.caller import DeviceId


class SessionTallies(Protocol):
    """What has happened to session processes; numbers only grow."""

    @property
    def starts(self) -> Counter[str]:
        """Processes that were started, under how that went."""
        ...

    @property
    def ends(self) -> Counter[str]:
        """Ends of processes, under how they came about."""
        ...

    @property
    def restarts(self) -> Counter[str]:
        """Ends after which another process is started, under the same."""
        ...

    @property
    def lines(self) -> Counter[str]:
        """Lines of output, under their level."""
        ...


class WatchedSessions(Protocol):
    """The part of the live sessions that is looked at."""

    @property
    def tallies(self) -> SessionTallies:
        """What has happened so far."""
        ...

    def states(self) -> Mapping[DeviceId, DeviceState]:
        """Tells the states of all devices."""
        ...

    def load(self) -> Mapping[str, int]:
        """Counts the calls of all devices' processes by what becomes of them."""
        ...


class Gauges(Collector):
    """Looks at the live sessions and the server; on the event loop's thread."""

    def __init__(self, sessions: WatchedSessions, server: Callable[[], Mapping[str, int]]) -> None:
        self._sessions = sessions
        self._server = server

    def collect(self) -> Iterable[Metric]:
        """Looks at everything once."""
        yield from self._gauges()
        yield from self._counters()

    def _gauges(self) -> Iterable[Metric]:
        found = Counter(str(state) for state in self._sessions.states().values())
        # Every state is told: one that is not there would be a gap in a graph.
        states = {str(state): found[str(state)] for state in DeviceState}
        yield _gauge("wuts_devices", "Devices by their state.", "state", states)
        yield _gauge(
            "wuts_calls_under_way",
            "Calls and streams that the service works on.",
            "kind",
            self._server(),
        )
        yield _gauge(
            "wuts_session_calls",
            "Questions to session processes: under_way, abandoned among them, waiting.",
            "standing",
            self._sessions.load(),
        )

    def _counters(self) -> Iterable[Metric]:
        tallies = self._sessions.tallies
        started = {"started": tallies.starts["started"], "failed": tallies.starts["failed"]}
        yield _counter("wuts_session_starts", "Starts of session processes.", "outcome", started)
        ended, restarted = _texts(tallies.ends), _texts(tallies.restarts)
        yield _counter("wuts_session_ends", "Ends of session processes.", "how", ended)
        yield _counter(
            "wuts_session_restarts",
            "Session processes that were replaced, by how the one before ended.",
            "how",
            restarted,
        )
        lines = _texts(tallies.lines)
        yield _counter(
            "wuts_session_output_lines", "Lines that session processes wrote.", "level", lines
        )


def _texts(counter: Counter[str]) -> Mapping[str, int]:
    return {str(name): number for name, number in counter.items()}


def _gauge(name: str, text: str, label: str, values: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for value, number in values.items():
        family.add_metric([value], number)
    return family


def _counter(name: str, text: str, label: str, values: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(name, text, labels=[label])
    for value, number in values.items():
        family.add_metric([value], number)
    return family
