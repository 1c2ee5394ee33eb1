# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Denoising as tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from benchmarks.table import Table, table

WORDS: Final = {
    "added_noise": "noise of a quarter dose added, patients kept aside",
    "one_kernel": "both doses simulated with one kernel, patients kept aside",
    "real": "real quarter dose, each patient with what was chosen on the other",
}


def denoising_tables(report: dict[str, Any]) -> Iterator[Table]:
    """Quality for each kind of pairs, then times."""
    for name, found in report["sets"].items():
        yield table(
            (
                f"{WORDS[name]}: {found['judged_on']} slices, settings chosen on {found['chosen_on']}",
                "PSNR dB",
                "SSIM",
                "RMSE HU",
                "fine detail, of the routine dose's",
                "setting chosen",
            ),
            (
                (
                    row["method"],
                    f"{row['psnr_db']:.2f}",
                    f"{row['ssim']:.3f}",
                    f"{row['rmse_hu']:.1f}",
                    f"{row['texture_ratio']:.2f}",
                    "; ".join(dict.fromkeys(row["settings"])),
                )
                for row in found["rows"]
            ),
        )
    side_px = report["side_px"]
    yield table(
        (
            f"Denoising, one slice of {side_px} x {side_px}, one thread",
            "p50 / max ms",
            "processor ms",
            "times ours, by the clock",
            "times ours, processor time",
        ),
        (
            (
                name,
                f"{row['ms']['p50']:,.1f} / {row['ms']['max']:,.1f}",
                f"{row['cpu_ms']:,.1f}",
                f"{row['times_ours']:.2f}",
                f"**{row['cpu_times_ours']:.2f}**",
            )
            for name, row in report["times"].items()
        ),
    )
    said = [("quality", report["skipped"]), ("quality of RED-CNN", report["red_cnn"])]
    missing = [(what, why) for what, why in said if why is not None]
    if missing:
        yield table(("Denoising, not measured", "why"), missing)
