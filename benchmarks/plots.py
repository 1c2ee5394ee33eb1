# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The pictures of a run: where the time goes, and how near the networks come to what the machine can do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from matplotlib.figure import Figure

from benchmarks.stage_tables import FIRST_VERDICT, LANE

COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#999999")
"""Okabe and Ito's, which people with any colour vision tell apart."""
HATCHES: Final = ("", "//", "..", "xx", "\\\\", "++", "oo", "--")
SHOWN_MS: Final = 0.5


def plots_of(report: dict[str, Any]) -> Iterator[tuple[str, Figure]]:
    """Title and figure of everything that can be drawn of the run."""
    stages = {
        name: found
        for name, times in report["latency_ms"].items()
        if (found := _first_verdict(times["stages"]))
    }
    if stages:
        yield "From the closed file to the first verdict, median of each stage", _stages(stages)


def _first_verdict(stages: dict[str, Any]) -> dict[str, float]:
    """Median of each stage, ms. What landing is made of takes its place where it was told."""
    found = {
        stage: float(stages[f"{LANE}.{stage}"]["p50"])
        for stage in FIRST_VERDICT
        if f"{LANE}.{stage}" in stages
    }
    if "landed" in found and {"complete", "claimed"} <= found.keys():
        found["landed"] = max(0.0, found["landed"] - found["complete"] - found["claimed"])
    return {stage: ms for stage, ms in found.items() if ms >= SHOWN_MS}


def _stages(by_kind: dict[str, dict[str, float]]) -> Figure:
    """A bar for each kind of image, its stages one behind the other."""
    figure = Figure(figsize=(10.0, 1.8 + 0.45 * len(by_kind)), layout="constrained")
    axis = figure.subplots()
    ends = dict.fromkeys(by_kind, 0.0)
    names = [stage for stage in FIRST_VERDICT if any(stage in stages for stages in by_kind.values())]
    for number, stage in enumerate(names):
        widths = [stages.get(stage, 0.0) for stages in by_kind.values()]
        axis.barh(
            list(by_kind),
            widths,
            left=list(ends.values()),
            color=COLOURS[number % len(COLOURS)],
            hatch=HATCHES[(number + number // len(COLOURS)) % len(HATCHES)],
            edgecolor="white",
            label=stage,
        )
        ends = {kind: end + width for (kind, end), width in zip(ends.items(), widths, strict=True)}
    axis.invert_yaxis()
    axis.set_xlabel("ms")
    axis.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper center", ncols=6, frameon=False)
    return figure
