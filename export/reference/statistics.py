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
from scipy.stats import rankdata

from calibration.probability import Scores, Truth

RESAMPLES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A value and its 95 % confidence interval."""

    value: float
    low: float
    high: float
    n: int


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
