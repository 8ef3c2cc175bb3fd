"""The dashboard and the documents name the metrics that there are."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from unit.test_metrics import Sessions
from wuts.adapters.telemetry.gauges import Gauges
from wuts.adapters.telemetry.metrics import PrometheusMetrics
from wuts.domain.state import DeviceState

ROOT = Path(__file__).resolve().parents[2]
DASHBOARD = json.loads((ROOT / "deploy/grafana/wuts.json").read_text())
DOCUMENT = (ROOT / "docs/observability.md").read_text()
NAME = re.compile(r"\b(?:wuts|process)_[a-z_]+")
SELECTOR = re.compile(r"\b((?:wuts|process)_[a-z_]+)\{([^}]*)\}")


def exposed() -> dict[str, set[str]]:
    """The names that are exposed, each with its labels, once everything has happened."""
    metrics, sessions = PrometheusMetrics(), Sessions()
    metrics.add(Gauges(sessions, lambda: {"calls": 0}))
    metrics.call_ended("S/A", "OK", "", 0.1)
    metrics.list_answered("read")
    metrics.store_read("page", "OK", 0.1)
    metrics.asked("PICTURE", "OK", 0.1)
    metrics.recalled("PICTURE", "hit")
    metrics.compared("same", 0.1)
    for counter in (sessions.tallies.ends, sessions.tallies.restarts, sessions.tallies.lines):
        counter["crashed"] += 1
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(metrics.text().decode()):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def expressions() -> list[str]:
    """What the dashboard asks Prometheus."""
    panels: list[dict[str, Any]] = DASHBOARD["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", ())]


class TestDashboard:
    """deploy/grafana/wuts.json."""

    def test_names_exist(self) -> None:
        """Every metric that it names exists."""
        named = {name for text in expressions() for name in NAME.findall(text)}
        assert set() == named - set(exposed())

    def test_labels_exist(self) -> None:
        """Every label that a metric is chosen by, or summed by, is one of its labels."""
        known = exposed()
        for text in expressions():
            labels = set(re.findall(r"by \(([^)]*)\)", text))
            summed = {label.strip() for group in labels for label in group.split(",")}
            for name, chosen in SELECTOR.findall(text):
                asked = set(re.findall(r"([a-z_]+)(?:=|!)", chosen)) | summed
                assert asked - {"job", "instance"} <= known[name], text

    def test_states_exist(self) -> None:
        """The states that it asks for are states."""
        states = re.findall(r'state=~"([A-Z_|]+)"', " ".join(expressions()))
        assert states
        assert {state for group in states for state in group.split("|")} <= set(DeviceState)

    def test_shows_everything(self) -> None:
        """Every metric of ours is on it."""
        text = " ".join(expressions())
        kinds = re.compile("_(?:count|sum)$")
        ours = {name for name in exposed() if name.startswith("wuts_") and not kinds.search(name)}
        assert set() == {name for name in ours if name not in text}

    def test_chooses_the_service(self) -> None:
        """No panel mixes in what other services call by the same name."""
        names = sum(len(NAME.findall(text)) for text in expressions())
        chosen = sum(text.count('job=~"$job",instance=~"$instance"') for text in expressions())
        assert names == chosen

    def test_panels_are_apart(self) -> None:
        """Each panel has an id and a place of its own."""
        panels = DASHBOARD["panels"]
        places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}
        ids = {panel["id"] for panel in panels}
        assert (len(panels), len(panels)) == (len(places), len(ids))


class TestDocument:
    """docs/observability.md."""

    def test_explains_everything(self) -> None:
        """Every metric of ours is explained, and nothing else."""
        suffix = re.compile("_(?:bucket|count|sum)$")
        ours = {suffix.sub("", name) for name in exposed() if name.startswith("wuts_")}
        rows = set(re.findall(r"^\| `(wuts_[a-z_]+)`", DOCUMENT, re.MULTILINE))
        assert ours == rows
