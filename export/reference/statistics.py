# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Measured numbers with their uncertainty.

Whole groups are resampled: films of a patient are not independent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.stats import rankdata

Scores = NDArray[np.float64]
Truth = NDArray[np.bool_]

RESAMPLES = 1000
TARGET = 0.9
"""Sensitivity of the sensitive and specificity of the specific operating point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A value and its 95 % confidence interval."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """probability = 1 / (1 + exp(-(scale * logit + shift)))."""

    scale: float
    shift: float

    def probability(self, logit: Scores) -> Scores:
        """Apply."""
        return np.asarray(1.0 / (1.0 + np.exp(-(self.scale * logit + self.shift))), np.float64)


def auc(score: Scores, truth: Truth) -> float:
    """Area under the ROC curve; NaN when one class is absent."""
    positives = int(truth.sum())
    negatives = len(truth) - positives
    if positives == 0 or negatives == 0:
        return float("nan")
    ranks = rankdata(score)
    return float((ranks[truth].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def bootstrap(measure: Callable[[NDArray[np.int64]], float], groups: list[str], *, seed: int = 1) -> Estimate:
    """Estimate `measure(indices)` with an interval from resampling whole groups."""
    names, member = np.unique(np.asarray(groups), return_inverse=True)
    members = [np.flatnonzero(member == index) for index in range(len(names))]
    random = np.random.default_rng(seed)
    drawn = []
    for _ in range(RESAMPLES):
        chosen = random.integers(len(names), size=len(names))
        drawn.append(measure(np.concatenate([members[index] for index in chosen])))
    low, high = np.nanpercentile(drawn, (2.5, 97.5))
    return Estimate(value=measure(np.arange(len(groups))), low=float(low), high=float(high), n=len(groups))


def auc_estimate(score: Scores, truth: Truth, groups: list[str]) -> Estimate:
    """AUC with its interval."""
    return bootstrap(lambda rows: auc(score[rows], truth[rows]), groups)


def share_estimate(hit: Truth, groups: list[str]) -> Estimate:
    """Share of true entries with its interval."""
    return bootstrap(lambda rows: float(hit[rows].mean()) if len(rows) else float("nan"), groups)


def platt(logit: Scores, truth: Truth, weight: Scores) -> Calibration:
    """Logistic calibration by maximum likelihood with Platt's smoothed targets."""
    positives, negatives = float(truth.sum()), float((~truth).sum())
    target = np.where(truth, (positives + 1) / (positives + 2), 1 / (negatives + 2))

    def loss(parameters: Scores) -> float:
        line = parameters[0] * logit + parameters[1]
        return float((weight * (np.logaddexp(0.0, line) - target * line)).sum() / weight.sum())

    best = minimize(loss, np.array([1.0, 0.0]), method="Nelder-Mead", options={"maxiter": 2000}).x
    return Calibration(scale=float(best[0]), shift=float(best[1]))


def operating_points(probability: Scores, truth: Truth) -> tuple[float, float]:
    """(sensitive, specific) thresholds, to be compared with `>=`; sensitive <= specific."""
    sensitive = float(np.quantile(probability[truth], 1 - TARGET, method="lower"))
    specific = float(np.nextafter(np.quantile(probability[~truth], TARGET, method="higher"), 1.0))
    return min(sensitive, specific), specific


def cross_fitted_calls(probability: Scores, truth: Truth, fold: NDArray[np.int64]) -> tuple[Truth, Truth]:
    """Calls at the two points, each fold with thresholds chosen on the other folds only."""
    sensitive, specific = np.zeros(len(truth), bool), np.zeros(len(truth), bool)
    for number in np.unique(fold):
        here = fold == number
        low, high = operating_points(probability[~here], truth[~here])
        sensitive[here], specific[here] = probability[here] >= low, probability[here] >= high
    return sensitive, specific


def balanced_weight(truth: Truth, strata: list[str]) -> Scores:
    """Weights that give both classes the same total inside every stratum.

    A stratum that has one class only teaches nothing but its own identity: weight zero. The largest
    weight is limited to ten times the smallest class's fair share, so that one film cannot dominate.
    """
    weight = np.zeros(len(truth), np.float64)
    for stratum in set(strata):
        inside = np.array([name == stratum for name in strata])
        positive, negative = inside & truth, inside & ~truth
        if positive.any() and negative.any():
            total = inside.sum() / 2
            weight[positive] = min(total / positive.sum(), 10.0)
            weight[negative] = min(total / negative.sum(), 10.0)
            lesser = min(weight[positive].sum(), weight[negative].sum())
            weight[positive] *= lesser / weight[positive].sum()
            weight[negative] *= lesser / weight[negative].sum()
    return weight
