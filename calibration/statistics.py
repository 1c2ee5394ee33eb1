# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Measured numbers with their uncertainty, all at 95 %.

DeLong's interval for an AUC and Wilson's for a share come from libraries; both take images as independent.
Where a patient has several images, or two models are compared on the same ones, whole groups are resampled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from confidenceinterval.delong import fastDeLong_no_weights
from numpy.typing import NDArray
from scipy.stats import binomtest, norm, rankdata

from calibration.probability import Scores, Truth

RESAMPLES: Final = 1000
"""Enough for two digits of a 95 % limit (Efron and Tibshirani, 1993, section 14.3)."""
CONFIDENCE: Final = 0.95
_TAILS_PERCENT: Final = (2.5, 97.5)
LEAST_FOR_VARIANCE: Final = 2
"""Images of either class below which DeLong's variance does not exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A value and its 95 % confidence interval. NaN: it could not be measured."""

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


def delong(score: Scores, truth: Truth) -> Estimate:
    """AUC with DeLong's interval (DeLong et al., Biometrics 1988; Sun and Xu, 2014), limited to 0..1.

    The limits are NaN where a class has fewer than two images; the value is exact.
    """
    value, spread = auc(score, truth), float("nan")
    if min(truth.sum(), (~truth).sum()) >= LEAST_FOR_VARIANCE:
        _, variance = fastDeLong_no_weights(_positives_first(score[None], truth), int(truth.sum()))
        spread = float(norm.ppf((1 + CONFIDENCE) / 2) * np.sqrt(max(float(variance), 0.0)))
    low, high = (float(np.clip(value + sign * spread, 0.0, 1.0)) for sign in (-1, 1))
    return Estimate(value=value, low=low, high=high, n=len(truth))


def delong_difference(first: Scores, second: Scores, truth: Truth) -> Estimate:
    """AUC of `second` minus AUC of `first` on the same images, with DeLong's paired interval."""
    value, spread = auc(second, truth) - auc(first, truth), float("nan")
    if min(truth.sum(), (~truth).sum()) >= LEAST_FOR_VARIANCE:
        both = _positives_first(np.stack([first, second]), truth)
        _, covariance = fastDeLong_no_weights(both, int(truth.sum()))
        variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
        spread = float(norm.ppf((1 + CONFIDENCE) / 2) * np.sqrt(max(float(variance), 0.0)))
    return Estimate(value=value, low=value - spread, high=value + spread, n=len(truth))


def _positives_first(scores: Scores, truth: Truth) -> Scores:
    order = np.argsort(~truth, kind="stable")
    return np.ascontiguousarray(scores[:, order], np.float64)


def wilson(hits: int, n: int) -> Estimate:
    """A share with Wilson's score interval (Wilson, 1927), without continuity correction; NaN of nothing."""
    if n == 0:
        nothing = float("nan")
        return Estimate(value=nothing, low=nothing, high=nothing, n=0)
    limits = binomtest(hits, n).proportion_ci(confidence_level=CONFIDENCE, method="wilson")
    return Estimate(value=hits / n, low=float(limits.low), high=float(limits.high), n=n)


def share(hit: Truth) -> Estimate:
    """Share of true entries with Wilson's interval."""
    return wilson(int(np.count_nonzero(hit)), len(hit))


def bootstrap(
    measure: Callable[[NDArray[np.int64]], float], groups: Sequence[str], *, seed: int = 1
) -> Estimate:
    """Estimate `measure(indices)` with an interval from resampling whole groups.

    Resamples in which the measure is NaN (a class is absent) are left out; NaN limits when all are.
    """
    names, member = np.unique(np.asarray(groups), return_inverse=True)
    members = [np.flatnonzero(member == index) for index in range(len(names))]
    random = np.random.default_rng(seed)
    drawn = []
    for _ in range(RESAMPLES):
        chosen = random.integers(len(names), size=len(names))
        drawn.append(measure(np.concatenate([members[index] for index in chosen])))
    known = np.asarray(drawn)[np.isfinite(drawn)]
    low, high = np.percentile(known, _TAILS_PERCENT) if known.size else (float("nan"), float("nan"))
    return Estimate(value=measure(np.arange(len(groups))), low=float(low), high=float(high), n=len(groups))


def auc_estimate(score: Scores, truth: Truth, groups: Sequence[str]) -> Estimate:
    """AUC with the interval of resampled groups."""
    return bootstrap(lambda rows: auc(score[rows], truth[rows]), groups)


def share_estimate(hit: Truth, groups: Sequence[str]) -> Estimate:
    """Share of true entries with the interval of resampled groups."""
    return bootstrap(lambda rows: float(hit[rows].mean()) if len(rows) else float("nan"), groups)
