# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""From a network's raw score to a probability that means what it says (Platt, 1999)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Scores = NDArray[np.float64]
Truth = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """probability = 1 / (1 + exp(-(scale * logit + shift)))."""

    scale: float
    shift: float

    def probability(self, logit: Scores) -> Scores:
        """Apply."""
        return np.asarray(1.0 / (1.0 + np.exp(-(self.scale * logit + self.shift))), np.float64)


def platt(logit: Scores, truth: Truth, weight: Scores) -> Calibration:
    """Logistic calibration by maximum likelihood with Platt's smoothed targets."""
    positives, negatives = float(truth.sum()), float((~truth).sum())
    target = np.where(truth, (positives + 1) / (positives + 2), 1 / (negatives + 2))

    def loss(parameters: Scores) -> float:
        line = parameters[0] * logit + parameters[1]
        return float((weight * (np.logaddexp(0.0, line) - target * line)).sum() / weight.sum())

    best = minimize(loss, np.array([1.0, 0.0]), method="Nelder-Mead", options={"maxiter": 2000}).x
    return Calibration(scale=float(best[0]), shift=float(best[1]))
