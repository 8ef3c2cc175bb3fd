"""Draws what a list costs against the number of contacts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.parts import calls, lists
from benchmarks.peers.serving import FASTAPI, FASTIFY
from benchmarks.stage import VIA_ENVOY

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.figures import Figures

_SERIES = (
    (0, lists.NEONIZE, "neonize in a process", "C3", "--"),
    (1, FASTAPI, FASTAPI, "C3", "-"),
    (1, FASTIFY, FASTIFY, "C2", "-"),
    (1, VIA_ENVOY, VIA_ENVOY, "C0", "-"),
    (1, calls.APP, "wuts without Envoy's part", "C0", ":"),
    (0, lists.PAGES, "wuts in a process, pages of 1000", "C0", "--"),
    (0, lists.ROWS, "the joined rows alone, in Python", "C7", "--"),
)
"""Callers, variant, its name, colour and dashes; colours are families, dashes have no server."""


def draw(figures: Figures, path: Path) -> None:
    """Writes an SVG, the same one for the same figures."""
    mpl.rcParams["svg.hashsalt"] = "wuts"
    mpl.rcParams["svg.fonttype"] = "none"
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot(
        xscale="log", yscale="log", xlabel="rows in the store", ylabel="CPU of a whole list, ms"
    )
    for callers, variant, name, colour, dashes in _SERIES:
        points = sorted(
            (case.size, figures.cpu(case))
            for case in figures.samples
            if (case.job, case.callers, case.variant) == (lists.LIST, callers, variant)
        )
        axes.plot(
            [size for size, _ in points],
            [cost for _, cost in points],
            label=name,
            color=colour,
            linestyle=dashes,
            marker="o",
        )
    axes.grid(visible=True, which="major", alpha=0.3)
    axes.legend()
    figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
