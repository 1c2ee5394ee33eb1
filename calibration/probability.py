# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""From a network's raw score to a probability that means what it says.

A card carries a scale and a shift, so Platt's method and temperature scaling can go into a bundle; isotonic
regression is fitted for comparison only: if it were much better, a line would be the wrong shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar
from sklearn.isotonic import IsotonicRegression

Scores = NDArray[np.float64]
Truth = NDArray[np.bool_]
_FARTHEST: Final = 60.0
"""Logits beyond this are certainties in float64 (appliance/tasks/radiograph_classifier.py)."""
LOG_SCALES: Final = (-6.0, 6.0)
"""Natural logarithms of the scales that are tried: temperatures from 1/400 to 400."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """probability = 1 / (1 + exp(-(scale * logit + shift)))."""

    scale: float
    shift: float

    def probability(self, logit: Scores) -> Scores:
        """Apply, exactly as the appliance does (exact 0 or 1 where exp would overflow)."""
        line = np.clip(self.scale * logit + self.shift, -_FARTHEST, _FARTHEST)
        return np.asarray(1.0 / (1.0 + np.exp(-line)), np.float64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Isotonic:
    """A rising staircase from logit to probability, straight between its corners."""

    logit: Scores
    share: Scores

    def probability(self, logit: Scores) -> Scores:
        """Apply; beyond the ends the last value holds."""
        return np.asarray(np.interp(logit, self.logit, self.share), np.float64)


def _loss(line: Scores, target: Scores, weight: Scores) -> float:
    """Weighted mean of the logistic loss of `line`, the logit of the probability."""
    return float((weight * (np.logaddexp(0.0, line) - target * line)).sum() / weight.sum())


def platt(logit: Scores, truth: Truth, weight: Scores) -> Calibration:
    """Logistic calibration by maximum likelihood with Platt's smoothed targets (Platt, 1999)."""
    positives, negatives = float(truth.sum()), float((~truth).sum())
    target = np.where(truth, (positives + 1) / (positives + 2), 1 / (negatives + 2))

    def loss(parameters: Scores) -> float:
        return _loss(parameters[0] * logit + parameters[1], target, weight)

    best = minimize(loss, np.array([1.0, 0.0]), method="Nelder-Mead", options={"maxiter": 2000}).x
    return Calibration(scale=float(best[0]), shift=float(best[1]))


def temperature(logit: Scores, truth: Truth, weight: Scores) -> Calibration:
    """Temperature scaling (Guo et al., 2017): only the scale, 1 / T, is fitted; zero stays one half."""
    target = truth.astype(np.float64)
    found = minimize_scalar(
        lambda log_scale: _loss(np.exp(log_scale) * logit, target, weight),
        bounds=LOG_SCALES,
        method="bounded",
    )
    return Calibration(scale=float(np.exp(found.x)), shift=0.0)


def isotonic(logit: Scores, truth: Truth, weight: Scores) -> Isotonic:
    """Isotonic regression (Zadrozny and Elkan, 2002) by the library's pool-adjacent-violators."""
    fitted = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(
        logit, truth.astype(np.float64), sample_weight=weight
    )
    return Isotonic(
        logit=np.asarray(fitted.X_thresholds_, np.float64), share=np.asarray(fitted.y_thresholds_, np.float64)
    )
