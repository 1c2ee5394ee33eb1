# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The pictures of a comparison: orders differ in mark, line and hatching, not in colour alone."""

from __future__ import annotations

import io
from typing import Any, Final

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from appliance.simulation.comparison import (
    EVERYBODY,
    FLAGGED,
    NOT_FLAGGED,
    STILL_WAITING,
    Comparison,
    Estimate,
    GroupWaits,
    OrderWaits,
)

_COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Okabe and Ito's, which people with any colour vision tell apart."""
_HATCHES: Final = ("", "//", "..", "xx", "\\\\", "++")
_MARKS: Final = ("o", "s", "^", "D", "v", "P")
_LINES: Final = ("-", "--", "-.", ":", (0, (5, 1)), (0, (1, 1)))
_DOTS_PER_INCH: Final = 100


def waits_plot(comparison: Comparison) -> Figure:
    """Mean, 95th percentile and worst wait of every group, a bar for each order."""
    figure = _figure(9.0, 1.6 + 0.16 * (1 + len(comparison.orders)) * len(comparison.orders[0].groups))
    measures = ("mean", "95th percentile", "worst of a run")
    axes = figure.subplots(1, len(measures), sharey=True)
    names = [_label(group) for group in comparison.orders[0].groups]
    high = 0.8 / len(comparison.orders)
    places = np.arange(len(names))
    for axis, measure in zip(axes, measures, strict=True):
        for number, of_order in enumerate(comparison.orders):
            found = [_measure(group, measure) for group in of_order.groups]
            axis.barh(
                places + number * high,
                [estimate.value for estimate in found],
                height=high * 0.92,
                color=_COLOURS[number % len(_COLOURS)],
                hatch=_HATCHES[number % len(_HATCHES)],
                edgecolor="white",
                xerr=_whiskers(found),
                ecolor="#333333",
                label=of_order.order.name,
            )
        axis.set(title=measure, xlabel="minutes")
        _calm(axis)
    axes[0].set_yticks(places + 0.4 - high / 2, names)
    axes[0].set_ylim(len(names) - 0.1, -0.3)  # the first group on top
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), frameon=False)
    return figure


def curves_plot(comparison: Comparison) -> Figure:
    """Who still waits after how long: the share on a scale that shows one in ten thousand."""
    figure = _figure(9.0, 3.8)
    axes = figure.subplots(1, 2, sharey=True)
    for axis, name in zip(axes, (FLAGGED, NOT_FLAGGED), strict=True):
        for number, of_order in enumerate(comparison.orders):
            found = _find(of_order, name)
            if found is not None:
                axis.plot(
                    found.curve_min,
                    STILL_WAITING,
                    color=_COLOURS[number % len(_COLOURS)],
                    linestyle=_LINES[number % len(_LINES)],
                    marker=_MARKS[number % len(_MARKS)],
                    markevery=20,
                    label=of_order.order.name,
                )
        axis.set(title=name, xlabel="minutes waited", yscale="log", xlim=(0, None))
        _calm(axis)
    axes[0].set_ylabel("share still waiting")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), frameon=False)
    return figure


def choice_plot(comparison: Comparison) -> Figure:
    """What each order costs and gains: the mean of the flagged against the worst of anybody."""
    figure = _figure(6.4, 4.2)
    axis = figure.subplots()
    for number, of_order in enumerate(comparison.orders):
        flagged, everybody = _find(of_order, FLAGGED), _find(of_order, EVERYBODY)
        if flagged is None or everybody is None:
            continue
        axis.plot(
            flagged.mean_min.value,
            everybody.worst_min.value,
            _MARKS[number % len(_MARKS)],
            color=_COLOURS[number % len(_COLOURS)],
            markersize=10,
            label=of_order.order.name,
        )
    axis.margins(0.12)
    axis.set(
        xlabel="mean wait of those whom the AI flagged, minutes",
        ylabel="worst wait of anybody in a run, minutes",
    )
    axis.set_xlim(left=0)
    axis.set_ylim(bottom=0)
    figure.legend(loc="outside right upper", frameon=False)
    _calm(axis)
    return figure


def as_png(figure: Figure) -> bytes:
    """As PNG; the same figure gives the same bytes."""
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=_DOTS_PER_INCH, metadata={"Software": None})
    return out.getvalue()


def _figure(width_in: float, height_in: float) -> Figure:
    figure = Figure(figsize=(width_in, height_in), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _calm(axis: Any) -> None:
    axis.grid(visible=True, color="#dddddd", linewidth=0.6)
    axis.set_axisbelow(True)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)


def _label(group: GroupWaits) -> str:
    return group.group if group.is_looked_for is not False else f"{group.group} (not looked for)"


def _measure(group: GroupWaits, measure: str) -> Estimate:
    if measure == "mean":
        return group.mean_min
    return group.worst_min if measure.startswith("worst") else group.p95_min


def _whiskers(found: list[Estimate]) -> list[list[float]] | None:
    pairs = [(each.value, each.low, each.high) for each in found]
    below = [value - low for value, low, _ in pairs if low is not None]
    above = [high - value for value, _, high in pairs if high is not None]
    return [below, above] if len(below) == len(found) == len(above) else None


def _find(of_order: OrderWaits, name: str) -> GroupWaits | None:
    return next((group for group in of_order.groups if group.group == name), None)
