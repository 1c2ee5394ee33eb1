# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Does "30 %" happen in three of ten? Expected calibration error, and the diagram behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from calibration.probability import Calibration, Isotonic, Scores, Truth, isotonic, platt, temperature
from calibration.statistics import Estimate, bootstrap, share

BINS: Final = 10
"""Of equal width (Naeini et al., 2015). More would be empty in sets of a few hundred images."""

Fit = Callable[[Scores, Truth, Scores], "Calibration | Isotonic"]
METHODS: Final[dict[str, Fit]] = {"platt": platt, "temperature": temperature, "isotonic": isotonic}
"""The first two fit on a card."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityBin:
    """Images whose probability lies between `low` and `high`."""

    low: float
    high: float
    n: int
    mean_probability: float | None
    """None: no image."""
    observed: Estimate
    """Share of them that is positive, with Wilson's interval. NaN: no image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodQuality:
    """One calibration method, judged on images that did not fit it."""

    method: str
    fits_on_card: bool
    error: Estimate
    """Expected calibration error, 0..1; interval by resampling whole groups."""
    bins: tuple[ReliabilityBin, ...]


def _bin_of(probability: Scores) -> NDArray[np.int64]:
    return np.minimum((probability * BINS).astype(np.int64), BINS - 1)


def expected_calibration_error(probability: Scores, truth: Truth, weight: Scores | None = None) -> float:
    """Mean distance of probability and observed share over the bins, weighted by how many are in each.

    `weight` (balanced classes, for example) counts images as they counted in fitting. NaN of no image.
    """
    weight = np.ones(len(truth)) if weight is None else weight
    total = float(weight.sum())
    if total == 0.0:
        return float("nan")
    gap = np.bincount(_bin_of(probability), weight * (probability - truth), minlength=BINS)
    return float(np.abs(gap).sum() / total)


def error_estimate(
    probability: Scores, truth: Truth, groups: Sequence[str], weight: Scores | None = None
) -> Estimate:
    """Expected calibration error with the interval of resampled groups.

    Resampling adds scatter of its own to a distance that cannot be negative: the interval lies rather too
    high than too low, and is widened where it would not hold the value itself.
    """
    weights = np.ones(len(truth)) if weight is None else weight
    found = bootstrap(
        lambda rows: expected_calibration_error(probability[rows], truth[rows], weights[rows]), groups
    )
    return replace(found, low=min(found.low, found.value))


def reliability(probability: Scores, truth: Truth) -> tuple[ReliabilityBin, ...]:
    """The reliability diagram: observed share against probability, bin by bin."""
    number = _bin_of(probability)
    return tuple(
        ReliabilityBin(
            low=index / BINS,
            high=(index + 1) / BINS,
            n=int((number == index).sum()),
            mean_probability=float(probability[number == index].mean()) if (number == index).any() else None,
            observed=share(truth[number == index]),
        )
        for index in range(BINS)
    )


def quality(
    method: str,
    probability: Scores,
    truth: Truth,
    groups: Sequence[str],
    *,
    weight: Scores | None = None,
    fits_on_card: bool = True,
) -> MethodQuality:
    """How well probabilities that were not fitted on these very images mean what they say."""
    return MethodQuality(
        method=method,
        fits_on_card=fits_on_card,
        error=error_estimate(probability, truth, groups, weight),
        bins=reliability(probability, truth),
    )


def compare_methods(
    logit: Scores, truth: Truth, weight: Scores, groups: Sequence[str], fold: NDArray[Any]
) -> tuple[MethodQuality, ...]:
    """Every method, each fold calibrated by what was fitted on the other folds only."""
    compared = []
    for name, fit in METHODS.items():
        probability = np.zeros(len(truth))
        for number in np.unique(fold):
            here = fold == number
            probability[here] = fit(logit[~here], truth[~here], weight[~here]).probability(logit[here])
        compared.append(
            quality(name, probability, truth, groups, weight=weight, fits_on_card=fit is not isotonic)
        )
    return tuple(compared)
