# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The two operating points of a label, chosen on images that did not train it."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from calibration.probability import Scores, Truth

TARGET: Final = 0.9
"""Sensitivity of the sensitive and specificity of the specific operating point."""


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
