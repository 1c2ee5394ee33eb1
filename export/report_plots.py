# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The pictures of a report: PNG, drawn without a screen; lines differ in more than their colour."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, Final

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from calibration.reliability import MethodQuality
from export.gate_report import LabelGate, NoisePower, SliceChange
from export.report_parts import LayerEffect, RangeMethod

DOTS_PER_INCH: Final = 110
FIRST: Final = "#0072B2"
SECOND: Final = "#D55E00"
THIRD: Final = "#009E73"
"""Okabe and Ito's colours, which people with any colour vision tell apart."""
GREY: Final = "#777777"
MOST_LAYERS: Final = 20
"""Bars of the sensitivity plot: the worst layers; the table has them all."""


def _axes(width_in: float = 4.6, height_in: float = 3.6) -> tuple[Figure, Any]:
    figure = Figure(figsize=(width_in, height_in), dpi=DOTS_PER_INCH, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.grid(visible=True, color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    return figure, axes


def _png(figure: Figure) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


def roc_plot(label: LabelGate, precision: str) -> bytes:
    """ROC of float32 and the variant over each other, with both operating points."""
    figure, axes = _axes()
    axes.plot([0, 1], [0, 1], color=GREY, linestyle=":", linewidth=1)
    for name, model, colour, line, marker in (
        ("float32", label.fp32, FIRST, "-", "o"),
        (precision, label.candidate, SECOND, "--", "x"),
    ):
        if model.roc:
            across, up = zip(*model.roc, strict=True)
            axes.plot(
                across,
                up,
                color=colour,
                linestyle=line,
                linewidth=1.6,
                label=f"{name}, AUC {model.auc.value:.3f}",
            )
        for point in model.points:
            axes.plot(
                1 - point.specificity.value, point.sensitivity.value, marker, color=colour, markersize=7
            )
    axes.set(xlabel="1 - specificity", ylabel="sensitivity", xlim=(0, 1), ylim=(0, 1.01), title=label.name)
    axes.legend(loc="lower right", frameon=False)
    return _png(figure)


def reliability_plot(
    name: str, methods: Sequence[MethodQuality], before: MethodQuality | None = None
) -> bytes:
    """Observed share against probability, with Wilson's intervals for the first method."""
    figure, axes = _axes()
    axes.plot([0, 1], [0, 1], color=GREY, linestyle=":", linewidth=1)
    marks = (("o", FIRST), ("s", SECOND), ("^", THIRD), ("x", GREY))
    shown = methods if before is None else (*methods, before)
    for method, (marker, colour) in zip(shown, marks, strict=False):
        filled = [item for item in method.bins if item.mean_probability is not None]
        across = [item.mean_probability for item in filled]
        up = [item.observed.value for item in filled]
        axes.plot(across, up, marker=marker, color=colour, linewidth=1, markersize=5, label=method.method)
        if method is methods[0]:
            below = [item.observed.value - item.observed.low for item in filled]
            above = [item.observed.high - item.observed.value for item in filled]
            axes.errorbar(
                across, up, yerr=[below, above], fmt="none", ecolor=colour, elinewidth=0.8, capsize=2
            )
    axes.set(xlabel="probability said", ylabel="share that had it", xlim=(0, 1), ylim=(0, 1.01), title=name)
    axes.legend(loc="upper left", frameon=False)
    return _png(figure)


def ranges_plot(rows: Sequence[RangeMethod]) -> bytes:
    """Error of each way to choose the ranges."""
    figure, axes = _axes(height_in=0.9 + 0.4 * len(rows))
    worst = [max(row.relative_error.values()) for row in rows]
    names = [f"{row.method} (chosen)" if row.chosen else row.method for row in rows]
    axes.barh(names[::-1], worst[::-1], color=[SECOND if row.chosen else FIRST for row in rows][::-1])
    axes.set(xlabel="relative error of the worst output (0 = as float32)")
    return _png(figure)


def layers_plot(rows: Sequence[LayerEffect]) -> bytes:
    """The layers that INT8 hurts most."""
    worst = sorted(rows, key=lambda row: -row.relative_error)[:MOST_LAYERS]
    figure, axes = _axes(width_in=6.4, height_in=1.0 + 0.22 * len(worst))
    names = [f"{row.layer[-40:]}{' (float)' if row.left_in_float else ''}" for row in worst]
    colours = [SECOND if row.left_in_float else FIRST for row in worst]
    axes.barh(range(len(worst), 0, -1), [row.relative_error for row in worst], color=colours)
    axes.set_yticks(range(len(worst), 0, -1), names, fontsize=7)
    axes.set(xlabel="relative error when only this layer is INT8", ylim=(0.3, len(worst) + 0.7))
    return _png(figure)


def noise_power_plot(power: NoisePower, precision: str) -> bytes:
    """Noise power spectra of float32 and the variant."""
    figure, axes = _axes()
    axes.plot(power.frequency_per_px, power.fp32_hu2px2, color=FIRST, label="float32")
    axes.plot(power.frequency_per_px, power.candidate_hu2px2, color=SECOND, linestyle="--", label=precision)
    axes.set(xlabel="spatial frequency (1/px)", ylabel="noise power (HU² px²)", ylim=(0, None))
    axes.legend(frameon=False)
    return _png(figure)


def slices_plot(slices: Sequence[SliceChange], precision: str) -> bytes:
    """PSNR of each slice, float32 against the variant."""
    figure, axes = _axes()
    before = [item.psnr_fp32_db for item in slices]
    after = [item.psnr_candidate_db for item in slices]
    ends = (min(before + after) - 0.5, max(before + after) + 0.5)
    axes.plot(ends, ends, color=GREY, linestyle=":", linewidth=1)
    axes.plot(before, after, "o", color=FIRST, markersize=4)
    axes.set(xlabel="PSNR with float32 (dB)", ylabel=f"PSNR with {precision} (dB)")
    return _png(figure)
