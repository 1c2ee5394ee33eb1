# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Many measurements of one thing in a few numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Percentiles, in the unit of what went in. The 99th of few values lies near their maximum."""

    n: int
    p50: float
    p95: float
    p99: float
    max: float
    values: tuple[float, ...] = ()
    """All of them, in the order in which they were measured; nothing in runs of before this was kept."""


def spread_of(values: Iterable[float]) -> Spread:
    """Linear interpolation between the sorted values (numpy's default). Raises ValueError for none."""
    measured = np.fromiter(values, dtype=np.float64)
    if measured.size == 0:
        raise ValueError("There is nothing to summarise.")
    p50, p95, p99 = np.percentile(measured, (50, 95, 99))
    return Spread(
        n=int(measured.size),
        p50=round(float(p50), 3),
        p95=round(float(p95), 3),
        p99=round(float(p99), 3),
        max=round(float(measured.max()), 3),
        values=tuple(round(float(value), 3) for value in measured),
    )


def thinned(spread: Spread, most: int) -> Spread:
    """The same with at most so many single values, evenly taken, in their order: files stay small."""
    step = max(1, -(-len(spread.values) // most))
    return replace(spread, values=spread.values[::step])


def median_ratio(slow: Sequence[float], quick: Sequence[float]) -> float:
    """Median of slow/quick, round by round: what disturbs one round disturbs both of its sides.

    Raises ValueError when the two were not measured alternately, equally often.
    """
    return round(float(np.median(ratios(slow, quick))), 2)


def ratios(slow: Sequence[float], quick: Sequence[float]) -> tuple[float, ...]:
    """slow/quick of every round. Raises ValueError when they are no pairs."""
    if len(slow) != len(quick) or not slow:
        raise ValueError(f"{len(slow)} and {len(quick)} measurements are no pairs.")
    return tuple(round(a / b, 3) for a, b in zip(slow, quick, strict=True))
