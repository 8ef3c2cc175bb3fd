"""Turns metrics and traces on, as far as the settings want them."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wuts.instruments import Instruments, NoMetrics, NoTracer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from wuts.adapters.sessions.sessions import Sessions
    from wuts.adapters.telemetry.endpoint import MetricsEndpoint
    from wuts.adapters.telemetry.metrics import PrometheusMetrics
    from wuts.adapters.telemetry.traces import OtlpTracer
    from wuts.settings import Settings


class CannotObserve(Exception):  # named after the situation
    """What the settings want cannot be had; the message is one line for an operator."""


@dataclass(frozen=True)
class Observing:
    """What observes a service. `metrics_port` is None while nobody may read metrics."""

    instruments: Instruments
    metrics_port: int | None
    _metrics: PrometheusMetrics | None

    def watch(self, sessions: Sessions, server: Callable[[], Mapping[str, int]]) -> None:
        """Adds what is looked at only when somebody reads; `server` counts calls under way."""
        if self._metrics is not None:
            from wuts.adapters.telemetry.gauges import Gauges  # noqa: PLC0415 # only if it is on

            self._metrics.add(Gauges(sessions, server))


@asynccontextmanager
async def observing(settings: Settings) -> AsyncIterator[Observing]:
    """Observes a service for as long as it serves; raises CannotObserve.

    What is turned off is not even imported.
    """
    tracer = _tracer(settings.otlp_endpoint)
    metrics, endpoint = await _metrics(settings.metrics_port)
    port = None if endpoint is None else endpoint.port
    try:
        yield Observing(Instruments(metrics or NoMetrics(), tracer or NoTracer()), port, metrics)
    finally:
        if endpoint is not None:
            await endpoint.stop()
        if tracer is not None:
            await tracer.close()


async def _metrics(port: int | None) -> tuple[PrometheusMetrics | None, MetricsEndpoint | None]:
    if port is None:
        return None, None
    from wuts.adapters.telemetry.endpoint import (  # noqa: PLC0415 # only if it is on
        HOST,
        MetricsEndpoint,
        PortTaken,
    )
    from wuts.adapters.telemetry.metrics import PrometheusMetrics  # noqa: PLC0415 # as above

    metrics = PrometheusMetrics()
    endpoint = MetricsEndpoint(metrics.text)
    try:
        await endpoint.start(port)
    except PortTaken:
        message = 'taken; set WUTS_METRICS_PORT to another one, to 0 for any, or to "off"'
        raise CannotObserve(f"cannot serve metrics on {HOST}:{port}: {message}") from None
    return metrics, endpoint


def _tracer(endpoint: str) -> OtlpTracer | None:
    if not endpoint:
        return None
    try:
        from wuts.adapters.telemetry.traces import OtlpTracer  # noqa: PLC0415 # only if it is on
    except ModuleNotFoundError as error:
        message = f"{error.name} is not installed; `pip install 'wuts[traces]'` brings it"
        raise CannotObserve(f"cannot send traces: {message}") from None
    return OtlpTracer(endpoint)
