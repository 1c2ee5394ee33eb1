# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A share of counted things, with how far it can be trusted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

Z_95: Final = 1.959963984540054
"""The normal distribution's two-sided 95 % point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """`hits` of `n`, with Wilson's interval (1927): 95 %, no continuity correction; None of nothing."""

    hits: int
    n: int
    value: float | None
    low: float | None
    high: float | None


def share(hits: int, n: int) -> Share:
    """`hits` of `n` as a share with its interval."""
    if n == 0:
        return Share(hits=hits, n=n, value=None, low=None, high=None)
    z_squared = Z_95**2
    value = hits / n
    centre = (value + z_squared / (2 * n)) / (1 + z_squared / n)
    half = Z_95 / (1 + z_squared / n) * math.sqrt(value * (1 - value) / n + z_squared / (4 * n**2))
    low = 0.0 if hits == 0 else max(0.0, centre - half)
    high = 1.0 if hits == n else min(1.0, centre + half)
    return Share(hits=hits, n=n, value=value, low=low, high=high)


def in_words(of: Share) -> str:
    """Such as: 7.1 % (4.0 to 12.2), 11 of 155. Of nothing: not known."""
    if of.value is None or of.low is None or of.high is None:
        return "not known"
    return f"{of.value:.1%} ({100 * of.low:.1f} to {100 * of.high:.1f}), {of.hits} of {of.n}".replace(
        "%", " %"
    )


def percentile(values: Sequence[float], percent: float) -> float | None:
    """The smallest value that at least `percent` of all reach or stay below; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]
