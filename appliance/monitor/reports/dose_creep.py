# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Whether exposures creep upwards: the trend of the exposure indices by room and body part.

A digital detector forgives too much dose and punishes too little with noise, so without anybody deciding it
exposures drift upwards ("dose creep"). Everything is in the unit of the deviation index of IEC 62494-1:
ten times the decimal logarithm of a ratio, so +1 is 26 % more and +3 is twice as much.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from appliance.domain.acquisition import Exposure, Kind
from appliance.monitor.reports.exams import Exam
from appliance.monitor.reports.share import Z_95

MONTH_DAYS: Final = 30
"""Slopes are told per so many days."""
FEWEST_DAYS: Final = 10
"""A trend through fewer days with images is a story, not a measurement."""
HIGH_DI: Final = 1.0
"""26 % above target: where AAPM report 116 (2009) begins to speak of overexposure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slope:
    """A straight line's rise per 30 days, with its 95 % interval."""

    per_month: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseTrend:
    """One room and body part."""

    room: str
    body_part: str
    quantity: str
    """`DI`, or `EI` (ten times its decimal logarithm) where no target is known."""
    images: int
    median: float
    """Of the quantity; for EI of the index itself."""
    share_high: float | None
    """Share of images with a DI above +1; None for EI."""
    days: tuple[int, ...]
    """Days since the first one."""
    medians: tuple[float, ...]
    """Of each of those days."""
    slope: Slope | None
    """None: too few days."""
    words: str


def dose_trends(exams: Iterable[Exam]) -> tuple[DoseTrend, ...]:
    """Rooms and body parts whose images carry an exposure index, most images first."""
    groups: dict[tuple[str, str], list[Exam]] = {}
    for exam in exams:
        if exam.kind is Kind.PROJECTION:
            groups.setdefault((exam.room, exam.body_part), []).append(exam)
    trends = [trend for key, its in groups.items() if (trend := _trend(*key, its)) is not None]
    return tuple(sorted(trends, key=lambda trend: (-trend.images, trend.room, trend.body_part)))


def deviation_index(exposure: Exposure) -> float | None:
    """As the header says it, else from the index and its target (IEC 62494-1); None: not known."""
    if exposure.deviation_index is not None:
        return exposure.deviation_index
    index, target = exposure.exposure_index, exposure.target_exposure_index
    if index is None or target is None or index <= 0 or target <= 0:
        return None
    return 10 * math.log10(index / target)


def theil_sen(x: Sequence[float], y: Sequence[float]) -> Slope:
    """The median of the slopes of all pairs (Theil, 1950), with Sen's interval (1968), by Kendall's variance.

    Needs two points with different x. Per unit of x, not per month.
    """
    xs, ys = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    first, second = np.triu_indices(len(xs), k=1)
    across = xs[second] - xs[first]
    apart = across != 0
    slopes = np.sort((ys[second] - ys[first])[apart] / across[apart])
    spread = Z_95 * math.sqrt(max(0.0, _kendall_variance(xs, ys)))
    low = max(round((len(slopes) - spread) / 2) - 1, 0)
    high = min(round((len(slopes) + spread) / 2), len(slopes) - 1)
    return Slope(per_month=float(np.median(slopes)), low=float(slopes[low]), high=float(slopes[high]))


def _kendall_variance(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    def term(n: NDArray[np.int64] | int) -> float:
        return float(np.sum(n * (n - 1) * (2 * n + 5)))

    ties = sum(term(np.unique(values, return_counts=True)[1].astype(np.int64)) for values in (x, y))
    return (term(len(x)) - ties) / 18


def _trend(room: str, body_part: str, exams: list[Exam]) -> DoseTrend | None:
    deviations = [(exam, di) for exam in exams if (di := deviation_index(exam.first.exposure)) is not None]
    indices = [
        (exam, 10 * math.log10(index))
        for exam in exams
        if (index := exam.first.exposure.exposure_index) is not None and index > 0
    ]
    points, quantity = (deviations, "DI") if len(deviations) * 2 >= len(indices) else (indices, "EI")
    if not points:
        return None
    by_day: dict[int, list[float]] = {}
    for exam, value in points:
        by_day.setdefault(exam.day.toordinal(), []).append(value)
    ordered = sorted(by_day)
    days = tuple(day - ordered[0] for day in ordered)
    medians = tuple(float(np.median(by_day[day])) for day in ordered)
    slope = None
    if len(days) >= FEWEST_DAYS:
        per_day = theil_sen(days, medians)
        slope = Slope(
            per_month=per_day.per_month * MONTH_DAYS,
            low=per_day.low * MONTH_DAYS,
            high=per_day.high * MONTH_DAYS,
        )
    values = [value for _, value in points]
    middle = float(np.median(values))
    return DoseTrend(
        room=room,
        body_part=body_part,
        quantity=quantity,
        images=len(points),
        median=middle if quantity == "DI" else 10 ** (middle / 10),
        share_high=sum(value > HIGH_DI for value in values) / len(values) if quantity == "DI" else None,
        days=days,
        medians=medians,
        slope=slope,
        words=_words(slope, len(days)),
    )


def _words(slope: Slope | None, days: int) -> str:
    if slope is None:
        return f"Too few days for a trend: {days} of {FEWEST_DAYS}."
    percent = 100 * (10 ** (slope.per_month / 10) - 1)
    if slope.low > 0:
        return f"DOSE CREEP: {percent:+.1f} % per month."
    if slope.high < 0:
        return f"Falling: {percent:+.1f} % per month. Is the noise still acceptable?"
    return "No trend can be shown."
