# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The denoiser's gate as pictures: each pair's error, and where the noise that is left lies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

PROMISED_RATIO = 0.65
"""The largest RMSE, in units of the input's, that is promised for a real quarter-dose slice."""


def plot(gate: dict[str, Any], folder: Path) -> list[Path]:
    """Write the pictures; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    return [_pairs(gate["real_by_pair"], folder / "real_pairs.png"), _spectra(gate, folder / "nps.png")]


def _pairs(rows: list[dict[str, Any]], path: Path) -> Path:
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    names = [row["pair"] for row in rows]
    axes.bar(names, [row["rmse_ratio"] for row in rows], color="tab:blue", label="denoised")
    axes.plot(names, [row["rmse_ratio_nlm16_tuned"] for row in rows], "k_", ms=14, label="NLM, tuned")
    axes.axhline(PROMISED_RATIO, color="tab:red", label=f"promised: {PROMISED_RATIO}")
    axes.set_ylabel("RMSE to the full dose, of the input's")
    axes.tick_params(axis="x", rotation=60)
    axes.legend()
    figure.savefig(path, dpi=110)
    return path


def _spectra(gate: dict[str, Any], path: Path) -> Path:
    curves = gate["noise_spectra"]
    kernels = [name for name in curves if name != "frequency_per_px"]
    figure = Figure(figsize=(4.5 * len(kernels), 3.5), layout="constrained")
    for axes, kernel in zip(figure.subplots(1, len(kernels), squeeze=False)[0], kernels, strict=True):
        for when in ("before", "after"):
            axes.plot(curves["frequency_per_px"], curves[kernel][f"nps_{when}"], label=when)
        axes.set_xlabel("cycles per pixel")
        axes.set_title(f"NPS (HU² px²), {kernel} kernel")
        axes.legend()
    figure.savefig(path, dpi=110)
    return path
