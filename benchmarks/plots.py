# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The pictures of a run: where the time goes, and how near the networks come to what the machine can do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure

from benchmarks.stage_tables import FIRST_VERDICT, LANE

COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#999999")
"""Okabe and Ito's, which people with any colour vision tell apart."""
HATCHES: Final = ("", "//", "..", "xx", "\\\\", "++", "oo", "--")
MARKS: Final = ("o", "s", "^", "D", "v", "P", "X", "*")
SHOWN_MS: Final = 0.5


def plots_of(report: dict[str, Any]) -> Iterator[tuple[str, Figure]]:
    """Title and figure of everything that can be drawn of the run."""
    stages = {
        name: found
        for name, times in report["latency_ms"].items()
        if (found := _first_verdict(times["stages"]))
    }
    if report.get("peak_hour"):
        yield "Lanes that wait in the busiest hour", waiting(report["peak_hour"])
    if report.get("soak"):
        yield "Resident memory while images come in a row", growing(report["soak"])
    matrix = report.get("engine_matrix")
    if matrix:
        yield "Networks under the roof of one core (processor time)", roofline(matrix)
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


def roofline(matrix: dict[str, Any]) -> Figure:
    """Achieved operations over operations per byte, one thread, below what a core computes and copies.

    Williams, Waterman, Patterson, Commun ACM 52 (2009) 65-76. Bytes are those of the layers, each read and
    written once: caches and fused layers lift a point above the slope.
    """
    figure = Figure(figsize=(10.0, 5.5), layout="constrained")
    axis = figure.subplots()
    peak = next(peak for peak in matrix["peaks"] if peak["threads"] == 1)
    intensities = np.geomspace(1.0, 1000.0, 200)
    for roof, style, label in (
        (peak["f32_core_gflops"], "-", "f32 matrix product"),
        (peak["int8_core_gops"], "--", "int8 matrix product"),
    ):
        axis.plot(
            intensities,
            np.minimum(roof, peak["copy_core_gb_s"] * intensities),
            style,
            color="#333333",
            label=f"{label}, {roof:,.0f} GOP/s",
        )
    rows = [
        row
        for row in matrix["rows"]
        if row["core_gflops"] is not None and (row["threads"], row["streams"]) == (1, 1)
    ]
    tasks = list(dict.fromkeys(row["task"] for row in rows))
    kinds = list(dict.fromkeys((row["engine"], row["precision"]) for row in rows))
    for row in rows:
        number, kind = tasks.index(row["task"]), kinds.index((row["engine"], row["precision"]))
        axis.scatter(
            row["flop_per_byte"],
            row["core_gflops"],
            color=COLOURS[number % len(COLOURS)],
            marker=MARKS[kind % len(MARKS)],
            label=f"{row['task']}, {row['engine']} {row['precision']}",
            zorder=3,
        )
    axis.set(xscale="log", yscale="log", xlabel="operations per byte", ylabel="10^9 operations a second")
    axis.grid(visible=True, which="both", color="#eeeeee")
    figure.legend(loc="outside right upper", frameon=False, fontsize="small")
    return figure


def waiting(report: dict[str, Any]) -> Figure:
    """Lanes that wait or are worked on, over the replayed time and until the last answer."""
    hours = report["hours"]
    figure = Figure(figsize=(10.0, 1.0 + 1.6 * len(hours)), layout="constrained")
    axes = figure.subplots(len(hours), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    lanes = list(dict.fromkeys(lane for hour in hours for look in hour["queue"] for lane in look["jobs"]))
    for axis, hour in zip(axes, hours, strict=True):
        times = [look["at_s"] for look in hour["queue"]]
        for number, lane in enumerate(lanes):
            counts = [look["jobs"].get(lane, 0) for look in hour["queue"]]
            axis.step(times, counts, where="post", color=COLOURS[number % len(COLOURS)], label=lane)
        axis.axvline(hour["seconds"], color="#999999", linestyle=":")
        axis.set_title(f"{hour['factor']:g} times the pace", fontsize="medium", loc="left")
        axis.spines[["top", "right"]].set_visible(False)
    axes[-1].set_xlabel("seconds; dotted: the last arrival's time is over")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=max(1, len(labels)), frameon=False)
    return figure


def growing(report: dict[str, Any]) -> Figure:
    """Resident memory of every process over the soak."""
    figure = Figure(figsize=(10.0, 4.5), layout="constrained")
    axis = figure.subplots()
    for number, (role, sizes_mib) in enumerate(report["resident_mib"].items()):
        axis.plot(
            report["at_minute"],
            [np.nan if size is None else size for size in sizes_mib],
            color=COLOURS[number % len(COLOURS)],
            linestyle=("-", "--")[number // len(COLOURS) % 2],
            label=role,
        )
    axis.set(xlabel="minutes", ylabel="MiB", ylim=(0, None))
    axis.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside right upper", frameon=False, fontsize="small")
    return figure
