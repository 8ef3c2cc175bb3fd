"""What Prometheus reads."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

from wuts.adapters.sessions.surroundings import Tallies
from wuts.adapters.telemetry.gauges import Gauges
from wuts.adapters.telemetry.metrics import PrometheusMetrics
from wuts.domain.caller import DeviceId
from wuts.domain.errors import DeviceNotReady, StoreUnavailable
from wuts.domain.state import DeviceState
from wuts.instruments import Instruments

if TYPE_CHECKING:
    from collections.abc import Mapping

Labels = tuple[tuple[str, str], ...]


def samples(metrics: PrometheusMetrics, prefix: str = "wuts_") -> dict[tuple[str, Labels], float]:
    """Everything that is exposed under a prefix."""
    families = text_string_to_metric_families(metrics.text().decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
        if sample.name.startswith(prefix) and not sample.name.endswith("_created")
    }


def fail(error: BaseException | None) -> None:
    """Raises the error, if there is one."""
    if error is not None:
        raise error


@dataclass
class Sessions:
    """Live sessions to look at."""

    tallies: Tallies = field(default_factory=Tallies)
    found: dict[DeviceId, DeviceState] = field(default_factory=dict)

    def states(self) -> Mapping[DeviceId, DeviceState]:
        """The states that were set."""
        return self.found

    def load(self) -> Mapping[str, int]:
        """Some calls."""
        return {"under_way": 3, "abandoned": 1, "waiting": 2}


class TestCalls:
    """Calls."""

    def test_counted(self) -> None:
        """Calls are counted by rpc, code and reason."""
        metrics = PrometheusMetrics()
        metrics.call_ended("S/A", "OK", "", 0.1)
        metrics.call_ended("S/A", "OK", "", 0.2)
        metrics.call_ended("S/A", "NOT_FOUND", "PICTURE_NOT_SET", 0.3)
        expected = {
            ("wuts_calls_total", (("code", "OK"), ("reason", ""), ("rpc", "S/A"))): 2,
            (
                "wuts_calls_total",
                (("code", "NOT_FOUND"), ("reason", "PICTURE_NOT_SET"), ("rpc", "S/A")),
            ): 1,
        }
        assert expected == samples(metrics, "wuts_calls_total")

    def test_measured(self) -> None:
        """How long a call took goes into a histogram of its rpc."""
        metrics = PrometheusMetrics()
        metrics.call_ended("S/A", "OK", "", 0.04)
        found = samples(metrics, "wuts_call_seconds")
        rpc = ("rpc", "S/A")
        assert 1 == found["wuts_call_seconds_count", (rpc,)]
        buckets = [found["wuts_call_seconds_bucket", (("le", le), rpc)] for le in ("0.025", "0.05")]
        assert [0, 1] == buckets

    def test_streams_are_not_measured(self) -> None:
        """A stream that lasted for hours would hide everything else."""
        metrics = PrometheusMetrics()
        metrics.call_ended("S/Watch", "CANCELLED", "", None)
        assert {} == samples(metrics, "wuts_call_seconds")


class TestInstruments:
    """What the rooms tell comes out of the registry."""

    @pytest.mark.parametrize(
        ("error", "outcome"),
        [
            (None, "OK"),
            (StoreUnavailable(), "STORE_UNAVAILABLE"),
            (DeviceNotReady(DeviceState.NEW), "DEVICE_NOT_READY"),
            (ValueError(), "FAULT"),
            (KeyboardInterrupt(), "CANCELLED"),
        ],
    )
    def test_store_reads(self, error: BaseException | None, outcome: str) -> None:
        """A read of a store has a job, an outcome and a time."""
        metrics = PrometheusMetrics()
        instruments = Instruments(metrics=metrics)
        ending = pytest.raises(type(error)) if error else contextlib.nullcontext()
        with ending, instruments.store_read("page"):
            fail(error)
        found = samples(metrics, "wuts_store_read")
        assert 1 == found["wuts_store_reads_total", (("job", "page"), ("outcome", outcome))]
        assert 1 == found["wuts_store_read_seconds_count", (("job", "page"),)]

    def test_questions(self) -> None:
        """A question has a class, an outcome and a time."""
        metrics = PrometheusMetrics()
        with Instruments(metrics=metrics).question("PICTURE") as question:
            question.end_with("PICTURE_HIDDEN")
        found = samples(metrics, "wuts_whatsapp_quer")
        labels = (("outcome", "PICTURE_HIDDEN"), ("query", "PICTURE"))
        assert 1 == found["wuts_whatsapp_queries_total", labels]
        assert 1 == found["wuts_whatsapp_query_seconds_count", (("query", "PICTURE"),)]

    def test_the_rest(self) -> None:
        """Lists, what needs no asking, and comparisons are counted."""
        metrics = PrometheusMetrics()
        metrics.list_answered("unchanged")
        metrics.recalled("PICTURE", "hit")
        metrics.compared("same", 0.1)
        found = samples(metrics)
        assert 1 == found["wuts_lists_total", (("answer", "unchanged"),)]
        labels = (("outcome", "hit"), ("query", "PICTURE"))
        assert 1 == found["wuts_cache_lookups_total", labels]
        assert 1 == found["wuts_list_comparisons_total", (("outcome", "same"),)]
        assert 1 == found["wuts_list_comparison_seconds_count", ()]


class TestGauges:
    """What is looked at when somebody reads."""

    def test_devices(self) -> None:
        """Every state has a number, none has a device."""
        metrics, sessions = PrometheusMetrics(), Sessions()
        metrics.add(Gauges(sessions, lambda: {"calls": 1, "streams": 2}))
        sessions.found = {
            DeviceId("a"): DeviceState.CONNECTED,
            DeviceId("b"): DeviceState.CONNECTED,
            DeviceId("c"): DeviceState.BANNED,
        }
        found = samples(metrics, "wuts_devices")
        states = {state: found["wuts_devices", (("state", state),)] for state in DeviceState}
        assert len(DeviceState) == len(found)
        expected = {DeviceState.CONNECTED: 2, DeviceState.BANNED: 1}
        assert expected == {state: number for state, number in states.items() if number}

    def test_calls_under_way(self) -> None:
        """Calls and streams of the server, and those of the session processes."""
        metrics = PrometheusMetrics()
        metrics.add(Gauges(Sessions(), lambda: {"calls": 1, "streams": 2}))
        expected = {
            ("wuts_calls_under_way", (("kind", "calls"),)): 1,
            ("wuts_calls_under_way", (("kind", "streams"),)): 2,
        }
        assert expected == samples(metrics, "wuts_calls_under_way")
        found = samples(metrics, "wuts_session_calls")
        kinds = ("under_way", "abandoned", "waiting")
        assert [3, 1, 2] == [found["wuts_session_calls", (("standing", kind),)] for kind in kinds]

    def test_processes(self) -> None:
        """Starts, ends, restarts and lines of output are counters."""
        metrics, sessions = PrometheusMetrics(), Sessions()
        metrics.add(Gauges(sessions, dict))
        sessions.tallies.starts["started"] += 2
        sessions.tallies.ends["crashed"] += 1
        sessions.tallies.restarts["crashed"] += 1
        sessions.tallies.lines["error"] += 4
        found = samples(metrics, "wuts_session_")
        assert 2 == found["wuts_session_starts_total", (("outcome", "started"),)]
        assert 0 == found["wuts_session_starts_total", (("outcome", "failed"),)]
        assert 1 == found["wuts_session_ends_total", (("how", "crashed"),)]
        assert 1 == found["wuts_session_restarts_total", (("how", "crashed"),)]
        assert 4 == found["wuts_session_output_lines_total", (("level", "error"),)]

    def test_process(self) -> None:
        """The service's own memory is told, too."""
        assert samples(PrometheusMetrics(), "process_")["process_resident_memory_bytes", ()] > 0
