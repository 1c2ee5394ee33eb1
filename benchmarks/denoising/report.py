# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What is told of denoising."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.spread import Spread


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityRow:
    """One method on one kind of pairs, means over its slices."""

    method: str
    settings: tuple[str, ...]
    """What was chosen for a filter, fold by fold; empty: it has none."""
    psnr_db: float
    """In [-160, 240] HU, over the body."""
    ssim: float
    rmse_hu: float
    texture_ratio: float
    """Fine detail over the routine dose's: far below 1 is over-smoothed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QualitySet:
    """All methods on one kind of pairs, against the routine dose of the same slices."""

    chosen_on: int
    """Slices, over all folds."""
    judged_on: int
    rows: tuple[QualityRow, ...]
    gain_db: float
    """PSNR of the best variant of the shipped denoiser less that of the best classical filter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRow:
    """One method on one slice."""

    ms: Spread
    """By the clock."""
    cpu_ms: float
    """Median processor time."""
    times_ours: float
    """Median of the rounds' ratios to the quickest variant of the shipped denoiser, by the clock."""
    cpu_times_ours: float
    """The same in processor time, which a busy machine does not stretch; nothing on a GPU."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DenoisingReport:
    """Both."""

    skipped: str | None
    """Why there is no quality; None: there is."""
    red_cnn: str | None
    """Why RED-CNN has a time and no quality; None: it has both."""
    sets: dict[str, QualitySet]
    side_px: int
    times: dict[str, TimeRow]
    """By method."""
