"""Counters and histograms, as Prometheus reads them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from wuts import __version__

if TYPE_CHECKING:
    from prometheus_client.registry import Collector

M = TypeVar("M", Counter, Histogram)

_SLOW = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
# Seconds of what goes to WhatsApp, and
_QUICK = (0.0005, 0.001, 0.0025, 0.005, *_SLOW)
# of everything else, from an unchanged list to the longest one.


class PrometheusMetrics:
    """Answers the port Metrics, with a registry of its own.

    No label names a device, a person or a number. Each has few values: rpcs,
    gRPC's codes, our reasons, query classes, outcomes.
    """

    def __init__(self) -> None:
        # A third more to write and to keep, and nobody asks for it.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library's
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        built = Gauge("wuts_build_info", "The version that runs.", ["version"], registry=registry)
        built.labels(__version__).set(1)
        self._calls = Counter(
            "wuts_calls",
            "Calls that have ended, by gRPC's code and our reason.",
            ["rpc", "code", "reason"],
            registry=registry,
        )
        self._call_seconds = Histogram(
            "wuts_call_seconds",
            "How long calls took that are no streams.",
            ["rpc"],
            buckets=_QUICK,
            registry=registry,
        )
        self._lists = Counter(
            "wuts_lists",
            "Contact lists by how they were answered: read, unchanged, unchanged_after_read.",
            ["answer"],
            registry=registry,
        )
        self._reads = Counter(
            "wuts_store_reads",
            "Reads of devices' stores.",
            ["job", "outcome"],
            registry=registry,
        )
        self._read_seconds = Histogram(
            "wuts_store_read_seconds",
            "How long reads of devices' stores took, waiting included.",
            ["job"],
            buckets=_QUICK,
            registry=registry,
        )
        self._queries = Counter(
            "wuts_whatsapp_queries",
            "Questions to WhatsApp.",
            ["query", "outcome"],
            registry=registry,
        )
        self._query_seconds = Histogram(
            "wuts_whatsapp_query_seconds",
            "How long questions to WhatsApp took, waiting included.",
            ["query"],
            buckets=_SLOW,
            registry=registry,
        )
        self._recalls = Counter(
            "wuts_cache_lookups",
            "Questions by whether WhatsApp had to be asked: hit, joined, miss, refused.",
            ["query", "outcome"],
            registry=registry,
        )
        self._compared = Counter(
            "wuts_list_comparisons",
            "Comparisons of contact lists with what they were: same, changed, failed.",
            ["outcome"],
            registry=registry,
        )
        self._compared_seconds = Histogram(
            "wuts_list_comparison_seconds",
            "How long comparisons of contact lists took.",
            buckets=_QUICK,
            registry=registry,
        )

    def call_ended(self, rpc: str, code: str, reason: str, seconds: float | None) -> None:
        """Counts a call."""
        _child(self._calls, rpc, code, reason).inc()
        if seconds is not None:
            _child(self._call_seconds, rpc).observe(seconds)

    def list_answered(self, answer: str) -> None:
        """Counts a list."""
        _child(self._lists, answer).inc()

    def store_read(self, job: str, outcome: str, seconds: float) -> None:
        """Counts a read."""
        _child(self._reads, job, outcome).inc()
        _child(self._read_seconds, job).observe(seconds)

    def asked(self, query: str, outcome: str, seconds: float) -> None:
        """Counts a question."""
        self._queries.labels(query, outcome).inc()
        self._query_seconds.labels(query).observe(seconds)

    def recalled(self, query: str, outcome: str, number: int = 1) -> None:
        """Counts questions that may need no asking."""
        _child(self._recalls, query, outcome).inc(number)

    def compared(self, outcome: str, seconds: float) -> None:
        """Counts a comparison."""
        self._compared.labels(outcome).inc()
        self._compared_seconds.observe(seconds)

    def add(self, collector: Collector) -> None:
        """Adds what is only looked at when somebody reads."""
        self._registry.register(collector)

    def text(self) -> bytes:
        """Writes everything in Prometheus' text format."""
        return generate_latest(self._registry)


@cache
def _child(metric: M, *labels: str) -> M:
    """Finds what is counted under these labels; the library looks long for it each time."""
    return metric.labels(*labels)
