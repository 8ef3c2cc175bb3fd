"""Turning metrics and traces on and off."""

from __future__ import annotations

import socket
import subprocess
import sys

import httpx
import pytest
from pydantic import ValidationError

from collector import collecting
from unit.test_metrics import Sessions
from wuts.instruments import NoMetrics, NoTracer
from wuts.observing import CannotObserve, observing
from wuts.settings import Settings

_IMPORTS = """
import asyncio, sys
import wuts.bootstrap
from wuts.observing import observing
from wuts.settings import Settings
async def run():
    async with observing(Settings(metrics_port=None)):
        return sorted({name.split(".")[0] for name in sys.modules})
print(*asyncio.run(run()), sep="\\n")
"""


def settings(**chosen: object) -> Settings:
    """Settings without the environment's."""
    return Settings.model_validate({"metrics_port": None, **chosen})


class TestObserving:
    """observing.observing."""

    async def test_off(self) -> None:
        """Turned off, nothing listens and nobody is told."""
        async with observing(settings()) as watching:
            assert watching.metrics_port is None
            kinds = (type(watching.instruments.metrics), type(watching.instruments.tracer))
        assert (NoMetrics, NoTracer) == kinds

    def test_off_is_not_loaded(self) -> None:
        """What is turned off takes neither memory nor time at the start."""
        done = subprocess.run(
            [sys.executable, "-c", _IMPORTS], check=True, capture_output=True, text=True, timeout=60
        )
        loaded = set(done.stdout.split())
        assert "structlog" in loaded
        assert set() == loaded & {"prometheus_client", "opentelemetry", "requests"}

    async def test_metrics(self) -> None:
        """Metrics are served on the port that is told."""
        async with observing(settings(metrics_port=0)) as watching:
            watching.watch(Sessions(), lambda: {"calls": 7})  # type: ignore[arg-type]  # a fake
            watching.instruments.metrics.list_answered("read")
            url = f"http://127.0.0.1:{watching.metrics_port}/metrics"
            async with httpx.AsyncClient(trust_env=False) as client:
                text = (await client.get(url)).text
        assert 'wuts_lists_total{answer="read"} 1.0' in text
        assert 'wuts_calls_under_way{kind="calls"} 7.0' in text

    async def test_busy_port(self) -> None:
        """A busy port is told with the setting that helps."""
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            with pytest.raises(CannotObserve, match=rf"127.0.0.1:{port}: taken; .*METRICS_PORT"):
                await observing(settings(metrics_port=port)).__aenter__()

    async def test_traces(self) -> None:
        """The last spans are sent before the end."""
        with collecting() as collector:
            async with observing(settings(otlp_endpoint=collector.endpoint + "/")) as watching:
                with watching.instruments.tracer.serve("S/A", ""):
                    pass
            assert ["S/A"] == [span.name for span in collector.spans()]

    async def test_traces_are_not_installed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without the extra, the one line says what to install."""
        monkeypatch.delitem(sys.modules, "wuts.adapters.telemetry.traces", raising=False)
        monkeypatch.setitem(sys.modules, "opentelemetry", None)
        with pytest.raises(CannotObserve, match=r"pip install 'wuts\[traces\]'"):
            await observing(settings(otlp_endpoint="http://127.0.0.1:4318")).__aenter__()


class TestSettings:
    """WUTS_METRICS_PORT and WUTS_OTLP_ENDPOINT."""

    @pytest.mark.parametrize(
        ("text", "port"), [("off", None), ("OFF", None), ("0", 0), ("9464", 9464)]
    )
    def test_port(self, monkeypatch: pytest.MonkeyPatch, text: str, port: int | None) -> None:
        """A port, any port, or none."""
        monkeypatch.setenv("WUTS_METRICS_PORT", text)
        assert port == Settings().metrics_port

    @pytest.mark.parametrize("text", ["-1", "65536", "no", ""])
    def test_no_port(self, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
        """Anything else is refused."""
        monkeypatch.setenv("WUTS_METRICS_PORT", text)
        with pytest.raises(ValidationError):
            Settings()

    @pytest.mark.parametrize("text", ["", "http://127.0.0.1:4318", "https://otel.example/base/"])
    def test_endpoint(self, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
        """An address, or none."""
        monkeypatch.setenv("WUTS_OTLP_ENDPOINT", text)
        assert text == Settings().otlp_endpoint

    @pytest.mark.parametrize("text", ["127.0.0.1:4318", "grpc://x", "http://", "http://x?y=z"])
    def test_no_endpoint(self, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
        """Anything else is refused."""
        monkeypatch.setenv("WUTS_OTLP_ENDPOINT", text)
        with pytest.raises(ValidationError):
            Settings()
